"""A person's rights by namespace, with where each comes from; and the grants of groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from wippy_console import permissions
from wippy_console.models import Grant
from wippy_console.permissions import Scope
from wippy_console.services import audit
from wippy_console.services.errors import NotFoundError, Refused

VIEW_GRANT = f"{permissions.APP}.view_grant"
CHANGE_GRANT = f"{permissions.APP}.change_grant"


@dataclass(frozen=True, slots=True)
class Right:
    """One right of a person: where it counts in all, and what of that comes from where."""

    words: str
    codename: str
    scope: Scope
    sources: list[tuple[str, tuple[str, ...]]]


def explained(user: Any) -> list[Right]:
    """The rights that count by namespace, also those that the user does not have."""
    return [
        Right(
            permissions.words(each),
            each.partition(".")[2],
            permissions.scope(user, each),
            permissions.sources(user, each),
        )
        for each in permissions.RIGHTS
    ]


def groups_of(user: User) -> list[Group]:
    """The user's groups, with their grants at hand."""
    return list(user.groups.order_by("name").prefetch_related("grants"))


def person(asker: Any, user_id: int) -> User:
    """The user whose rights are asked for: oneself, or anybody for whoever sees grants; NotFoundError."""
    found = User.objects.filter(pk=user_id).first()
    if found is None or (found != asker and not asker.has_perm(VIEW_GRANT)):
        raise NotFoundError("There is no such person.")
    return found


def replace(by: Any, group: Group, wanted: Mapping[str, Sequence[str]]) -> None:
    """Make these the grants of the group: rights by pattern; none at all mean everywhere. For administrators.

    Refused for what is no pattern, and for rights that the group does not hold.
    """
    if not by.has_perm(CHANGE_GRANT):
        raise PermissionDenied("You may not change rights.")
    made = [Grant(group=group, pattern=pattern, rights=list(rights)) for pattern, rights in wanted.items()]
    for each in made:
        checked(each)
    with transaction.atomic():
        group.grants.all().delete()
        Grant.objects.bulk_create(made)
        note(by, group)


def checked(grant: Grant) -> None:
    """Refuse it in words unless it makes sense."""
    try:
        grant.clean()
    except ValidationError as error:
        raise Refused(" ".join(error.messages), error.message_dict) from None


def note(by: Any, group: Group) -> None:
    """Tell the audit what the grants of a group are from now on, in the transaction that changed them."""
    left = dict(group.grants.values_list("pattern", "rights"))
    audit.append(audit.GRANT, by, label=group.name, outcome="done", data={"grants": left})
