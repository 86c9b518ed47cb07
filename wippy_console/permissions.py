"""Who may do what and where: permission names, the four groups, and the one check that services call.

A right that comes from a group counts in the namespaces that the group's grants name; docs/rights.md has the rules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, PermissionsMixin, User
from django.core.exceptions import PermissionDenied

APP = "wippy_console"

VIEW_RUN = f"{APP}.view_run"
VIEW_FEED = f"{APP}.view_feedevent"
VIEW_QUESTION = f"{APP}.view_question"
VIEW_DECISION = f"{APP}.view_decision"
VIEW_REGISTRY = f"{APP}.view_version"
VIEW_FLEET = f"{APP}.view_node"
START_RUN = f"{APP}.start_run"
SIGNAL_RUN = f"{APP}.signal_run"
CANCEL_RUN = f"{APP}.cancel_run"
RAW_SIGNAL_RUN = f"{APP}.raw_signal_run"
TERMINATE_RUN = f"{APP}.terminate_run"
RESET_RUN = f"{APP}.reset_run"
UNMASK_VALUES = f"{APP}.unmask_values"
LIFT_QUARANTINE = f"{APP}.lift_quarantine"
PROMOTE_BUILD = f"{APP}.promote_build"
PUBLISH_VERSION = f"{APP}.publish_version"
PUBLISH_CLIENT = f"{APP}.publish_client"
PUBLISH_PYTHON = f"{APP}.publish_python"
VIEW_NOTIFICATION = f"{APP}.view_notification"
RESEND_NOTIFICATION = f"{APP}.change_notification"
SHARE_VIEW = f"{APP}.share_savedview"
VIEW_DELIVERY = f"{APP}.view_delivery"
LIFT_LOCK = f"{APP}.delete_failedlogin"

PRIVILEGED = (
    SIGNAL_RUN, START_RUN, CANCEL_RUN, RAW_SIGNAL_RUN, TERMINATE_RUN, RESET_RUN, LIFT_QUARANTINE, PROMOTE_BUILD,
    PUBLISH_VERSION,
)  # fmt: skip
"""Who holds one of these changes something for others: the audit tells when they log in."""

VIEWER = "viewer"
OPERATOR = "operator"
AUTHOR = "author"
ADMINISTRATOR = "administrator"

MODELS = (
    "accesstoken", "auditrow", "batch", "batchitem", "claim", "comment", "decision", "delivery", "deliverypart",
    "draft", "failedlogin", "feedevent", "grant", "guestlink", "historyarchive", "importedhistory", "listsettings",
    "node", "notification", "notificationpreference", "outgoing", "process", "program", "quarantine", "question",
    "questionrole", "repeatedrequest", "revision", "run", "savedview", "service", "subscription", "token", "version",
    "vote",
)  # fmt: skip
"""Every model of the console, as content types spell it."""

PERSONAL = (
    "accesstoken", "deliverypart", "draft", "failedlogin", "grant", "guestlink", "importedhistory", "listsettings",
    "notification", "notificationpreference", "outgoing", "repeatedrequest", "savedview", "subscription",
)  # fmt: skip
"""What belongs to one person, or says who may what; only administrators see that it is there."""

_VIEW = tuple(f"view_{model}" for model in MODELS if model not in PERSONAL)
_OPERATE = ("start_run", "signal_run", "cancel_run", "reset_run", "lift_quarantine", "promote_build", "share_savedview")
_WRITE = ("raw_signal_run", "terminate_run", "publish_version")

GROUPS: dict[str, tuple[str, ...] | None] = {
    VIEWER: _VIEW,
    OPERATOR: _VIEW + _OPERATE,
    AUTHOR: _VIEW + _OPERATE + _WRITE,
    ADMINISTRATOR: None,
}
"""Codenames of this app that each group holds; None stands for everything, users and groups included."""

_WORDS = {
    VIEW_RUN: "see runs",
    VIEW_FEED: "see the feed",
    VIEW_QUESTION: "see questions",
    VIEW_DECISION: "see decisions and the audit",
    VIEW_REGISTRY: "see entries of the registry",
    VIEW_FLEET: "see nodes, services and processes",
    START_RUN: "start runs, processes and services",
    SIGNAL_RUN: "answer runs or send processes messages",
    CANCEL_RUN: "cancel runs and processes or stop services",
    RAW_SIGNAL_RUN: "send runs any signal or call functions",
    TERMINATE_RUN: "terminate runs and processes",
    RESET_RUN: "reset runs",
    UNMASK_VALUES: "see masked values of runs",
    LIFT_QUARANTINE: "let quarantined programs run again",
    PROMOTE_BUILD: "make builds of workers current",
    PUBLISH_VERSION: "publish registry versions",
    PUBLISH_CLIENT: "publish temporal.client and env.storage entries that reach files and variables of this machine",
    PUBLISH_PYTHON: "publish function.python entries, which name Python code of this installation",
    VIEW_NOTIFICATION: "see what is sent to others",
    RESEND_NOTIFICATION: "send notifications again",
    SHARE_VIEW: "share views of lists",
    VIEW_DELIVERY: "see requests of other systems",
    LIFT_LOCK: "lift locks of log-ins",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """The namespaces where a right counts: `shop`, `shop.*` (and all below), `*` (everything, also what has none)."""

    patterns: tuple[str, ...] = ()

    @property
    def everywhere(self) -> bool:
        """Whether nothing is left out."""
        return "*" in self.patterns

    @property
    def nowhere(self) -> bool:
        """Whether the right is not held at all."""
        return not self.patterns

    def covers(self, namespace: str) -> bool:
        """Whether the right counts there; "" is the namespace of what belongs to no entry of ours."""
        return any(_fits(each, namespace) for each in self.patterns)

    def within(self, other: Scope) -> Scope:
        """What is in both."""
        pairs = [(a, b) for a in self.patterns for b in other.patterns]
        narrower = {a if _holds(b, a) else b for a, b in pairs if _holds(a, b) or _holds(b, a)}
        return Scope(tuple(sorted(narrower)))


EVERYWHERE = Scope(("*",))
NOWHERE = Scope()


def _fits(pattern: str, namespace: str) -> bool:
    if pattern.endswith(".*"):
        return f"{namespace}.".startswith(pattern[:-1])
    return pattern in ("*", namespace)


def _holds(wide: str, narrow: str) -> bool:
    """Whether all that the pattern `narrow` means, `wide` means as well."""
    return wide in ("*", narrow) or (wide.endswith(".*") and f"{narrow.removesuffix('.*')}.".startswith(wide[:-1]))


RIGHTS = tuple(_WORDS)
"""Those that count by namespace, in the order in which people read of them."""


def scope(user: Any, permission: str) -> Scope:
    """Where `user` holds `permission`: at most two queries per user object, that is per request.

    A superuser and whoever has the permission directly hold it everywhere, as members of a group without grants do.
    """
    if not isinstance(user, PermissionsMixin) or not user.has_perm(permission):
        return NOWHERE
    known: dict[str, Scope] = user.__dict__.setdefault("_wippy_scopes", {})
    if permission not in known:
        known[permission] = _limited(user, permission, _scope(user, permission))
    return known[permission]


def limit(user: Any, rights: Collection[str], namespaces: Collection[str]) -> None:
    """From now on this user object, which no one has asked of yet, has no more rights than these (codenames), and these
    only in the namespaces; of each none means no limit."""
    user.__dict__["_wippy_limit"] = (frozenset(rights), Scope(tuple(namespaces)) if namespaces else EVERYWHERE)


def _limited(user: Any, permission: str, found: Scope) -> Scope:
    rights, namespaces = user.__dict__.get("_wippy_limit", (frozenset(), EVERYWHERE))
    return _within(found, permission, rights, namespaces)


def limited(found: Scope, permission: str, rights: Collection[str], namespaces: Collection[str]) -> Scope:
    """What of a scope is left of it under the limits that `limit` takes."""
    return _within(found, permission, rights, Scope(tuple(namespaces)) if namespaces else EVERYWHERE)


def _within(found: Scope, permission: str, rights: Collection[str], namespaces: Scope) -> Scope:
    return NOWHERE if rights and permission.partition(".")[2] not in rights else found.within(namespaces)


def _scope(user: Any, permission: str) -> Scope:
    app, _, codename = permission.partition(".")
    if user.is_superuser or app != APP or permission in user.get_user_permissions():
        return EVERYWHERE
    groups = _groups(user)
    if not any(group.grants for group in groups):
        return EVERYWHERE
    holding = _holding(user)
    return _union(groups, holding, codename) if codename in holding else EVERYWHERE  # another backend gives it


def sources(user: Any, permission: str) -> list[tuple[str, tuple[str, ...]]]:
    """Why `scope` is as it is: each source of the right with the patterns that come from it."""
    if scope(user, permission).nowhere and not user.has_perm(permission):
        return []
    if user.is_superuser:
        return [("is a superuser", ("*",))]
    found = [("given directly", ("*",))] if permission in user.get_user_permissions() else []
    holding = _holding(user).get(permission.partition(".")[2], set())
    groups = [group for group in _groups(user) if group.pk in holding]
    return found + [
        (f"group {group.name}", tuple(sorted(group.patterns(permission.partition(".")[2])))) for group in groups
    ]


def words(permission: str) -> str:
    """What it lets one do."""
    return _WORDS.get(permission, permission)


@dataclass(frozen=True, slots=True)
class _Group:
    """A group of the user's, with the pattern and the rights of each of its grants."""

    pk: int
    name: str
    grants: tuple[tuple[str, tuple[str, ...]], ...]

    def patterns(self, codename: str) -> list[str]:
        """Where its members have that right of the group's."""
        if not self.grants:
            return ["*"]
        return [pattern for pattern, rights in self.grants if not rights or codename in rights]


