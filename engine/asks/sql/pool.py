"""A pool of connections: bounded, waited for in turn and for a while only, and knowing who holds what."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from engine.asks.sql.connection import Connection
from engine.asks.sql.settings import PoolSize
from engine.errors import UNAVAILABLE, Failure, UnitFailed

logger = logging.getLogger(__name__)

WAIT_SECONDS = 10.0
IDLE_SECONDS = 60.0


@dataclass(eq=False, slots=True)
class Lease:
    """A connection in somebody's hands. `holder` says whose; times are of `time.monotonic`."""

    connection: Connection
    holder: str
    born: float
    since: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class Stats:
    """What the pool did since it was made; `wait_duration` in nanoseconds."""

    wait_count: int = 0
    wait_duration: int = 0
    max_idle_closed: int = 0
    max_idle_time_closed: int = 0
    max_lifetime_closed: int = 0


class Pool:
    """Of one database. Used on one loop. `name` is for errors."""

    def __init__(self, name: str, size: PoolSize, connect: Callable[[], Awaitable[Connection]]) -> None:
        self.stats = Stats()
        self._name = name
        self._size = size
        self._connect = connect
        self._turns = asyncio.Semaphore(size.most_open)
        self._idle: deque[Lease] = deque()  # the last used last
        self._held: set[Lease] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._retired = False

    @asynccontextmanager
    async def connection(self, holder: str) -> AsyncIterator[Connection]:
        """A connection until the end of the block."""
        lease = await self.take(holder)
        try:
            yield lease.connection
        finally:
            self.give_back(lease)

    async def take(self, holder: str) -> Lease:
        """A connection, to be given back; Unavailable when none is free in time, which says who holds them."""
        await self._turn()
        try:
            lease = self._usable() or Lease(await self._connect(), holder, time.monotonic())
        except BaseException:
            self._turns.release()
            raise
        lease.holder, lease.since = holder, time.monotonic()
        self._held.add(lease)
        return lease

    def give_back(self, lease: Lease) -> None:
        """Take it back, whatever state it is in: it is made clean, or closed, beside all else."""
        self._held.discard(lease)
        task = asyncio.get_running_loop().create_task(self._returned(lease))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def counts(self) -> dict[str, int]:
        """Connections by what they do, named as `db:stats` names them."""
        return {
            "max_open_connections": self._size.most_open,
            "open_connections": len(self._held) + len(self._idle),
            "in_use": len(self._held),
            "idle": len(self._idle),
            "wait_count": self.stats.wait_count,
            "wait_duration": self.stats.wait_duration,
            "max_idle_closed": self.stats.max_idle_closed,
            "max_idle_time_closed": self.stats.max_idle_time_closed,
            "max_lifetime_closed": self.stats.max_lifetime_closed,
        }

    async def close(self) -> None:
        """Close what is idle now, and the others as they come back."""
        self._retired = True
        if self._tasks:
            await asyncio.wait(self._tasks)
        while self._idle:
            await self._idle.pop().connection.close()

    async def _turn(self) -> None:
        if not self._turns.locked():
            await self._turns.acquire()
            return
        began = time.monotonic_ns()
        self.stats.wait_count += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise UnitFailed(Failure(UNAVAILABLE, self._who_holds(), retryable=True)) from None
        finally:
            self.stats.wait_duration += time.monotonic_ns() - began

    def _who_holds(self) -> str:
        now = time.monotonic()
        longest = sorted(self._held, key=lambda lease: lease.since)[:3]
        held = ", ".join(f"{lease.holder} for {now - lease.since:.0f} s" for lease in longest)
        most = self._size.most_open
        return f"no connection to '{self._name}' was free within {WAIT_SECONDS:g} s; of {most}, held longest: {held}"

    def _usable(self) -> Lease | None:
        """The one used last, unless something is wrong with it."""
        while self._idle:
            lease = self._idle.pop()
            if lease.connection.is_usable() and not self._is_old(lease):
                return lease
            self._close(lease)
        return None

    async def _returned(self, lease: Lease) -> None:
        clean = False
        try:
            clean = await lease.connection.reset() and not self._is_old(lease)
        except Exception as error:
            logger.error("a connection of %s could not be made clean: %s", self._name, type(error).__name__)
        try:
            if clean and not self._retired and len(self._idle) < self._size.most_idle:
                lease.since = time.monotonic()
                self._idle.append(lease)
                asyncio.get_running_loop().call_later(IDLE_SECONDS + 1, self._trim)
            else:
                self.stats.max_idle_closed += clean
                await lease.connection.close()
        finally:
            self._turns.release()

    def _is_old(self, lease: Lease) -> bool:
        old = time.monotonic() - lease.born > self._size.lifetime
        self.stats.max_lifetime_closed += old
        return old

    def _trim(self) -> None:
        """Close what was idle for long; a database in memory lives in its connection, which has no end."""
        if self._size.lifetime == float("inf"):
            return
        while self._idle and time.monotonic() - self._idle[0].since > IDLE_SECONDS:
            self.stats.max_idle_time_closed += 1
            self._close(self._idle.popleft())

    def _close(self, lease: Lease) -> None:
        task = asyncio.get_running_loop().create_task(lease.connection.close())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
