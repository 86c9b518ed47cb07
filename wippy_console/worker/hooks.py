"""How this node answers requests of other systems: a `Server` whose requests and answers are rows."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from django.db import DatabaseError, InterfaceError

from engine.asks.serving.operations import Serving
from engine.contracts.serving import Answer, Call, Headers
from engine.errors import CANCELED, UNAVAILABLE, Failure, UnitFailed
from engine.registry.hooks.security import of_endpoint
from engine.registry.kinds import PYTHON_FUNCTION
from engine.registry.policies import EntryLookup
from wippy_console.database.threads import in_thread, in_thread_persistently
from wippy_console.services.hooks import Try, calling

logger = logging.getLogger(__name__)

PIECE_BYTES = 64 * 1024
"""Of one row."""
AHEAD = 32
"""So many rows may wait to be taken; then whoever sends waits."""
TAKEN_WITHIN = 30.0
"""When none is taken in so many seconds, the client has left, or its web process died."""
PAUSE = 0.05

T = TypeVar("T")


class Hooks:
    """For `node_workers`; on the node's loop."""

    def __init__(self, serving: Serving, entries: EntryLookup) -> None:
        self._serving = serving
        self._entries = entries

    async def serve(self, id: str, target: str, call: Call) -> None:
        """Answer a delivery. That its function failed is an answer, too."""
        asked = await _asked(lambda: calling.requested(id))
        began, of = time.monotonic(), asked.of
        outlet = Pieces(of, is_heard=asked.is_heard)
        try:
            by_value = self._is_python(target)
            security = of_endpoint(asked.endpoint, self._entries)
            answer = await self._serving.handle(asked.request, outlet, call, target, security, by_value=by_value)
            if len(answer.body) > calling.WHOLE_BYTES:
                answer = await _in_pieces(outlet, answer)
            await outlet.settle()
        except UnitFailed as error:
            failure, seconds = error.failure, time.monotonic() - began
            with suppress(UnitFailed):
                await outlet.settle()
            await in_thread_persistently(lambda: calling.fail(of, 500, calling.FAILED, failure, seconds))
            return
        seconds = time.monotonic() - began
        await in_thread_persistently(lambda: calling.answered(of, answer, seconds))

    def _is_python(self, target: str) -> bool:
        entry = self._entries.entry(target)
        return entry is not None and entry.kind == PYTHON_FUNCTION


class Pieces:
    """An `Outlet`: what was sent while a row was written goes into the next one, and who sends much waits."""

    def __init__(self, of: Try, *, is_heard: bool = True) -> None:
        self._try = of
        self._is_heard = is_heard
        self._buffer = bytearray()
        self._number = 0
        self._writing: asyncio.Task[None] | None = None

    async def begin(self, status: int, headers: Headers) -> None:
        """The head."""
        if not await _asked(lambda: calling.begun(self._try, status, headers)):
            raise _left()

    async def send(self, data: bytes) -> None:
        """The next piece."""
        self._buffer += data
        while self._buffer:
            if self._writing is None or self._writing.done():
                self._raise_failed()
                self._writing = asyncio.create_task(self._write())
            if len(self._buffer) < PIECE_BYTES:
                return
            await asyncio.shield(self._writing)

    async def settle(self) -> None:
        """Wait until all that was sent is written."""
        if self._writing is not None:
            await self._writing

    def _raise_failed(self) -> None:
        if self._writing is not None and not self._writing.cancelled() and (error := self._writing.exception()):
            raise error

    async def _write(self) -> None:
        while self._buffer:
            data = bytes(self._buffer[:PIECE_BYTES])
            del self._buffer[:PIECE_BYTES]
            self._number += 1
            waiting = await _asked(lambda: calling.sent(self._try, self._number, data))  # noqa: B023 - called at once
            if not self._is_heard:
                await _asked(lambda: calling.take(self._try.id))
            elif waiting > AHEAD:
                waiting = await self._taken(waiting)
            if waiting < 0:
                raise _left()

    async def _taken(self, waiting: int) -> int:
        """How many wait when there is room again, -1 when the client has left."""
        fewest, since = waiting, time.monotonic()
        while waiting > AHEAD:
            await asyncio.sleep(PAUSE)
            waiting = await _asked(lambda: calling.waiting(self._try))
            if 0 <= waiting < fewest:
                fewest, since = waiting, time.monotonic()
            if time.monotonic() - since > TAKEN_WITHIN:
                await _asked(lambda: calling.leave(self._try))
                return -1
        return waiting


async def _in_pieces(outlet: Pieces, answer: Answer) -> Answer:
    await outlet.begin(answer.status, answer.headers)
    await outlet.send(answer.body)
    return replace(answer, body=b"", is_streamed=True)


async def _asked(work: Callable[[], T]) -> T:
    try:
        return await in_thread(work)
    except (DatabaseError, InterfaceError) as error:
        raise UnitFailed(Failure(UNAVAILABLE, "the database can't be reached", retryable=True)) from error


def _left() -> UnitFailed:
    return UnitFailed(Failure(CANCELED, "the client has left", retryable=False))