def scopes_of(users: Iterable[Any], rights: Sequence[str]) -> dict[int, dict[str, Scope]]:
    """The same of many users for some rights of this app, by three queries; for sockets, which ask afresh."""
    people = {user.pk: user for user in users if user.is_active}
    codenames = [each.partition(".")[2] for each in rights]
    direct, groups = _direct(people, codenames), _memberships(people)
    holding = _holders({group.pk for each in groups.values() for group in each}, codenames)
    return {
        pk: {
            right: EVERYWHERE if user.is_superuser or (pk, code) in direct else _union(groups[pk], holding, code)
            for right, code in zip(rights, codenames, strict=True)
        }
        for pk, user in people.items()
    }


def those_with(users: Iterable[Any], permission: str, namespace: str) -> list[Any]:
    """Of many users those who are active and hold it there, in their order; three queries, however many they are."""
    people = list(users)
    scopes = scopes_of(people, [permission])
    return [user for user in people if user.pk in scopes and scopes[user.pk][permission].covers(namespace)]


def _direct(people: Collection[int], codenames: Sequence[str]) -> set[tuple[int, str]]:
    given = User.user_permissions.through.objects.filter(user_id__in=people, permission__codename__in=codenames)
    ours = given.filter(permission__content_type__app_label=APP)
    return set(ours.values_list("user_id", "permission__codename"))


