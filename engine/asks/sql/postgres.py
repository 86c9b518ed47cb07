"""Connections to PostgreSQL, on the node's loop."""

from __future__ import annotations

import asyncio
import contextlib
import select
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, cast

import psycopg
from psycopg import generators, pq
from psycopg.abc import PQGen
from psycopg.pq.abc import PGresult

from engine.asks.sql.connection import LIMITS, POSTGRES, Done, Limits, Row
from engine.asks.sql.failures import failed, of_state, too_long, unreachable
from engine.asks.sql.postgres_values import register
from engine.asks.sql.settings import Postgres
from engine.asks.sql.values import Reading
from engine.errors import INVALID, UNAVAILABLE, UnitFailed
from engine.steps import Value

PORTION = 1
"""Rows at a time. A field may have a gigabyte, and what is read ahead is not counted yet; by fifty 100,000 rows took
0.4 s instead of 0.8."""
TURN = 500
"""Rows until others on the loop have a turn."""
CONNECT_SECONDS = 5
CLEANING_SECONDS = 5.0
NO_FILE = "/nonexistent"
_IDLE, _OPEN = pq.TransactionStatus.IDLE, (pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR)
_LEVELS = {
    "read_uncommitted": "READ UNCOMMITTED",
    "read_committed": "READ COMMITTED",
    "write_committed": "READ COMMITTED",
    "repeatable_read": "REPEATABLE READ",
    "serializable": "SERIALIZABLE",
}
_WHY = (
    ("certificate", "its certificate is not to be trusted", False),
    ("SSL", "TLS could not be agreed on", False),
    ("password", "its user or password was refused", False),
    ("does not exist", "it has no such database or user", False),
    ("too many", "it has too many connections", True),
    ("refused", "nobody listens there", True),
    ("timeout", "it does not answer", True),
)
"""What the words of a refusal mean: it has no SQLSTATE. The words themselves name addresses and users."""


class _Cursor(psycopg.AsyncRawCursor[tuple[Any, ...]]):
    """Takes `$1`; streams what any one statement answers, rows or none, and tells what it did."""

    affected = 0

    def _stream_fetchone_gen(self, first: bool) -> PQGen[PGresult | None]:
        result: PGresult | None = yield from generators.fetch(self._pgconn)
        if result is None:
            return None
        match result.status:
            case pq.ExecStatus.SINGLE_TUPLE | pq.ExecStatus.TUPLES_CHUNK:
                self.pgresult = result
                self._tx.set_pgresult(result, set_loaders=first)
                if first:
                    self._make_row = self._make_row_maker()
                return result
            case pq.ExecStatus.TUPLES_OK | pq.ExecStatus.COMMAND_OK | pq.ExecStatus.EMPTY_QUERY:
                self.affected = result.command_tuples or 0
                while result:
                    result = yield from generators.fetch(self._pgconn)
                return None
            case _:
                self._raise_for_result(result)


