"""The index by which rows are found by any part of a text: FTS5's trigrams on SQLite, pg_trgm on PostgreSQL.

On SQLite the texts stand once more in a table beside, whose numbers (*places*) are in the order of time, so that it is
walked backwards, with the index or without. The database keeps it up by triggers, whoever writes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, transaction

PER_MILLISECOND = 2**20
"""Places; rows of one millisecond stand in the order in which they came."""

_PROBLEMS = {
    "sqlite": "This SQLite has no FTS5 with trigrams, which is part of 3.34 and later.",
    "postgresql": "The extension pg_trgm is missing: make it as a superuser (CREATE EXTENSION pg_trgm), then migrate.",
}
_known: set[str] = set()

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Texts:
    """A column of texts to search, with the key of its rows and when each began."""

    table: str
    key: str
    text: str
    at: str

    @property
    def beside(self) -> str:
        """The table of texts by place, on SQLite."""
        return f"{self.table}_text"

    @property
    def grams(self) -> str:
        """The index: an FTS5 table, or one of PostgreSQL's."""
        return f"{self.table}_grams"


def install(on: Any, texts: Texts) -> None:
    """Make whatever of it is missing. Where the database offers no index, searching works without, slowly."""
    _known.clear()
    if not _has_column(on, texts):
        return
    if on.vendor == "sqlite":
        _install_on_sqlite(on, texts)
    elif on.vendor == "postgresql" and not has_index(on, texts):
        _install_on_postgresql(on, texts)


def remove(on: Any, texts: Texts) -> None:
    """Take it away, for migrations that take the column away."""
    _known.clear()
    with on.cursor() as cursor:
        if on.vendor == "postgresql":
            cursor.execute(f"DROP INDEX IF EXISTS {texts.grams}")
            return
        for name, _ in _triggers(texts):
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        cursor.execute(f"DROP TABLE IF EXISTS {texts.grams}")
        cursor.execute(f"DROP TABLE IF EXISTS {texts.beside}")


def problem(on: Any, texts: Texts) -> str:
    """Why every search reads every row, and what to do about it; "" when none does."""
    return "" if has_index(on, texts) else _PROBLEMS.get(on.vendor, f"There is no such index on {on.vendor}.")


def has_index(on: Any, texts: Texts) -> bool:
    """Whether there is one; once found it is not asked for again."""
    name = f"{on.settings_dict['NAME']} {texts.grams}"
    if name not in _known and _is_there(on, texts.grams):
        _known.add(name)
    return name in _known


def _is_there(on: Any, name: str) -> bool:
    where = "sqlite_master WHERE name" if on.vendor == "sqlite" else "pg_indexes WHERE indexname"
    with on.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {where} = %s", [name])  # noqa: S608 # constants
        return cursor.fetchone() is not None


def _has_column(on: Any, texts: Texts) -> bool:
    """Not while migrations are on their way there, or back."""
    with on.cursor() as cursor:
        if texts.table not in on.introspection.table_names(cursor):
            return False
        return any(each.name == texts.text for each in on.introspection.get_table_description(cursor, texts.table))


def _install_on_postgresql(on: Any, texts: Texts) -> None:
    try:
        with transaction.atomic(using=on.alias), on.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            cursor.execute(f"CREATE INDEX {texts.grams} ON {texts.table} USING gin ({texts.text} gin_trgm_ops)")
    except DatabaseError as error:  # `problem` says so on pages
        logger.warning("%s can be searched without an index only: %s", texts.table, error)


def _install_on_sqlite(on: Any, texts: Texts) -> None:
    """A table that Django made anew has lost its triggers, and nobody knows what happened since: all is made anew."""
    if all(_is_there(on, name) for name, of_index in _triggers(texts) if not of_index):
        return
    remove(on, texts)
    with on.cursor() as cursor:
        offers_index = _offers_index(cursor)
        for statement in _tables(texts, offers_index):
            cursor.execute(statement)
        for (_, of_index), statement in _triggers(texts).items():
            if offers_index or not of_index:
                cursor.execute(statement)


def _offers_index(cursor: Any) -> bool:
    """An attempt to make such a table, for lack of a question."""
    try:
        cursor.execute("CREATE VIRTUAL TABLE temp.an_attempt USING fts5(text, tokenize='trigram case_sensitive 1')")
        cursor.execute("DROP TABLE temp.an_attempt")
    except DatabaseError:
        return False
    return True


def _tables(texts: Texts, with_index: bool) -> Iterator[str]:
    base = _base(texts.at)
    yield f"CREATE TABLE {texts.beside} (place INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, text TEXT NOT NULL)"
    yield f"""
        INSERT INTO {texts.beside} (place, key, text)
        SELECT {base} + ROW_NUMBER() OVER (PARTITION BY {base} ORDER BY {texts.key}) - 1, {texts.key}, {texts.text}
        FROM {texts.table}
    """  # noqa: S608 # constants
    if with_index:
        yield f"""
            CREATE VIRTUAL TABLE {texts.grams} USING fts5(
                text, content='{texts.beside}', content_rowid='place', tokenize='trigram case_sensitive 1'
            )
        """
        yield f"INSERT INTO {texts.grams} ({texts.grams}) VALUES ('rebuild')"  # noqa: S608 # constants


def _triggers(texts: Texts) -> dict[tuple[str, bool], str]:
    """By name, and whether it belongs to the index."""
    table, key, text, beside, grams = texts.table, texts.key, texts.text, texts.beside, texts.grams
    forget = f"INSERT INTO {grams} ({grams}, rowid, text) VALUES ('delete', OLD.place, OLD.text);"  # noqa: S608
    learn = f"INSERT INTO {grams} (rowid, text) VALUES (NEW.place, NEW.text);"  # noqa: S608
    change = f"UPDATE {beside} SET text = NEW.{text} WHERE key = NEW.{key};"  # noqa: S608
    bodies = {
        ("text_insert", False): f"AFTER INSERT ON {table} BEGIN {_added(texts)} END",
        (
            "text_update",
            False,
        ): f"AFTER UPDATE OF {text} ON {table} WHEN OLD.{text} IS NOT NEW.{text} BEGIN {change} END",
        ("text_delete", False): f"AFTER DELETE ON {table} BEGIN DELETE FROM {beside} WHERE key = OLD.{key}; END",  # noqa: S608
        ("grams_insert", True): f"AFTER INSERT ON {beside} BEGIN {learn} END",
        ("grams_update", True): f"AFTER UPDATE ON {beside} BEGIN {forget} {learn} END",
        ("grams_delete", True): f"AFTER DELETE ON {beside} BEGIN {forget} END",
    }
    named = {(f"{table}_{name}", of_index): body for (name, of_index), body in bodies.items()}
    return {key: f"CREATE TRIGGER {key[0]} {body}" for key, body in named.items()}


def _added(texts: Texts) -> str:
    """The statement that gives a new row the first free place of its millisecond."""
    base = _base(f"NEW.{texts.at}")
    taken = f"SELECT MAX(place) + 1 FROM {texts.beside} WHERE place BETWEEN {base} AND {base} + {PER_MILLISECOND - 1}"  # noqa: S608
    return (
        f"INSERT INTO {texts.beside} (place, key, text) "  # noqa: S608 # constants
        f"VALUES (COALESCE(({taken}), {base}), NEW.{texts.key}, NEW.{texts.text});"
    )


def _base(at: str) -> str:
    """The first place of the millisecond."""
    return f"(CAST(ROUND((julianday({at}) - 2440587.5) * 86400000.0) AS INTEGER) * {PER_MILLISECOND})"
