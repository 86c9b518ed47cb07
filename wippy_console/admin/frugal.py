"""Lists of the admin that a table of millions of rows can't slow down: bounded counts, orders that an index has."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.core.paginator import Paginator
from django.db.models import Field, Model, QuerySet
from django.utils.safestring import SafeString

from wippy_console.database import estimates
from wippy_console.templatetags import columns

MOST = 10_000
"""Rows that are counted, and that pages lead to; what lies beyond is found by a search or a filter."""


class Pages(Paginator):  # type: ignore[type-arg] # not generic when it runs
    """Counts to `MOST` and says so."""

    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        """Rows that pages lead to."""
        return min(MOST, self._seen)

    @cached_property
    def _seen(self) -> int:
        return int(self.object_list.order_by().values("pk")[: MOST + 1].count())

    @property
    def told(self) -> str:
        """How many there are, in words."""
        options = self.object_list.model._meta
        if self._seen <= MOST:
            return f"{self._seen:,} {options.verbose_name if self._seen == 1 else options.verbose_name_plural}"
        narrowed = self.object_list.query.where
        about = 0 if narrowed else estimates.about(self.object_list.model)
        some = f", about {about:,} in all" if about > MOST else ""
        return f"More than {MOST:,} {options.verbose_name_plural}{some}. Search or filter to see older ones."


def drawn_columns(model: type[Model], names: Any) -> list[Any]:
    """The columns of a list, times and states among them drawn as everywhere in the console."""
    return [_column(model, each) if isinstance(each, str) and columns.is_drawn(model, each) else each for each in names]


def _column(model: type[Model], name: str) -> Callable[[Model], SafeString | str]:
    @admin.display(description=_words(model, name), ordering=name)
    def column(row: Model) -> SafeString | str:
        return columns.drawn(row, name)

    column.__name__ = name
    return column


def _words(model: type[Model], name: str) -> str:
    return str(getattr(model._meta.get_field(name), "verbose_name", name))


def sortable(model: type[Model], names: Any) -> list[Any]:
    """The columns by which a list may be put in order: numbers and times that an index begins with.

    Others would be sorted from the first row to the last for each page, or, where few values are many times there,
    within each of them.
    """
    leading = {index.fields[0].lstrip("-") for index in model._meta.indexes if index.fields and index.condition is None}
    return [each for each in names if _is_ordered(model, getattr(each, "__name__", each), leading)]


def _is_ordered(model: type[Model], name: str, leading: set[str]) -> bool:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    if not isinstance(field, Field):
        return False
    return field.primary_key or (
        field.get_internal_type() == "DateTimeField" and (getattr(field, "db_index", False) or name in leading)
    )


class Rows(ChangeList):
    """Put in order by what may be asked for alone, also by whoever writes the address."""

    def get_ordering_field(self, field_name: Any) -> Any:
        """None for a column that has no order."""
        return super().get_ordering_field(field_name) if field_name in (self.sortable_by or ()) else None
