"""One exchange with a peer: a request goes out, an answer comes back, or where to go on, or what right it needs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress

import httpx

from engine.asks.http.bodies import Body
from engine.asks.http.connections import CONNECT_SECONDS, Answered, Lines, Transports
from engine.asks.http.doubles import Doubles
from engine.asks.http.failures import BROKEN, Stale, exceeded, timed_out, translated
from engine.asks.http.headers import answered, cookies_of
from engine.asks.http.limits import MAX_STREAMS, Held, Turns
from engine.asks.http.network import Network
from engine.asks.http.recording import Recording
from engine.asks.http.redirects import next_hop
from engine.asks.http.requests import Request
from engine.asks.http.resolver import Guard, NeedsRight, asker, checks
from engine.asks.http.streams import BodyStream, Opening
from engine.steps import Value

REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})

Answer = dict[str, Value]


class Exchanges:
    """Those of a node; all on the loop of its `Network`."""

    def __init__(self, network: Network, guard: Guard, doubles: Doubles, recording: Recording) -> None:
        self._network = network
        self._guard = guard
        self._doubles = doubles
        self._recording = recording
        self._turns = Turns()
        self._held = Held()
        self._streams = 0
        self._making = asyncio.Lock()
        self._made: Transports | None = None

    async def once(self, pid: str, request: Request, opening: Opening | None = None) -> Answer:
        """{response}, {hop, left} or {private, left}; raises UnitFailed. A stream is put into `opening`."""
        checks.set(request.approved)
        asker.set(pid)
        await self._transports()  # not in the request's time
        async with self._turns.turn(pid, request.seconds):
            began = time.monotonic()
            try:
                async with asyncio.timeout(request.seconds):
                    answer = await self._answer(request, opening)
            except TimeoutError as error:
                raise timed_out(request.what, request.seconds) from error
            except NeedsRight as needed:
                answer = {"private": needed.addresses}
            except BROKEN as error:
                raise translated(request.what, error) from error
            return {**answer, "left": max(0.001, request.seconds - (time.monotonic() - began))}

    async def _answer(self, request: Request, opening: Opening | None) -> Answer:
        received = self._doubles.answer(request) or await _sent(await self._lines(request), request)
        kept = False
        try:
            answer, kept = await self._read(request, received, opening)
            return answer
        finally:
            if not kept:
                await _closed(received)

    async def _lines(self, request: Request) -> Lines:
        made = await self._transports()
        if request.tls:
            return made.own(await asyncio.to_thread(request.tls.context), request.socket or None)
        if request.socket or request.approved:
            return made.own(None, request.socket or None)
        return made.shared(checked=request.approved is not None)

    async def _transports(self) -> Transports:
        """Made once, by whoever comes first: to read the machine's authorities takes a while."""
        async with self._making:
            if self._made is None:
                self._made = await asyncio.to_thread(Transports, self._guard)
            return self._made

    async def _read(self, request: Request, response: Answered, opening: Opening | None) -> tuple[Answer, bool]:
        """The answer, and whether it is kept open as a stream."""
        headers = answered(request.what, response.headers.raw)
        if hop := next_hop(request, response):
            await self._recording.keep(request, response.status, response.headers, b"")
            return {"hop": hop.to_value()}, False
        body = Body(request, response)
        if body.is_packed:
            headers = {
                name: text for name, text in headers.items() if name not in ("Content-Encoding", "Content-Length")
            }
        told: Answer = {
            "status_code": response.status,
            "headers": headers,
            "cookies": cookies_of(response.headers),
            "url": str(request.url),
        }
        if request.stream and opening is not None:
            await opening.put(self._opened(request, body, response))
            return {"response": {**told, "body_size": -1, "size": _size(body, response)}}, True
        return {"response": {**told, **await self._gathered(request, response, body)}}, False

    async def _gathered(self, request: Request, response: Answered, body: Body) -> Mapping[str, Value]:
        if request.method != "HEAD":
            body.check_announced()
        with self._held.account() as account:
            data = await body.all(account)
            await self._recording.keep(request, response.status, response.headers, data)
        return {"body": data, "body_size": len(data)}

    def _opened(self, request: Request, body: Body, response: Answered) -> BodyStream:
        if self._streams >= MAX_STREAMS:
            raise exceeded(f"this node has {MAX_STREAMS} streams open already", retryable=True)
        self._streams += 1
        is_open = True

        async def release() -> None:
            nonlocal is_open
            if is_open:
                is_open = False
                self._streams -= 1
                await _closed(response)

        return BodyStream(self._network, body, request.what, request.seconds, release)

    async def close(self) -> None:
        """Close what is kept."""
        if self._made is not None:
            await self._made.close()


def _size(body: Body, response: Answered) -> int:
    text = response.headers.get("content-length", "")
    return int(text) if text.isdecimal() and len(text) < 19 and not body.is_packed else -1


async def _sent(lines: Lines, request: Request) -> Answered:
    """The head of the answer. A kept connection may just be closed by the peer: what changes nothing goes again."""
    try:
        return await lines.send(_message(request))
    except Stale:
        if request.method not in REPEATABLE or request.body:
            raise
    return await lines.send(_message(request))


async def _closed(response: Answered) -> None:
    """Whatever becomes of the connection: the answer is there, or its failure."""
    with suppress(*BROKEN):
        await response.close()


def _message(request: Request) -> httpx.Request:
    packing = [(b"Accept-Encoding", b"gzip, deflate")] if request.unpacks else []
    extensions: dict[str, object] = {"timeout": {"connect": min(CONNECT_SECONDS, request.seconds)}}
    if request.tls and request.tls.server_name:
        extensions["sni_hostname"] = request.tls.server_name
    return httpx.Request(
        request.method,
        request.url,
        headers=[*request.headers, *packing],
        content=request.body or None,
        extensions=extensions,
    )
