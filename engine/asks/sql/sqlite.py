"""Connections to SQLite, each on a thread of its own, so that no slow statement keeps anything else waiting."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from engine.asks.sql.connection import LIMITS, SQLITE, Done, Limits, Row
from engine.asks.sql.failures import too_long
from engine.asks.sql.settings import Sqlite
from engine.asks.sql.sqlite_failures import refused, threads_full, translated
from engine.asks.sql.sqlite_rights import Rights
from engine.asks.sql.values import Reading
from engine.errors import UnitFailed, invalid
from engine.steps import Value

Result = TypeVar("Result")

MOST_THREADS = 64
MOST_BYTES, MOST_COLUMNS = 8 << 20, 128
"""Of a value, and of a row, which is read whole."""
BUSY_SECONDS = 10.0
"""How long a statement tries to become the writer; the thread is free meanwhile."""
STUCK_SECONDS = 5.0
_PAUSES = (0.005, 0.01, 0.02, 0.05, 0.1)
_CLOSING = 2.0
_INSERTS = re.compile(r"\b(?:INSERT|REPLACE)\b", re.IGNORECASE)
"""Elsewhere the module tells the id of an earlier statement, maybe of another unit."""
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_threads = threading.BoundedSemaphore(MOST_THREADS)


class SqliteConnection:
    """Made by `connect`. Statements run one after the other on its thread."""

    dialect = SQLITE

    def __init__(self, target: Sqlite) -> None:
        self._target = target
        self._thread = ThreadPoolExecutor(1, "sqlite")
        self._rights = Rights()
        self._mark = f" /* {secrets.token_hex(16)} */"
        self._raw: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._broken = False
        self._stopped = False
        self._reads_only = False
        self._closed = False

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._raw is not None and self._raw.in_transaction

    async def query(self, text: str, params: Sequence[Value] = (), limits: Limits = LIMITS) -> list[Row]:
        """The rows, each {column: value}."""
        _check(params)

        def read(raw: sqlite3.Connection) -> list[Row]:
            with contextlib.closing(raw.execute(text, params)) as cursor:
                reading, columns = Reading(limits), [each[0] for each in cursor.description or ()]
                for row in cursor:
                    reading.take(columns, row)
                    if self._stopped:
                        break
                return reading.rows

        return await self._tried(read, limits.seconds)

    async def execute(self, text: str, params: Sequence[Value] = (), limits: Limits = LIMITS) -> Done:
        """What the statement did."""
        _check(params)

        def run(raw: sqlite3.Connection) -> Done:
            before = raw.total_changes
            with contextlib.closing(raw.execute(text, params)) as cursor:
                while not self._stopped and cursor.fetchone():
                    pass
                inserted = cursor.lastrowid
            if raw.total_changes == before:
                return Done(0)
            (count,) = raw.execute("SELECT changes()").fetchone()
            return Done(count, inserted if _INSERTS.search(text) else None)

        return await self._tried(run, limits.seconds)

    async def check(self, text: str) -> None:
        """Have the statement parsed."""
        await self._tried(lambda raw: raw(text), LIMITS.seconds)

    async def begin(self, isolation: str = "default", *, read_only: bool = False) -> None:
        """Begin; who may write takes the place of the writer at once, so that no statement finds it taken later."""
        await self.control("BEGIN DEFERRED" if read_only else "BEGIN IMMEDIATE")
        if read_only and not self._target.read_only:
            self._reads_only = True
            await self.control("PRAGMA query_only = 1")

    async def control(self, text: str) -> None:
        """A statement of the connection's own.

        Rights are asked for when a statement is compiled, and the module may keep compiled ones by their text: no
        text of a unit may be one of ours.
        """

        def run(raw: sqlite3.Connection) -> None:
            self._rights.own = True
            try:
                raw.execute(text + self._mark)
            finally:
                self._rights.own = False

        await self._tried(run, LIMITS.seconds)

    def is_usable(self) -> bool:
        """Whether its file is still the one that was opened."""
        return not self._broken and self._file == _identity(self._target)

    async def reset(self) -> bool:
        """Roll back what is open, and let it write again; temporary tables end with the connection."""
        if self._broken or (self._rights.temporary and self._target.path is not None):
            return False
        if not self.in_transaction and not self._reads_only:
            return True

        def clean(raw: sqlite3.Connection) -> bool:
            self._rights.own = True
            try:
                raw.rollback()
                if not self._target.read_only:
                    raw.execute(f"PRAGMA query_only = 0{self._mark}")
                return True
            finally:
                self._rights.own = False

        try:
            self._reads_only = not await self._run(clean, STUCK_SECONDS)
            return not self._reads_only
        except Exception:
            return False

    async def close(self) -> None:
        """Close it, on its thread; one that is stuck ends when its statement does."""
        raw, self._raw = self._raw, None
        if self._closed:
            return
        self._closed = True

        def end() -> None:
            try:
                if raw is not None:
                    raw.close()
            finally:
                _threads.release()

        future = asyncio.get_running_loop().run_in_executor(self._thread, end)
        self._thread.shutdown(wait=False)
        await asyncio.wait([future], timeout=_CLOSING)

    async def open(self) -> None:
        """Connect; raises UnitFailed."""
        if not _threads.acquire(blocking=False):
            raise threads_full(MOST_THREADS)
        try:
            self._raw = await self._opened_in_turn()
        except BaseException as error:
            await self.close()
            if isinstance(error, sqlite3.Error | OSError):
                raise translated(error, "") from None
            raise
        self._file = _identity(self._target)

    async def _opened_in_turn(self) -> sqlite3.Connection:
        """Another that makes the file, or puts it into WAL, locks out even who only looks."""
        busy_until, attempt = time.monotonic() + BUSY_SECONDS, 0
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._thread, self._opened)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in _BUSY or time.monotonic() > busy_until:
                    raise
            await asyncio.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
            attempt += 1

    def _opened(self) -> sqlite3.Connection:
        path = self._target.path
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        raw = sqlite3.connect(path or ":memory:", timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._prepared(raw)
        except BaseException:
            raw.close()
            raise
        return raw

    def _prepared(self, raw: sqlite3.Connection) -> None:
        raw.text_factory = _text
        raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
        raw.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, MOST_COLUMNS)
        raw.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, 1 << 20)
        raw.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000)
        raw.execute("PRAGMA trusted_schema = 0")
        raw.execute("PRAGMA foreign_keys = 1")
        size: int = raw.execute("PRAGMA page_size").fetchone()[0]
        for schema in ("main", "temp"):
            raw.execute(f"PRAGMA {schema}.max_page_count = {max(1, self._target.most_bytes // size)}")
        if self._target.path is not None:
            _quietly_in_wal(raw)
        if self._target.read_only:
            raw.execute("PRAGMA query_only = 1")
        raw.execute("PRAGMA busy_timeout = 0")  # from here on who waits holds no thread
        raw.set_authorizer(self._rights)
        self._rights.own = False

    async def _tried(self, work: Callable[[sqlite3.Connection], Result], seconds: float) -> Result:
        """Run it; while another writes, again and again, for a while."""
        busy_until, attempt = time.monotonic() + min(BUSY_SECONDS, seconds), 0
        while True:
            try:
                return await self._run(work, seconds)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in _BUSY or time.monotonic() > busy_until:
                    raise translated(error, self._rights.refused) from None
            except (sqlite3.Error, sqlite3.Warning, MemoryError, ValueError, OverflowError) as error:
                if self._rights.refused:
                    raise refused(self._rights.refused) from None
                raise translated(error, "") from None
            await asyncio.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
            attempt += 1

    async def _run(self, work: Callable[[sqlite3.Connection], Result], seconds: float) -> Result:
        raw = self._raw
        if raw is None or self._broken:
            raise sqlite3.ProgrammingError("the connection is closed")
        self._stopped, self._rights.refused = False, ""
        future = asyncio.get_running_loop().run_in_executor(self._thread, work, raw)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(future)
        except TimeoutError:
            await self._stop(raw, future)
            raise too_long(seconds) from None
        except asyncio.CancelledError:
            await self._stop(raw, future)
            raise

    async def _stop(self, raw: sqlite3.Connection, future: asyncio.Future[Result]) -> None:
        """Interrupt until it has ended: a statement that is about to begin does not hear the first time."""
        self._stopped, until = True, time.monotonic() + STUCK_SECONDS
        try:
            while not future.done() and time.monotonic() < until:
                raw.interrupt()
                await asyncio.wait([future], timeout=0.02)
        finally:
            self._broken = not future.done()
            future.add_done_callback(lambda ended: ended.cancelled() or ended.exception())


async def connect(target: Sqlite) -> SqliteConnection:
    """A new connection; UnitFailed when the file can't be had."""
    connection = SqliteConnection(target)
    await connection.open()
    return connection


def _quietly_in_wal(raw: sqlite3.Connection) -> None:
    """Another may hold the file just now; then the mode is as it was."""
    with contextlib.suppress(sqlite3.OperationalError):
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = NORMAL")


def _identity(target: Sqlite) -> tuple[int, int] | None:
    """What tells the file from another of its name."""
    if target.path is None:
        return None
    try:
        found = target.path.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def _check(params: Sequence[Value]) -> None:
    """Invalid for what would be kept as something else."""
    for number, value in enumerate(params, 1):
        if isinstance(value, float) and math.isnan(value):
            raise UnitFailed(invalid(f"parameter {number}: SQLite would keep NaN as NULL; bind NULL, or text"))


def _text(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data
