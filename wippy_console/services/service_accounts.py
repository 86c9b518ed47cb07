"""Accounts of other systems: they have groups as people have, no password, and act by access tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet

from wippy_console.services import accounts, audit
from wippy_console.services.errors import NotFoundError, Refused

ADD = "auth.add_user"
CHANGE = "auth.change_user"


def giveable(by: Any) -> list[str]:
    """The groups that somebody may give: whoever may change users all of them, as in the admin; others their own."""
    rows = Group.objects.order_by("name")
    return list((rows if by.has_perm(CHANGE) else rows.filter(user=by)).values_list("name", flat=True))


def may_hand_out(by: Any, account: User) -> bool:
    """Whether all that the account may is what somebody may give."""
    if by.has_perm(CHANGE):
        return True
    given = {group.name for group in account.groups.all()}
    return not account.is_superuser and not account.user_permissions.exists() and given <= set(giveable(by))


def active() -> QuerySet[User]:
    """Those that count, by name, with their groups at hand."""
    return _all().filter(is_active=True)


def listed(by: Any) -> list[User]:
    """All of them, for whoever may make or change them."""
    if not (by.has_perm(ADD) or by.has_perm(CHANGE)):
        raise PermissionDenied("You may not see service accounts.")
    return list(_all())


def get(by: Any, account_id: int) -> User:
    """One of them; NotFoundError."""
    found = next((each for each in listed(by) if each.pk == account_id), None)
    if found is None:
        raise NotFoundError("There is no such service account.")
    return found


def make(by: Any, name: str, groups: Sequence[str]) -> User:
    """Make one; Refused (fields `name`, `groups`), PermissionDenied."""
    _refuse_without(by, ADD, "You may not make service accounts.")
    chosen = _chosen(by, groups)
    with transaction.atomic():
        account = accounts.service(name)
        account.groups.set(chosen)
        _note(by, account)
    return account


def change(by: Any, account_id: int, groups: Sequence[str], *, is_active: bool) -> User:
    """Give it these groups and no other, and let its tokens count or not, from now on. As `make`."""
    _refuse_without(by, CHANGE, "You may not change service accounts.")
    chosen = _chosen(by, groups)
    with transaction.atomic():
        account = get(by, account_id)
        account.groups.set(chosen)
        account.is_active = is_active
        account.save(update_fields=["is_active"])
        _note(by, account)
    return account


def _all() -> QuerySet[User]:
    rows = User.objects.filter(username__startswith=accounts.SERVICE)
    return rows.order_by("username").prefetch_related("groups")


def _refuse_without(by: Any, permission: str, words: str) -> None:
    """Nor may a token: it would widen itself."""
    if not by.has_perm(permission) or accounts.token_of(by):
        raise PermissionDenied(words)


def _chosen(by: Any, groups: Sequence[str]) -> list[Group]:
    known = set(giveable(by))
    if strange := [each for each in groups if each not in known]:
        text = f"There is no group {strange[0]} that you may give."
        raise Refused(text, {"groups": [text]})
    return list(Group.objects.filter(name__in=groups))


def _note(by: Any, account: User) -> None:
    groups = sorted(account.groups.values_list("name", flat=True))
    told = {"groups": groups, "active": account.is_active}
    audit.append(audit.GRANT, by, label=account.get_username(), outcome="done", data=told)
