"""What an entry says of a database: where it is, and how many connections there may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.durations import option_duration
from engine.entry import Entry
from engine.errors import UnitFailed, invalid

SQLITE_KIND, POSTGRES_KIND, DJANGO_KIND = "db.sql.sqlite", "db.sql.postgres", "db.django"
KINDS = frozenset({SQLITE_KIND, POSTGRES_KIND, DJANGO_KIND})
MEMORY = ":memory:"
MOST_OPEN = 100
MEMORY_BYTES, FILE_BYTES = 64 << 20, 1 << 30
OPTIONS = (
    "sslmode sslrootcert sslcert sslkey connect_timeout application_name target_session_attrs channel_binding "
    "keepalives keepalives_idle keepalives_interval keepalives_count"
)
"""Options of PostgreSQL that an entry may set: none of them leads elsewhere."""


@dataclass(frozen=True, slots=True)
class PoolSize:
    """How many connections there may be, and how long one lives (seconds)."""

    most_open: int = 10
    most_idle: int = 2
    lifetime: float = 3600.0


@dataclass(frozen=True, slots=True)
class Sqlite:
    """A file, or None for a database in the node's memory, of so many bytes at most."""

    path: Path | None
    most_bytes: int = FILE_BYTES
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server's database. `schema`, where one is given, is the only one on the search path."""

    host: str
    port: int
    database: str
    username: str
    password: str = field(repr=False)
    options: tuple[tuple[str, str], ...] = ()
    schema: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """A database as its entry has it."""

    entry_id: str
    target: Sqlite | Postgres
    pool: PoolSize


def settings_of(entry: Entry, variables: Mapping[str, str], folder: Path) -> Settings:
    """The settings of a `db.sql.*` entry whose placeholders are filled in; UnitFailed (Invalid) for wrong ones.

    `folder` is where files of SQLite live.
    """
    data = {**entry.data, **_named(entry, variables)}
    target: Sqlite | Postgres = _sqlite(entry, data, folder) if entry.kind == SQLITE_KIND else _postgres(entry, data)
    return Settings(entry.id, target, pool_of(entry, target))


def pool_of(entry: Entry, target: Sqlite | Postgres) -> PoolSize:
    """The size of the pool; a database in memory is one connection."""
    if isinstance(target, Sqlite) and target.path is None:
        return PoolSize(1, 1, float("inf"))
    given: Mapping[str, Any] = entry.data.get("pool") or {}
    usual = 4 if isinstance(target, Sqlite) else PoolSize().most_open
    most = min(int(given.get("max_open") or usual), MOST_OPEN)
    lifetime = option_duration(given.get("max_lifetime"))
    seconds = lifetime / 1e9 if lifetime else PoolSize().lifetime
    return PoolSize(most, min(int(given.get("max_idle") or PoolSize().most_idle), most), seconds)


def file_path(entry_id: str, given: str, folder: Path) -> Path:
    """The file of that relative path in the folder; Invalid when it leads out of it."""
    own = folder.resolve()
    path = (own / given).resolve()
    if "\0" in given or path == own or not path.is_relative_to(own):
        raise UnitFailed(invalid(f"database '{entry_id}': file: {given!r} leads out of the folder of databases"))
    return path


def _sqlite(entry: Entry, data: Mapping[str, Any], folder: Path) -> Sqlite:
    given, read_only = str(data.get("file") or ""), bool(data.get("read_only"))
    in_memory = given == MEMORY
    most = int(data.get("max_bytes") or (MEMORY_BYTES if in_memory else FILE_BYTES))
    return Sqlite(None if in_memory else file_path(entry.id, given, folder), most, read_only)


def _postgres(entry: Entry, data: Mapping[str, Any]) -> Postgres:
    missing = [name for name in ("host", "database", "username") if not data.get(name)]
    if missing:
        raise UnitFailed(invalid(f"database '{entry.id}': {missing[0]} is not set"))
    options = {name: str(value) for name, value in (data.get("options") or {}).items() if name in OPTIONS.split()}
    return Postgres(
        str(data["host"]),
        _port(entry, data.get("port") or 5432),
        str(data["database"]),
        str(data["username"]),
        str(data.get("password") or ""),
        tuple(sorted(options.items())),
    )


def _port(entry: Entry, given: Any) -> int:
    try:
        return int(given)
    except ValueError:
        raise UnitFailed(invalid(f"database '{entry.id}': port must be a number")) from None


def _named(entry: Entry, variables: Mapping[str, str]) -> dict[str, str]:
    """What fields `<name>_env` name; Invalid for a variable that is not set."""
    found: dict[str, str] = {}
    for name in ("host", "port", "database", "username", "password"):
        variable = entry.data.get(f"{name}_env")
        value = variables.get(str(variable)) if variable else None
        if variable and value is None:
            raise UnitFailed(invalid(f"database '{entry.id}': {name}_env: the variable {variable} is not set"))
        if value is not None:
            found[name] = value
    return found
