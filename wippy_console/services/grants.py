"""Rights by namespace: the one condition that narrows a query to what a user may see, by an index."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from wippy_console import permissions
from wippy_console.database.prefixes import begins
from wippy_console.permissions import Scope

M = TypeVar("M", bound=Model)
_BELOW = ".*"


def narrowed(
    rows: QuerySet[M], user: Any, permission: str, *, namespace: str = "namespace", entry: str = ""
) -> QuerySet[M]:
    """Of the rows those where the user holds the right: by the column of their namespace, or else of their entry."""
    scope = permissions.scope(user, permission)
    if scope.nowhere:
        return rows.none()
    return rows.filter(of_entries(scope, entry) if entry else condition(scope, namespace))


def condition(scope: Scope, field: str = "namespace") -> Q:
    """Rows of the scope's namespaces: equality or a range of the index each, nothing for everything."""
    if scope.everywhere:
        return Q()
    return reduce(or_, (_of(each, field) for each in scope.patterns), Q(pk__in=()))


def of_entries(scope: Scope, field: str = "entry_id") -> Q:
    """The same for rows that hold the id of an entry, and no namespace."""
    if scope.everywhere:
        return Q()
    return reduce(or_, (_of_entry(each, field) for each in scope.patterns), Q(pk__in=()))


def _of(pattern: str, field: str) -> Q:
    if not pattern.endswith(_BELOW):
        return Q(**{field: pattern})
    root = pattern.removesuffix(_BELOW)
    return Q(**{field: root}) | begins(field, f"{root}.")


def _of_entry(pattern: str, field: str) -> Q:
    root = pattern.removesuffix(_BELOW)
    own = begins(field, f"{root}:")
    return own if root == pattern else own | (begins(field, f"{root}.") & Q(**{f"{field}__contains": ":"}))
