"""Tell a database that does not answer from a statement that it refuses, and from tables that nobody made."""

from __future__ import annotations

import re
import sqlite3

from django.db import DatabaseError, InterfaceError, OperationalError

_LACKED_BY_SQLITE = re.compile(r"no such (table|column):|has no column named ")
_LACKED_BY_POSTGRES = ("42P01", "42703")
"""What PostgreSQL calls a table, and a column, that is not there."""


def is_away(error: BaseException | None) -> bool:
    """Whether the database could not be reached, or could not be had in time."""
    return isinstance(error, (OperationalError, InterfaceError)) and not _is_mistaken(error)


def lacks_migration(error: BaseException | None) -> bool:
    """Whether a table or column is missing, as when a migration did not run."""
    if not isinstance(error, DatabaseError):
        return False
    return getattr(error.__cause__, "sqlstate", "") in _LACKED_BY_POSTGRES or (
        _is_mistaken(error) and _LACKED_BY_SQLITE.search(str(error)) is not None
    )


def _is_mistaken(error: BaseException) -> bool:
    """SQLite says of a wrong statement what others say of a server that is down."""
    cause = error.__cause__
    return isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) == sqlite3.SQLITE_ERROR
