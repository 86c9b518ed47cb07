"""`store.sql`: what is kept in a table of a database, for all nodes and beyond their ends."""

from __future__ import annotations

import hashlib
import math
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from engine.asks.sql.connection import POSTGRES, Connection, Limits, Row
from engine.asks.sql.databases import Databases
from engine.asks.store.keeping import Info, Kept, Wish
from engine.entry import Entry
from engine.errors import ALREADY_EXISTS, INVALID, UnitFailed
from engine.registry.references import resolve
from engine.steps import Value

Result = TypeVar("Result")

KIND = "store.sql"
INFO = Info("sql", "unknown", durable=True, versioned=False, conditional_put=False)
LIMITS = Limits(rows=2000, seconds=10.0)
LIST_BYTES = 8 << 20
"""Beyond so many bytes of values no more rows are read."""
PORTION = 1000
"""Rows of one sweep's statement: others write between them."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table by its names. `own`: the product makes it."""

    database: str
    name: str
    key: str
    value: str
    expires: str
    own: bool

    @classmethod
    def of(cls, entry: Entry) -> Table:
        """The table of an entry, whose names were checked when it was published."""
        data = entry.data
        named = data.get("table_name")
        return cls(
            resolve(str(data["database"]), entry.namespace),
            named or _own_name(entry.id),
            data.get("id_column_name") or "key",
            data.get("payload_column_name") or "value",
            data.get("expire_column_name") or "expires_at",
            own=not named,
        )


class Statements:
    """What is said to a database, in its dialect. Times are whole seconds since the epoch."""

    def __init__(self, table: Table, dialect: str) -> None:
        self._postgres = dialect == POSTGRES
        self._table = ".".join(map(self._quoted, table.name.split(".")))
        self._names = [self._quoted(each) for each in (table.key, table.value, table.expires)]
        self._index = self._quoted(f"{table.name}_due")
        self._by_bytes = 'COLLATE "C"' if self._postgres else "COLLATE BINARY"

    @property
    def get(self) -> str:
        """(key, now) -> data."""
        key, value, _ = self._names
        return self._said(f"SELECT {value} AS data FROM {self._table} WHERE {key} = ?1 AND {self._live('?2')}")

    @property
    def put(self) -> str:
        """(key, data, expires)."""
        key, value, expires = self._names
        return self._said(
            f"INSERT INTO {self._table} ({key}, {value}, {expires}) VALUES (?1, ?2, ?3) "
            f"ON CONFLICT ({key}) DO UPDATE SET {value} = excluded.{value}, {expires} = excluded.{expires}"
        )

    @property
    def delete(self) -> str:
        """(key) -> expires, where it was there."""
        key, _, expires = self._names
        return self._said(f"DELETE FROM {self._table} WHERE {key} = ?1 RETURNING {expires} AS expires")

    @property
    def list(self) -> str:
        """(after, from, below, now, most) -> k, v; the bytes of values before a row are bounded."""
        key, value, _ = self._names
        ordered = f"{key} {self._by_bytes}"
        page = (
            f"SELECT {key} AS k, {value} AS v, length({value}) AS n FROM {self._table} "
            f"WHERE {ordered} > ?1 AND {ordered} >= ?2 AND {ordered} < ?3 AND {self._live('?4')} "
            f"ORDER BY {ordered} LIMIT ?5"
        )
        order = f"ORDER BY k {self._by_bytes}"
        summed = f"SELECT k, v, sum(n) OVER ({order}) - n AS ahead FROM ({page}) AS page"
        return self._said(f"SELECT k, v FROM ({summed}) AS summed WHERE ahead < {LIST_BYTES} {order}")

    @property
    def sweep(self) -> str:
        """(now): some of what has expired."""
        key, _, expires = self._names
        due = f"SELECT {key} FROM {self._table} WHERE {expires} <= ?1 LIMIT {PORTION}"
        return self._said(f"DELETE FROM {self._table} WHERE {expires} <= ?1 AND {key} IN ({due})")

    @property
    def make(self) -> Sequence[str]:
        """The table, and an index of what expires."""
        key, value, expires = self._names
        text, data, whole = ("TEXT", "BYTEA", "BIGINT") if self._postgres else ("TEXT", "BLOB", "INTEGER")
        columns = f"{key} {text} {self._by_bytes} NOT NULL PRIMARY KEY, {value} {data} NOT NULL, {expires} {whole}"
        return (
            f"CREATE TABLE IF NOT EXISTS {self._table} ({columns})",
            f"CREATE INDEX IF NOT EXISTS {self._index} ON {self._table} ({expires}) WHERE {expires} IS NOT NULL",
        )

    def _live(self, now: str) -> str:
        expires = self._names[2]
        return f"({expires} IS NULL OR {expires} > {now})"

    def _said(self, text: str) -> str:
        return re.sub(r"\?(?=\d)", "$", text) if self._postgres else text

    def _quoted(self, name: str) -> str:
        """Not by double quotes in SQLite: there a column that is not there would be a text."""
        mark = '"' if self._postgres else "`"
        return mark + name.replace(mark, 2 * mark) + mark


