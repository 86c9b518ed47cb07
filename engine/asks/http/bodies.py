"""The body of an answer: read as far as it is asked for, unpacked, counted."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator

from engine.asks.http.connections import Answered
from engine.asks.http.failures import BROKEN, broken, too_large, translated
from engine.asks.http.limits import Account
from engine.asks.http.requests import Request
from engine.asks.http.unpacking import Plain, Unpacker, unpacker

SHARE = 64
"""Pieces after which others get a turn: a peer that sends crumbs keeps one thread busy, and nobody waiting."""


class Body:
    """The body of one response, of one reader at a time."""

    def __init__(self, request: Request, response: Answered) -> None:
        self._what = request.what
        self._limit = request.max_body
        self._response = response
        found = unpacker(response.headers.get("content-encoding", "")) if request.unpacks else None
        self.is_packed = found is not None
        self._unpacker: Unpacker = found or Plain()
        self._raw: AsyncIterator[bytes] | None = None
        self._pieces = 0
        self.sent = 0
        self.taken = 0
        self.ended = False

    def check_announced(self) -> None:
        """LimitExceeded when the peer says already that it sends too much."""
        announced = self._response.headers.get("content-length", "")
        if self._limit and announced.isdecimal() and int(announced[:20]) > self._limit:
            raise too_large(self._what, "the answer", self._limit)

    async def all(self, account: Account) -> bytes:
        """The whole body; LimitExceeded when it is too large."""
        found = bytearray()
        while piece := await self.piece():
            account.take(len(piece))
            found += piece
        return bytes(found)

    async def piece(self) -> bytes:
        """Some bytes, b"" at the end; raises UnitFailed."""
        try:
            return await self._piece()
        except zlib.error as error:
            raise broken(self._what, "the answer's packing is broken", retryable=False) from error
        except BROKEN as error:
            raise translated(self._what, error) from error

    async def _piece(self) -> bytes:
        while not self.ended:
            if not self._unpacker.wants:
                if piece := self._counted(self._unpacker.take()):
                    return piece
                continue
            await self._feed()
        return b""

    async def _feed(self) -> None:
        self._pieces += 1
        if self._pieces % SHARE == 0:
            await asyncio.sleep(0)
        self._raw = self._raw or self._response.pieces()
        data = await anext(self._raw, None)
        if data is None:
            self.ended = True
            return
        self.sent += len(data)
        self._check(self.sent)
        self._unpacker.feed(data)

    def _counted(self, piece: bytes) -> bytes:
        self.taken += len(piece)
        self._check(self.taken)
        return piece

    def _check(self, count: int) -> None:
        if self._limit and count > self._limit:
            raise too_large(self._what, "the answer", self._limit)
