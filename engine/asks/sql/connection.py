"""The contract of a connection to a database, whatever its kind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from engine.steps import Value

SQLITE, POSTGRES = "sqlite", "postgres"

Row = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one statement may take: rows and bytes of its answer, counted while it is read, and seconds."""

    rows: int = 100_000
    bytes: int = 16 << 20
    seconds: float = 30.0


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Done:
    """What a statement did; `last_insert_id` is None where the database tells none."""

    rows_affected: int
    last_insert_id: int | None = None


class Connection(Protocol):
    """One connection, for one asker at a time. Everything raises UnitFailed, whose message tells no bound value.

    Parameters are None, bool, int, float, str and bytes; their placeholders are `?` (SQLite) or `$1` (PostgreSQL).
    A text is one statement: two in one are refused. Cancelling the task stops the statement in the database.
    """

    @property
    def dialect(self) -> str:
        """SQLITE or POSTGRES."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open; a failed or stopped statement may have ended it."""
        ...

    async def query(self, text: str, params: Sequence[Value] = (), limits: Limits = LIMITS) -> list[Row]:
        """The rows, each {column: value}."""
        ...

    async def execute(self, text: str, params: Sequence[Value] = (), limits: Limits = LIMITS) -> Done:
        """What the statement did; rows that it answers are passed over."""
        ...

    async def check(self, text: str) -> None:
        """Have the statement parsed."""
        ...

    async def begin(self, isolation: str = "default", *, read_only: bool = False) -> None:
        """Begin a transaction."""
        ...

    async def control(self, text: str) -> None:
        """COMMIT, ROLLBACK, SAVEPOINT and their like, which `query` and `execute` don't take."""
        ...

    def is_usable(self) -> bool:
        """Whether it may be handed out: nothing shows that the database left it meanwhile."""
        ...

    async def reset(self) -> bool:
        """Make it as new for the next asker; whether that could be done."""
        ...

    async def close(self) -> None:
        """Close it; does not raise."""
        ...


@asynccontextmanager
async def transaction(connection: Connection) -> AsyncIterator[None]:
    """A transaction around the body: committed after it, rolled back when it raises."""
    await connection.begin()
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            await connection.control("ROLLBACK")
        raise
    await connection.control("COMMIT")