class SqlStore:
    """A table as a store. `made` remembers across stores which tables of the product are known to be there."""

    def __init__(
        self, table: Table, databases: Databases, made: set[Table], clock: Callable[[], float] = time.time
    ) -> None:
        self._table = table
        self._databases = databases
        self._made = made
        self._clock = clock

    async def get(self, key: str) -> Kept | None:
        """What is kept under the key."""
        rows = await self._with(lambda on, say: on.query(say.get, (key, self._now()), LIMITS))
        return Kept(key, _bytes(rows[0]["data"])) if rows else None

    async def put(self, wish: Wish) -> Kept:
        """Write, whatever is there."""
        expires = math.ceil(self._clock() + wish.ttl) if wish.ttl else None
        await self._with(lambda on, say: on.execute(say.put, (wish.key, wish.data, expires), LIMITS))
        return Kept(wish.key, wish.data)

    async def delete(self, key: str) -> bool:
        """Forget it; whether it was there."""
        rows = await self._with(lambda on, say: on.query(say.delete, (key,), LIMITS))
        return any(_is_live(row["expires"], self._now()) for row in rows)

    async def list(self, prefix: str, after: str, most: int) -> Sequence[Kept]:
        """Up to so many, in the order of the bytes of their keys, of those behind `after`."""
        beyond = _beyond(prefix)
        if beyond is None:
            return []
        params = (after, prefix, beyond, self._now(), most)
        rows: list[Row] = await self._with(lambda on, say: on.query(say.list, params, LIMITS))
        return [Kept(str(row["k"]), _bytes(row["v"])) for row in rows]

    async def sweep(self) -> None:
        """Drop what has expired; any number of nodes may do so at once."""
        while (
            await self._with(lambda on, say: on.execute(say.sweep, (self._now(),), LIMITS))
        ).rows_affected >= PORTION:
            pass

    def _now(self) -> int:
        return int(self._clock())

    async def _with(self, work: Callable[[Connection, Statements], Awaitable[Result]]) -> Result:
        async with self._databases.connection(self._table.database, KIND) as connection:
            say = Statements(self._table, connection.dialect)
            if not self._table.own:
                return await work(connection, say)
            if self._table not in self._made:
                await self._make(connection, say)
            try:
                return await work(connection, say)
            except UnitFailed as error:
                if error.failure.kind == INVALID:  # the table may be gone: the next use makes it anew
                    self._made.discard(self._table)
                raise

    async def _make(self, connection: Connection, say: Statements) -> None:
        """Nodes that make it at once may get into each other's way: the second try finds it."""
        for statement in say.make:
            try:
                await connection.execute(statement)
            except UnitFailed as error:
                if (
                    error.failure.kind != ALREADY_EXISTS
                    and error.failure.details.get("sqlstate") not in _MADE_BY_OTHERS
                ):
                    raise
                await connection.execute(statement)
        self._made.add(self._table)


_MADE_BY_OTHERS = ("42710", "42P07")
"""What PostgreSQL says when a type of the table's name, or the table, came into being meanwhile."""


def _own_name(entry_id: str) -> str:
    """One for each id, and short enough for every database."""
    digest = hashlib.sha256(entry_id.encode()).hexdigest()[:8]
    return f"store_{re.sub('[^a-z0-9]+', '_', entry_id.lower())[:40]}_{digest}"


def _bytes(data: Value) -> bytes:
    """What a column of bytes or text holds; what is neither holds no value of a store."""
    if isinstance(data, str):
        return data.encode("utf-8", "surrogatepass")
    return data if isinstance(data, bytes) else b""


def _is_live(expires: Value, now: int) -> bool:
    return not isinstance(expires, int | float) or expires > now


def _beyond(prefix: str) -> str | None:
    """The first text behind all that begin so; surrogates are no texts of a database."""
    if not prefix:
        return "\U0010ffff\U0010ffff"
    rest = prefix.rstrip("\U0010ffff")
    if not rest:
        return None
    last = ord(rest[-1]) + 1
    return rest[:-1] + chr(0xE000 if 0xD800 <= last <= 0xDFFF else last)