def _memberships(people: Collection[int]) -> dict[int, tuple[_Group, ...]]:
    rows = User.groups.through.objects.filter(user_id__in=people).order_by("user_id", "group_id")
    names = ("user_id", "group_id", "group__name", "group__grants__pattern", "group__grants__rights")
    found: dict[int, list[Any]] = {pk: [] for pk in people}
    for pk, *row in rows.values_list(*names):
        found[pk].append(row)
    return {pk: _gathered(each) for pk, each in found.items()}


def _holders(groups: Collection[int], codenames: Sequence[str]) -> dict[str, set[int]]:
    rows = Group.permissions.through.objects.filter(group_id__in=groups, permission__codename__in=codenames)
    found: dict[str, set[int]] = {}
    for pk, codename in rows.filter(permission__content_type__app_label=APP).values_list(
        "group_id", "permission__codename"
    ):
        found.setdefault(codename, set()).add(pk)
    return found


def _gathered(rows: Iterable[Any]) -> tuple[_Group, ...]:
    """Groups of rows that tell of a group and one of its grants, or of none, each."""
    found: dict[int, tuple[str, list[tuple[str, tuple[str, ...]]]]] = {}
    for pk, name, pattern, rights in rows:
        of_group = found.setdefault(pk, (name, []))[1]
        of_group += [(pattern, tuple(rights or ()))] if pattern is not None else []
    return tuple(_Group(pk, name, tuple(listed)) for pk, (name, listed) in found.items())


