"""Finds rows by parts of a text, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model, Q, QuerySet, TextField, Value
from django.db.models.functions import Concat

from wippy_console.database.texts import PER_MILLISECOND, Texts, has_index

M = TypeVar("M", bound=Model)

GRAM = 3
"""The fewest characters that an index of trigrams finds."""

FEW = 1000
"""So many rows are cheaper looked at one by one than searched."""


def containing(rows: QuerySet[M], texts: Texts, words: Sequence[str]) -> QuerySet[M]:
    """Those whose text contains every word."""
    for word in words:
        rows = rows.filter(**{f"{texts.text}__contains": word})
    return rows


def newest_first(
    rows: QuerySet[M], texts: Texts, words: Sequence[str], *, after: tuple[datetime, str] | None = None
) -> QuerySet[M]:
    """The same of very many rows, in order, and only those that come after the row of that time and key."""
    if connection.vendor == "sqlite":
        return _walked(rows, texts, words, after)
    return _planned(behind(rows, texts, after).order_by(f"-{texts.at}", f"-{texts.key}"), texts, words)


def behind(rows: QuerySet[M], texts: Texts, after: tuple[datetime, str] | None) -> QuerySet[M]:
    """Those that come after the row of that time and key, newest first."""
    if after is None:
        return rows
    at, key = after
    same = Q(**{texts.at: at, f"{texts.key}__lt": key})
    return rows.filter(**{f"{texts.at}__lte": at}).filter(Q(**{f"{texts.at}__lt": at}) | same)


def _walked(rows: QuerySet[M], texts: Texts, words: Sequence[str], after: tuple[datetime, str] | None) -> QuerySet[M]:
    """By places, from the last one: it ends when enough rows are found, however many there are."""
    beside, grams = texts.beside, texts.grams
    indexed = [word for word in words if len(word) >= GRAM] if has_index(connection, texts) else []
    place = f"{grams}.rowid" if indexed else f"{beside}.place"
    where: list[tuple[str, list[Any]]] = [(f"{beside}.key = {texts.table}.{texts.key}", [])]
    if indexed:  # the plus keeps SQLite from asking the index once for each row of the other table
        where += [
            (f"{grams} MATCH %s", [" AND ".join(map(_quoted, indexed))]),
            (f"{beside}.place = +{grams}.rowid", []),
        ]
    where += [(f"instr({beside}.text, %s) > 0", [word]) for word in words if word not in indexed]
    if after is not None:
        where.append((f"{place} < %s", [_place_of(texts, *after)]))
    return rows.order_by().extra(  # noqa: S610 # of constants, with the values apart
        tables=[grams, beside] if indexed else [beside],
        where=[condition for condition, _ in where],
        params=[value for _, values in where for value in values],
        order_by=[f"-{place}"],
    )


def _planned(rows: QuerySet[M], texts: Texts, words: Sequence[str]) -> QuerySet[M]:
    """Few matches are found by the index and then sorted; of very many, the newest by walking through time.

    The database can't know which it will be: sorting 100,000 matches takes a hundred times as long.
    """
    matches = containing(rows.order_by(), texts, words).values_list("pk", flat=True)
    some = list(matches[: FEW + 1])
    if len(some) <= FEW:
        return rows.filter(pk__in=some)
    unindexed = f"unindexed_{texts.text}"
    rows = rows.alias(**{unindexed: Concat(texts.text, Value(""), output_field=TextField())})
    for word in words:
        rows = rows.filter(**{f"{unindexed}__contains": word})
    return rows


def _place_of(texts: Texts, at: datetime, key: str) -> int:
    """Where the row stands; of one that is gone, where its millisecond begins."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT place FROM {texts.beside} WHERE key = %s", [key])  # noqa: S608 # constants
        found = cursor.fetchone()
    return int(found[0]) if found else int(at.timestamp() * 1000) * PER_MILLISECOND


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'
