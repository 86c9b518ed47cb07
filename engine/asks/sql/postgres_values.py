"""Values out of PostgreSQL: what Lua has no type for comes as the text that the server writes."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.adapt import Buffer, Loader
from psycopg.types.string import TextLoader

_RANGES = [f"{name}{kind}range" for name in ("int4", "int8", "num", "ts", "tstz", "date") for kind in ("", "multi")]
_AS_TEXT = [
    *("numeric", "date", "time", "timetz", "timestamp", "timestamptz", "interval"),
    *("uuid", "json", "jsonb", "inet", "cidr"),
    *_RANGES,
]


class _Bytes(Loader):
    """bytea in its text form."""

    def load(self, data: Buffer) -> bytes:
        """Bytes, and no view of them."""
        return bytes.fromhex(bytes(data[2:]).decode("ascii"))


def register(connection: psycopg.AsyncConnection[Any]) -> None:
    """Have values of this connection come so."""
    for name in _AS_TEXT:
        connection.adapters.register_loader(name, TextLoader)
    connection.adapters.register_loader("bytea", _Bytes)