class PostgresConnection:
    """Made by `connect`."""

    dialect = POSTGRES

    def __init__(self, entry_id: str, raw: psycopg.AsyncConnection[Any]) -> None:
        self._entry_id = entry_id
        self._raw = raw

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._raw.info.transaction_status in _OPEN

    async def query(self, text: str, params: Sequence[Value] = (), limits: Limits = LIMITS) -> list[Row]:
        """The rows, each {column: value}."""
        reading = Reading(limits)
        await self._run(text, params, limits, reading)
        return reading.rows

    async def execute(self, text: str, params: Sequence[Value] = (), limits: Limits = LIMITS) -> Done:
        """What the statement did; PostgreSQL tells ids by RETURNING only."""
        return Done(await self._run(text, params, limits, None))

    async def check(self, text: str) -> None:
        """Have the statement parsed, as one that is prepared."""
        await self.control(f"PREPARE wippy_check AS {text}")
        await self.control("DEALLOCATE wippy_check")

    async def begin(self, isolation: str = "default", *, read_only: bool = False) -> None:
        """Begin a transaction."""
        level = f" ISOLATION LEVEL {_LEVELS[isolation]}" if isolation in _LEVELS else ""
        await self.control(f"BEGIN{level}{' READ ONLY' if read_only else ''}")

    async def control(self, text: str) -> None:
        """A statement of the connection's own."""
        await self._run(text, (), LIMITS, None)

    def is_usable(self) -> bool:
        """Whether the server has said nothing meanwhile, which would be a farewell."""
        if self._raw.closed or self._raw.broken:
            return False
        waiting = select.poll()  # which takes any number of files
        waiting.register(self._raw.pgconn.socket, select.POLLIN)
        return not waiting.poll(0)

    async def reset(self) -> bool:
        """Roll back, and forget all that statements set, prepared, locked or listen to."""
        try:
            async with asyncio.timeout(CLEANING_SECONDS):
                if self.in_transaction:
                    await self.control("ROLLBACK")
                if self._raw.info.transaction_status != _IDLE:
                    return False
                await self.control("DISCARD ALL")
        except (UnitFailed, TimeoutError):
            return False
        return not self._raw.closed

    async def close(self) -> None:
        """Close it."""
        with contextlib.suppress(psycopg.Error, OSError):
            await self._raw.close()

    async def _run(self, text: str, params: Sequence[Value], limits: Limits, reading: Reading | None) -> int:
        """How many rows it touched; those that it answers go to `reading`."""
        try:
            async with asyncio.timeout(limits.seconds), _Cursor(self._raw) as cursor:
                read = await _read(cursor, cursor.stream(text.encode(), params, size=PORTION), reading)
                return cursor.affected or read
        except TimeoutError:
            raise too_long(limits.seconds) from None
        except psycopg.Error as error:
            if self._raw.info.transaction_status == pq.TransactionStatus.ACTIVE:  # COPY: nothing leads out of it
                self._raw.pgconn.finish()
                raise failed((INVALID, False), "COPY to or from the client is not for Lua code") from None
            raise self._translated(error) from None

    def _translated(self, error: psycopg.Error) -> UnitFailed:
        state, diag = error.sqlstate, error.diag
        if self._raw.closed or self._raw.broken:
            return failed(
                (UNAVAILABLE, True), f"database '{self._entry_id}' closed the connection", sqlstate=state or ""
            )
        if state is None:
            return failed((INVALID, False), str(error).split("\n", 1)[0])
        return failed(
            of_state(state),
            _without_values(state, diag.message_primary or "the statement failed"),
            sqlstate=state,
            table=diag.table_name or "",
            column=diag.column_name or "",
            constraint=diag.constraint_name or "",
        )


def _without_values(state: str, message: str) -> str:
    """Errors of values (class 22) quote them at their end."""
    return message.split(': "', 1)[0] if state.startswith("22") else message


async def _read(cursor: _Cursor, rows: AsyncIterator[tuple[Any, ...]], reading: Reading | None) -> int:
    """Take the rows, and tell how many; the stream is ended here and now, also when there are too many."""
    columns: list[str] = []
    count = 0
    try:
        async for row in rows:
            count += 1
            if not count % TURN:
                await asyncio.sleep(0)
            if reading is not None:
                columns = columns or [each.name for each in cursor.description or ()]
                reading.take(columns, row)
    finally:
        await cast("AsyncGenerator[Any, None]", rows).aclose()
    return count


async def connect(entry_id: str, target: Postgres) -> PostgresConnection:
    """A new connection; Unavailable when there is none."""
    try:
        async with asyncio.timeout(2 * CONNECT_SECONDS):
            raw = await _connected(target)
    except TimeoutError:
        raise unreachable(entry_id, "it does not answer") from None
    except psycopg.Error as error:
        raise _refused(entry_id, str(error)) from None
    register(raw)
    return PostgresConnection(entry_id, raw)


async def _connected(target: Postgres) -> psycopg.AsyncConnection[Any]:
    """A connection; one that does not come about holds its socket no longer than this."""
    try:
        return await psycopg.AsyncConnection.connect(**_parameters(target), autocommit=True, prepare_threshold=None)
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)  # where the socket would live as long as somebody has the error
        raise


def _refused(entry_id: str, words: str) -> UnitFailed:
    for word, why, retryable in _WHY:
        if word in words:
            return unreachable(entry_id, why, retryable=retryable)
    return unreachable(entry_id, "no connection")


def _parameters(target: Postgres) -> dict[str, Any]:
    """All of them said, so that none is taken from the environment or files of the node, which hold its own secrets."""
    settings = {"statement_timeout": int(LIMITS.seconds * 1000) + 1000, "idle_in_transaction_session_timeout": 900_000}
    if target.schema:
        settings["search_path"] = target.schema  # type: ignore[assignment] # a name of ours, without spaces
    return {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "wippy",
        "sslcert": NO_FILE,
        "sslkey": NO_FILE,
        **dict(target.options),
        "host": target.host,
        "hostaddr": "",
        "port": target.port,
        "dbname": target.database,
        "user": target.username,
        "password": target.password,
        "passfile": NO_FILE,
        "service": None,
        "gssencmode": "disable",
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
    }
