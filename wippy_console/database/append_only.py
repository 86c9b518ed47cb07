"""Tables that the database itself lets only grow: no row is changed or deleted, whoever tries."""

from __future__ import annotations

from typing import Any

_SQLITE = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""
_FUNCTION = """
CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$
"""
_POSTGRESQL = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} FOR EACH {each} EXECUTE FUNCTION {table}_append_only()
"""
VERBS = ("update", "delete")


def install(connection: Any, table: str) -> None:
    """Let the table only grow from now on."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_FUNCTION.format(table=table))
            for verb, each in (*((verb, "ROW") for verb in VERBS), ("truncate", "STATEMENT")):
                cursor.execute(_POSTGRESQL.format(table=table, verb=verb, each=each))
        else:
            for verb in VERBS:
                cursor.execute(_SQLITE.format(table=table, verb=verb))


def remove(connection: Any, table: str) -> None:
    """Take it back: for migrations that must change rows, and for tests, which begin with empty tables."""
    on = f" ON {table}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for verb in (*VERBS, "truncate"):
            cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}{on}")
