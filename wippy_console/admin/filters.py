"""Filters of lists that read a few rows of an index instead of every row of a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import CharField, Model, QuerySet

MOST = 25
"""Values that a filter offers."""


class Stepped(admin.SimpleListFilter):
    """The values of a field, each found by one step in its index from the one before; see `by`."""

    field: str

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        """The first of them among the rows that the user may see, and the one that is asked for."""
        found = dict.fromkeys(_steps(model_admin.get_queryset(request), self.field))
        asked = request.GET.get(self.parameter_name)
        return [(each, each) for each in dict.fromkeys([*found, *([asked] if asked else [])])]

    def queryset(self, request: Any, queryset: Any) -> Any:
        """The rows of the choice."""
        return queryset.filter(**{self.field: self.value()}) if self.value() else queryset


def _steps(rows: QuerySet[Any], field: str) -> Iterator[str]:
    last = ""
    for _ in range(MOST):
        following = rows.filter(**{f"{field}__gt": last}).order_by(field)
        last = following.values_list(field, flat=True).first() or ""
        if not last:
            return
        yield str(last)


def by(field: str, title: str = "") -> type[Stepped]:
    """A filter by the values of a field of text, which begins an index, or is of a small table."""
    return type("By", (Stepped,), {"field": field, "parameter_name": field, "title": title or field.replace("_", " ")})


def one_of(field: str, *values: str, title: str = "") -> type[Stepped]:
    """A filter by values that are known beforehand."""
    fixed = [(each, each.replace("_", " ")) for each in values]
    filter_ = by(field, title)
    return type("OneOf", (filter_,), {"lookups": lambda *_: fixed})


class RoleFilter(admin.SimpleListFilter):
    """Groups that are asked."""

    title = "role"
    parameter_name = "role"
    path = "role"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        """All groups that there are; a role is the name of one."""
        return [(name, name) for name in Group.objects.order_by("name").values_list("name", flat=True)[:MOST]]

    def queryset(self, request: Any, queryset: Any) -> Any:
        """The rows of the choice."""
        return queryset.filter(**{self.path: self.value()}) if self.value() else queryset


def of(model: type[Model], given: Any) -> Any:
    """The filter of a list: ours for a text without choices, else the given one."""
    if not isinstance(given, str):
        return given
    field = model._meta.get_field(given)
    is_open_text = isinstance(field, CharField) and not field.choices
    return by(given) if is_open_text else given
