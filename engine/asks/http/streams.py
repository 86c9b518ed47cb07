"""Bodies that units read piece by piece. The peer waits while nobody reads; the unit's end closes them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from engine.asks.http.bodies import Body
from engine.asks.http.failures import broken, timed_out
from engine.asks.http.network import Network
from engine.asks.streams import Stream

Close = Callable[[], Awaitable[None]]


class BodyStream(Stream):
    """A body in the holdings of a unit. One reader at a time; others wait for it."""

    def __init__(self, network: Network, body: Body, what: str, seconds: float, release: Close) -> None:
        self._network = network
        self._body = body
        self._what = what
        self._seconds = seconds
        self._release = release
        self._lock = asyncio.Lock()
        self._rest = b""
        self._is_broken = False

    async def read(self, count: int) -> bytes:
        """At most so many bytes, b"" at the end; each read has the time that the request had."""
        return await self._network.run(lambda: self._read(count))

    async def _read(self, count: int) -> bytes:
        async with self._lock:
            if not self._rest:
                self._rest = await self._piece()
            found, self._rest = self._rest[:count], self._rest[count:]
            return found

    async def _piece(self) -> bytes:
        """The next bytes. A read that failed or was canceled may have lost some: no later one says that all is well."""
        if self._is_broken:
            raise broken(self._what, "the stream broke off in an earlier read", retryable=False)
        self._is_broken = True
        try:
            async with asyncio.timeout(self._seconds):
                found = await self._body.piece()
        except TimeoutError as error:
            raise timed_out(self._what, self._seconds) from error
        self._is_broken = False
        return found

    async def close(self) -> None:
        """Read no more."""
        self._network.leave(self._close)

    async def _close(self) -> None:
        self._rest = b""
        await self._release()


class Opening:
    """A stream on its way to its unit: closed if that is canceled before it is there."""

    def __init__(self) -> None:
        self._stream: BodyStream | None = None
        self._given_up = False

    @property
    def stream(self) -> BodyStream | None:
        """What was opened."""
        return self._stream

    async def put(self, stream: BodyStream) -> None:
        """Hand over what was opened."""
        self._stream = stream
        if self._given_up:
            await stream._close()

    async def give_up(self) -> None:
        """Close what was opened, or will be."""
        self._given_up = True
        if self._stream is not None:
            await self._stream._close()
