"""Who may do what: permission names, the four groups, and the one check that services call."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import PermissionsMixin
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
LIFT_QUARANTINE = f"{APP}.lift_quarantine"
PUBLISH_VERSION = f"{APP}.publish_version"
PUBLISH_CLIENT = f"{APP}.publish_client"

PRIVILEGED = (SIGNAL_RUN, START_RUN, CANCEL_RUN, RAW_SIGNAL_RUN, TERMINATE_RUN, LIFT_QUARANTINE, PUBLISH_VERSION)
"""Who holds one of these changes something for others: the audit tells when they log in."""

VIEWER = "viewer"
OPERATOR = "operator"
AUTHOR = "author"
ADMINISTRATOR = "administrator"

MODELS = (
    "auditrow", "claim", "comment", "decision", "draft", "feedevent", "grant", "guestlink", "historyarchive", "node",
    "notification", "notificationpreference", "process", "program", "quarantine", "question", "questionrole",
    "revision", "run", "service", "token", "version", "vote",
)  # fmt: skip
"""Every model of the console, as content types spell it."""

PERSONAL = ("draft", "grant", "guestlink", "notification", "notificationpreference")
"""What belongs to one person, or says who may what; only administrators see that it is there."""

_VIEW = tuple(f"view_{model}" for model in MODELS if model not in PERSONAL)
_OPERATE = ("start_run", "signal_run", "cancel_run", "lift_quarantine")
_WRITE = ("raw_signal_run", "terminate_run", "publish_version")

GROUPS: dict[str, tuple[str, ...] | None] = {
    VIEWER: _VIEW,
    OPERATOR: _VIEW + _OPERATE,
    AUTHOR: _VIEW + _OPERATE + _WRITE,
    ADMINISTRATOR: None,
}
"""Codenames of this app that each group holds; None stands for everything, users and groups included."""

_WORDS = {
    START_RUN: "start runs, processes and services",
    SIGNAL_RUN: "answer runs or send processes messages",
    CANCEL_RUN: "cancel runs and processes or stop services",
    RAW_SIGNAL_RUN: "send runs any signal",
    TERMINATE_RUN: "terminate runs and processes",
    LIFT_QUARANTINE: "let quarantined programs run again",
    PUBLISH_VERSION: "publish registry versions",
    PUBLISH_CLIENT: "publish temporal.client and env.storage entries that reach files and variables of this machine",
    VIEW_RUN: "see runs",
}


def allows(user: Any, permission: str) -> bool:
    """Whether `user` is signed in, active and holds `permission` (superusers hold all)."""
    return bool(isinstance(user, PermissionsMixin) and user.has_perm(permission))


def require(user: Any, permission: str) -> None:
    """Raise PermissionDenied, in words a person understands, unless `user` holds `permission`."""
    if not allows(user, permission):
        raise PermissionDenied(f"You may not {_WORDS.get(permission, permission)}.")


def in_role(user: Any, role: str) -> bool:
    """Whether `user` is in the Django group `role`; "" stands for everybody, superusers are in every group."""
    if not role:
        return True
    if not isinstance(user, PermissionsMixin) or not getattr(user, "is_active", False):
        return False
    return user.is_superuser or role in role_names(user)


def role_names(user: Any) -> frozenset[str]:
    """The names of the user's groups, read once per user object (that is: once per request)."""
    cached: frozenset[str] | None = getattr(user, "_wippy_roles", None)
    if cached is None:
        names = user.groups.values_list("name", flat=True) if isinstance(user, PermissionsMixin) else ()
        cached = frozenset(names)
        user._wippy_roles = cached
    return cached


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
