"""What a unit holds of a database: open transactions, and statements that it prepared."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.asks.sql.connection import Connection
from engine.asks.sql.failures import gone
from engine.asks.sql.pool import Lease, Pool

IDLE_SECONDS = 60.0
LONGEST_SECONDS = 600.0
CLOSING_SECONDS = 4.0
NOT_ACTIVE = "transaction is not active"


class Transaction:
    """An open transaction with its connection. Made by `begin`.

    It is rolled back when nothing is asked of it for a minute, and after ten: others wait for its connection and locks.
    """

    def __init__(self, pool: Pool, lease: Lease) -> None:
        self._pool = pool
        self._lease: Lease | None = lease
        self._lock = asyncio.Lock()
        self._until = time.monotonic() + LONGEST_SECONDS
        self._why = NOT_ACTIVE
        self._timer = self._started()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Its connection, for one statement at a time; Invalid when the transaction has ended, saying why if it can."""
        async with self._lock:
            self._timer.cancel()
            if self._lease is None:
                raise gone(self._why)
            try:
                yield self._lease.connection
            finally:
                self._look()

    async def end(self, verb: str) -> None:
        """COMMIT or ROLLBACK; the connection goes back also when that fails."""
        async with self.connection() as connection:
            try:
                await connection.control(verb)
            finally:
                self._let_go(NOT_ACTIVE)

    async def close(self) -> None:
        """Roll back, unless it has ended."""
        try:
            async with asyncio.timeout(CLOSING_SECONDS), self._lock:
                self._let_go(NOT_ACTIVE)
        except TimeoutError:
            self._let_go(NOT_ACTIVE)

    def _look(self) -> None:
        """Whether the database itself ended it meanwhile."""
        if self._lease is None:
            return
        if self._lease.connection.in_transaction:
            self._timer = self._started()
        else:
            self._let_go(f"{NOT_ACTIVE}: the database ended it")

    def _started(self) -> asyncio.TimerHandle:
        seconds = min(IDLE_SECONDS, max(0.0, self._until - time.monotonic()))
        return asyncio.get_running_loop().call_later(seconds, self._lapse)

    def _lapse(self) -> None:
        if not self._lock.locked():
            why = f"nothing was asked of it for {IDLE_SECONDS:g} s"
            if time.monotonic() >= self._until:
                why = f"it was open for {LONGEST_SECONDS:g} s"
            self._let_go(f"{NOT_ACTIVE}: rolled back, since {why}")

    def _let_go(self, why: str) -> None:
        lease, self._lease = self._lease, None
        if lease is not None:
            self._why = why
            self._timer.cancel()
            self._pool.give_back(lease)


class Statement:
    """A text that was parsed once; run on any connection of its database, or on that of its transaction."""

    def __init__(self, text: str, within: Transaction | None) -> None:
        self.text = text
        self.within = within

    async def close(self) -> None:
        """Nothing is kept elsewhere."""