def _union(groups: Iterable[_Group], holding: dict[str, set[int]], codename: str) -> Scope:
    holders = holding.get(codename, set())
    found = {each for group in groups if group.pk in holders for each in group.patterns(codename)}
    return EVERYWHERE if "*" in found else Scope(tuple(sorted(found)))


def _groups(user: Any) -> tuple[_Group, ...]:
    """The user's groups, read once per user object (that is: once per request)."""
    cached: tuple[_Group, ...] | None = getattr(user, "_wippy_groups", None)
    if cached is None:
        rows = user.groups.order_by("pk").values_list("pk", "name", "grants__pattern", "grants__rights")
        cached = _gathered(rows)
        user._wippy_groups = cached
    return cached


def _holding(user: Any) -> dict[str, set[int]]:
    """Which of the user's groups hold each right of this app, by codename."""
    cached: dict[str, set[int]] | None = getattr(user, "_wippy_holding", None)
    if cached is None:
        ours = user.groups.filter(permissions__content_type__app_label=APP).order_by()
        cached = {}
        for pk, codename in ours.values_list("pk", "permissions__codename"):
            cached.setdefault(codename, set()).add(pk)
        user._wippy_holding = cached
    return cached


def allows(user: Any, permission: str, namespace: str | None = None) -> bool:
    """Whether `user` is signed in, active and holds `permission` (superusers hold all): there, None for anywhere."""
    found = scope(user, permission)
    return not found.nowhere if namespace is None else found.covers(namespace)


def require(user: Any, permission: str, namespace: str | None = None) -> None:
    """Raise PermissionDenied, in words a person understands, unless `user` holds `permission` (there)."""
    if allows(user, permission, namespace):
        return
    where = "" if namespace is None or not allows(user, permission) else f" {_place(namespace)}"
    raise PermissionDenied(f"You may not {words(permission)}{where}.")


def _place(namespace: str) -> str:
    return f"in {namespace}" if namespace else "outside of your namespaces"


def in_role(user: Any, role: str) -> bool:
    """Whether `user` is in the Django group `role`; "" stands for everybody, superusers are in every group."""
    if not role:
        return True
    if not isinstance(user, PermissionsMixin) or not getattr(user, "is_active", False):
        return False
    return user.is_superuser or role in role_names(user)


def role_names(user: Any) -> frozenset[str]:
    """The names of the user's groups, read once per user object (that is: once per request)."""
    return frozenset(group.name for group in _groups(user)) if isinstance(user, PermissionsMixin) else frozenset()


def install_groups(group_model: Any, permission_model: Any) -> None:
    """Make the groups and add the permissions that exist by now; never takes one away.

    Takes model classes because a migration passes historical ones. A later migration that brings a new
    permission calls this again.
    """
    ours = permission_model.objects.filter(content_type__app_label=APP)
    everything = permission_model.objects.filter(content_type__app_label__in=[APP, "auth"])
    for name, codenames in GROUPS.items():
        group, _ = group_model.objects.get_or_create(name=name)
        group.permissions.add(*(everything if codenames is None else ours.filter(codename__in=codenames)))


def make_groups(apps: Any, schema_editor: Any) -> None:
    """A migration's function: the permissions, which Django makes only after all migrations, and then the groups."""
    alias = schema_editor.connection.alias
    for label in ("auth", APP):
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, verbosity=0, using=alias, apps=apps)
        config.models_module = None
    install_groups(apps.get_model("auth", "Group"), apps.get_model("auth", "Permission"))
