"""One request and its answer while a function works on it: buffered, or sent piece by piece."""

from __future__ import annotations

import asyncio

from engine.asks.serving.failures import bad_state, over, too_large, unwritten
from engine.asks.serving.headers import AnswerHeaders
from engine.contracts.serving import Answer, Outlet, Request
from engine.errors import Failure, UnitFailed, invalid

MAX_BUFFERED, MAX_STREAMED = 8 << 20, 64 << 20
PIECE, MAX_PIECE = 16 << 10, 256 << 10
"""Bytes at which a streamed answer is sent without a flush, and those that are sent at once."""
CHUNKED, SSE = "chunked", "sse"
BODILESS = frozenset({204, 205, 304})
TEXT, EVENTS = "text/plain; charset=utf-8", "text/event-stream"


class Exchange:
    """On the node's loop. Several units may use it, one after the other; a failed write fails the answer."""

    def __init__(self, request: Request, outlet: Outlet) -> None:
        self.request = request
        self._outlet = outlet
        self._status = 200
        self._headers = AnswerHeaders()
        self._transfer = ""
        self._waiting = bytearray()
        self._written = 0
        self._is_fixed = self._has_begun = self._is_over = False
        self._failure: Failure | None = None
        self._turn = asyncio.Lock()

    @property
    def is_over(self) -> bool:
        """Whether the function has ended."""
        return self._is_over

    # --- the head ----------------------------------------------------------------------------------

    def set_status(self, status: int) -> None:
        """Invalid for what is no status of an answer, or when headers were sent."""
        self._check_head()
        if not 200 <= status <= 599:
            raise UnitFailed(invalid("set_status: a status between 200 and 599 expected"))
        self._status = status

    def set_header(self, name: bytes, value: bytes) -> None:
        """Invalid for what can't be set, or when headers were sent."""
        self._check_head()
        self._headers.put(name, value)

    def set_transfer(self, transfer: str) -> None:
        """Send what is written as it comes: in pieces, or as events."""
        self._check_head()
        if transfer not in (CHUNKED, SSE):
            raise UnitFailed(invalid("set_transfer: http.TRANSFER.CHUNKED or http.TRANSFER.SSE expected"))
        self._transfer = transfer

    # --- the body ----------------------------------------------------------------------------------

    async def write(self, data: bytes, content_type: str = "") -> None:
        """Add to the body; the first write fixes the headers, `content_type` among them unless one is set."""
        async with self._turn:
            self._add(data, content_type or (EVENTS if self._transfer == SSE else TEXT))
            if (self._transfer or self._has_begun) and len(self._waiting) >= PIECE:
                await self._send()

    async def event(self, text: bytes) -> None:
        """Send an event at once; an answer without other pieces becomes one of events by its first."""
        async with self._turn:
            self._check_open()
            if self._transfer != SSE:
                if self._is_fixed:
                    raise bad_state("write_event: headers already sent, and not those of events")
                self._transfer = SSE
            self._add(text, EVENTS)
            await self._send()

    async def flush(self) -> None:
        """Send what waits, the headers first."""
        async with self._turn:
            self._check_open()
            self._fix("")
            await self._send()

    # --- the end -----------------------------------------------------------------------------------

    async def finish(self) -> Answer:
        """The answer, all of it sent if it is a streamed one; UnitFailed when a part of it was not written."""
        async with self._turn:
            self._is_over = True
            if self._failure is not None:
                raise UnitFailed(self._failure)
            self._fix("")
            if self._transfer or self._has_begun:
                await self._send()
                return Answer(self._status, self._headers.all(), b"", is_streamed=True)
            return Answer(self._status, self._headers.all(), b"" if self._is_bodiless else bytes(self._waiting))

    def close(self) -> None:
        """Take nothing any more, whatever became of the function."""
        self._is_over = True
        self._waiting = bytearray()

    # ---------------------------------------------------------------------------------------------

    @property
    def _is_bodiless(self) -> bool:
        return self._status in BODILESS

    def _check_open(self) -> None:
        if self._is_over:
            raise over()
        if self._failure is not None:
            raise UnitFailed(self._failure)

    def _check_head(self) -> None:
        self._check_open()
        if self._is_fixed:
            raise bad_state("headers already sent: set status and headers before the first write")

    def _add(self, data: bytes, content_type: str) -> None:
        self._check_open()
        if self._is_bodiless and data:
            raise bad_state(f"write: an answer with status {self._status} has no body")
        most = MAX_STREAMED if self._transfer or self._has_begun else MAX_BUFFERED
        if self._written + len(data) > most:
            raise self._failed(too_large(f"write: the answer is larger than {most} bytes"))
        self._fix(content_type)
        self._written += len(data)
        self._waiting += data

    def _fix(self, content_type: str) -> None:
        """The headers are as they will be sent."""
        if self._is_fixed:
            return
        self._is_fixed = True
        content_type = content_type or (EVENTS if self._transfer == SSE else TEXT if self._transfer else "")
        if content_type and not self._is_bodiless:
            self._headers.default("content-type", content_type)
        if self._transfer == SSE:
            self._headers.default("cache-control", "no-cache")
            self._headers.default("x-accel-buffering", "no")

    async def _send(self) -> None:
        """What waits, in pieces. A write that is broken off may have come through or not: none follows it."""
        try:
            if not self._has_begun:
                self._has_begun = True
                await self._outlet.begin(self._status, self._headers.all())
            while self._waiting:
                piece = bytes(self._waiting[:MAX_PIECE])
                del self._waiting[:MAX_PIECE]
                await self._outlet.send(piece)
        except UnitFailed as error:
            raise self._failed(unwritten(error.failure.message)) from None
        except asyncio.CancelledError:
            self._failed(unwritten("an earlier write was broken off"))
            raise

    def _failed(self, error: UnitFailed) -> UnitFailed:
        self._failure = error.failure
        return error
