"""Errors of SQLite as failures."""

from __future__ import annotations

import sqlite3

from engine.asks.sql.failures import Kind, failed
from engine.errors import (
    ALREADY_EXISTS,
    INVALID,
    LIMIT_EXCEEDED,
    PERMISSION_DENIED,
    TIMEOUT,
    UNAVAILABLE,
    UnitFailed,
)

_UNIQUE = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID)
_KINDS: dict[int, Kind] = {
    sqlite3.SQLITE_BUSY: (UNAVAILABLE, True),
    sqlite3.SQLITE_LOCKED: (UNAVAILABLE, True),
    sqlite3.SQLITE_FULL: (LIMIT_EXCEEDED, False),
    sqlite3.SQLITE_TOOBIG: (LIMIT_EXCEEDED, False),
    sqlite3.SQLITE_NOMEM: (LIMIT_EXCEEDED, False),
    sqlite3.SQLITE_READONLY: (PERMISSION_DENIED, False),
    sqlite3.SQLITE_AUTH: (PERMISSION_DENIED, False),
    sqlite3.SQLITE_INTERRUPT: (TIMEOUT, False),
    sqlite3.SQLITE_IOERR: (UNAVAILABLE, True),
    sqlite3.SQLITE_CANTOPEN: (UNAVAILABLE, True),
    sqlite3.SQLITE_CORRUPT: (UNAVAILABLE, False),
    sqlite3.SQLITE_NOTADB: (UNAVAILABLE, False),
    sqlite3.SQLITE_PROTOCOL: (UNAVAILABLE, True),
}


def translated(error: Exception, why: str) -> UnitFailed:
    """The failure of an error; `why` is what the connection itself refused, if it did."""
    if why:
        return refused(why)
    if isinstance(error, MemoryError):
        return failed((LIMIT_EXCEEDED, False), "the value or statement is too large for SQLite")
    if isinstance(error, OSError):
        return failed((UNAVAILABLE, True), "the file of the database can't be used")
    code = getattr(error, "sqlite_errorcode", None)
    if code in _UNIQUE:
        return failed((ALREADY_EXISTS, False), str(error))
    kind = _KINDS.get(code & 0xFF, (INVALID, False)) if code is not None else (INVALID, False)
    return failed(kind, str(error), code=getattr(error, "sqlite_errorname", ""))


def refused(why: str) -> UnitFailed:
    """What the rights of a connection don't allow."""
    return failed((PERMISSION_DENIED, False), why)


def threads_full(limit: int) -> UnitFailed:
    """More connections than this node has threads for."""
    return failed((LIMIT_EXCEEDED, True), f"{limit} connections to SQLite are open on this node, which is the most")
