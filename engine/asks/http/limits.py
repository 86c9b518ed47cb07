"""What requests may take: bytes, seconds, turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from engine.asks.http.failures import exceeded

MIB = 1 << 20
MAX_BODY = 7 * MIB
"""Bytes of an answer, as sent and as unpacked: with its headers it has to cross to its unit at once (8 MiB)."""
MAX_SENT = 16 * MIB
"""Bytes of a body, as sent; what a unit can hand over at once is less."""
MAX_HEADERS, MAX_HEADER_BYTES = 500, 64 << 10
DEFAULT_SECONDS, MAX_SECONDS = 30.0, 3600.0
MAX_REDIRECTS = 10
MAX_BATCH = 1000
UNDER_WAY, OF_ONE_UNIT = 256, 64
"""Requests of a node that are with their peers, and of one unit; others wait for their turn."""
MAX_STREAMS = 512
MAX_HELD = 256 * MIB
"""Bytes of answers that a node gathers at a time."""


class Turns:
    """Who may talk to peers now; of one loop. A unit that asks much waits behind its own, not others behind it."""

    def __init__(self, all_units: int = UNDER_WAY, one_unit: int = OF_ONE_UNIT) -> None:
        self._all = asyncio.Semaphore(all_units)
        self._one_unit = one_unit
        self._own: dict[str, asyncio.Semaphore] = {}
        self._users: dict[str, int] = {}

    @asynccontextmanager
    async def turn(self, pid: str, seconds: float) -> AsyncIterator[None]:
        """Wait for one so long, and hold it; LimitExceeded, worth another try."""
        self._users[pid] = self._users.get(pid, 0) + 1
        own = self._own.setdefault(pid, asyncio.Semaphore(self._one_unit))
        try:
            async with AsyncExitStack() as held:
                await self._wait(held, (own, self._all), seconds)
                yield
        finally:
            self._users[pid] -= 1
            if not self._users[pid]:
                del self._users[pid], self._own[pid]

    async def _wait(self, held: AsyncExitStack, turns: tuple[asyncio.Semaphore, ...], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                for each in turns:
                    await held.enter_async_context(each)
        except TimeoutError as error:
            text = (
                f"no turn in {seconds:g} s: {self._one_unit} requests of this unit, or many of its node, are under way"
            )
            raise exceeded(text, retryable=True) from error


class Held:
    """Bytes that are gathered for answers."""

    def __init__(self, limit: int = MAX_HELD) -> None:
        self._limit = limit
        self.bytes = 0

    @contextmanager
    def account(self) -> Iterator[Account]:
        """An account that is settled at the end."""
        account = Account(self)
        try:
            yield account
        finally:
            self.bytes -= account.bytes

    def take(self, count: int) -> None:
        """Count bytes; LimitExceeded, worth another try."""
        if self.bytes + count > self._limit:
            raise exceeded(f"this node gathers {self._limit // MIB} MiB of answers already", retryable=True)
        self.bytes += count


class Account:
    """What one answer holds."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self.bytes = 0

    def take(self, count: int) -> None:
        """Count bytes of this answer."""
        self._held.take(count)
        self.bytes += count
