"""Search of the admin's lists: ids and names by their beginning, each where its index is; words in the newest rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Field, Model, Q, QuerySet

from wippy_console.database.prefixes import begins

MOST = 200
"""Rows of another table (people, runs, questions) whose own rows are looked for."""

NEWEST = 10_000
"""Rows whose words are looked through: no index has these."""


FOUND = 1000
"""Rows that a search shows by each field, the newest."""


def found(rows: QuerySet[Any], names: Iterable[str], words: Iterable[str], text: str) -> QuerySet[Any]:
    """Rows by fields of their own or of rows that they point to ("run__workflow_id"), and by words of new ones.

    Each field is looked for apart: a condition over several would be tried on each row of the table.
    """
    order = _newest(rows)
    parts = [rows.filter(_one(rows.model, name, text)) for name in names]
    if words := [*words]:
        newest = Q(pk__in=rows.model._default_manager.order_by(*order).values("pk")[:NEWEST])
        parts.append(rows.filter(newest & _any(words, text)))
    keys = {key for part in parts for key in part.order_by(*order).values_list("pk", flat=True)[:FOUND]}
    return rows.filter(pk__in=keys)


def _any(words: Iterable[str], text: str) -> Q:
    holds = Q(pk__in=[])
    for word in words:
        holds |= Q(**{f"{word}__icontains": text})
    return holds


def _newest(rows: QuerySet[Any]) -> list[str]:
    names = {field.name for field in rows.model._meta.concrete_fields}
    return ["-created_at"] if "created_at" in names else ["-pk"]


def _one(model: type[Model], path: str, text: str) -> Q:
    head, _, rest = path.partition("__")
    field = model._meta.get_field(head)
    if rest and isinstance(field.related_model, type):
        known = field.related_model._default_manager.filter(_one(field.related_model, rest, text)).order_by()
        return Q(**{f"{head}__in": [*known.values_list("pk", flat=True)[:MOST]]})
    if model is User:
        return Q(**{f"{head}__icontains": text})
    return begins(head, text) if _is_text(field) else number(head, text)


def _is_text(field: object) -> bool:
    return isinstance(field, Field) and field.get_internal_type() in ("CharField", "TextField")


def number(name: str, text: str) -> Q:
    """Rows with that number, if the text is one."""
    return Q(**{name: int(text)}) if text.isascii() and text.isdigit() and len(text) < 19 else Q(pk__in=[])
