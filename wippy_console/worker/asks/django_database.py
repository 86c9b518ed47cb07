"""Where `db.django` entries keep their data: beside the console's own, which they can't reach.

On SQLite a file of their own. On PostgreSQL a schema of the console's database, and a role that may use that schema
only: no statement gets out of a role that logged in, while a `SET ROLE` could be set back by the next one.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.utils import ProgrammingError
from django.utils.crypto import salted_hmac
from psycopg import sql

from engine.asks.sql.settings import FILE_BYTES, Postgres, Sqlite
from engine.entry import Entry
from engine.errors import INVALID, UNAVAILABLE, Failure, UnitFailed
from wippy_console.database.threads import in_thread

_LOCK = 7_146_002
_NO_ROLE = (
    "db.django needs a role of its own on PostgreSQL, which the console's role may not make: give that CREATEROLE, and "
    "CREATE on its database, or use db.sql.postgres"
)
_OPTIONS = ("sslmode", "sslrootcert", "sslcert", "sslkey")


class DjangoDatabases:
    """Makes the room of each entry once, and tells where it is (`engine.asks.sql.databases.Own`)."""

    def __init__(self) -> None:
        self._ready: set[str] = set()

    async def __call__(self, entry: Entry) -> Sqlite | Postgres:
        """UnitFailed (Invalid, Unavailable) when there is no room."""
        name = room_of(entry)
        if connection.vendor == "sqlite":
            path = settings.WIPPY_DATA / "databases.django" / f"{name}.sqlite3"
            return Sqlite(path, int(entry.data.get("max_bytes") or FILE_BYTES))
        if name not in self._ready:
            await self._made(name)
        return _target(name)

    async def _made(self, name: str) -> None:
        try:
            await in_thread(lambda: _make(name, password_of(name)))
        except ProgrammingError:
            raise UnitFailed(Failure(INVALID, _NO_ROLE, retryable=False)) from None
        except (DatabaseError, InterfaceError):
            text = "the console's database does not answer"
            raise UnitFailed(Failure(UNAVAILABLE, text, retryable=True)) from None
        self._ready.add(name)


def room_of(entry: Entry) -> str:
    """The name of its schema and role, or of its file; no other entry has it, also where signs are left out."""
    plain = re.sub(r"[^a-z0-9]+", "_", f"{entry.namespace}_{entry.name}".lower())
    return f"wippy_{plain[:40]}_{hashlib.sha256(entry.id.encode()).hexdigest()[:8]}"


def password_of(name: str) -> str:
    """The same on every node, and known to none but who knows the console's key."""
    return salted_hmac("wippy.db.django", name, algorithm="sha256").hexdigest()


def _make(name: str, password: str) -> None:
    """The role and its schema, as they should be; the password goes there as a verifier, so that no log has it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        role, raw = sql.Identifier(name), _raw(cursor)
        verifier = raw.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
        known = cursor.fetchone()
        verb = "ALTER" if known else "CREATE"
        rights = "LOGIN NOINHERIT CONNECTION LIMIT 100" if known else (
            "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT 100"
        )  # fmt: skip
        _run(cursor, sql.SQL(f"{verb} ROLE {{}} {rights} PASSWORD {{}}").format(role, sql.Literal(verifier)))
        _run(cursor, sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(role))
        _run(cursor, sql.SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}").format(role, role))


def _run(cursor: Any, statement: sql.Composed) -> None:
    cursor.execute(statement.as_string(_raw(cursor)))


def _raw(cursor: Any) -> Any:
    """The connection of psycopg below Django's."""
    return cursor.connection


def _target(name: str) -> Postgres:
    """The console's own server and database, as that role."""
    at = connection.settings_dict
    options: dict[str, Any] = at.get("OPTIONS") or {}
    return Postgres(
        str(at.get("HOST") or options.get("host") or "/var/run/postgresql"),
        int(at.get("PORT") or 5432),
        str(at["NAME"]),
        name,
        password_of(name),
        tuple((key, str(options[key])) for key in _OPTIONS if key in options),
        schema=name,
    )
