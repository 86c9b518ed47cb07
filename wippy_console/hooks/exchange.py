"""One request in ASGI's terms: its body within bounds, whether its client is still there, and its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from engine.asks.serving.headers import NEVER
from wippy_console.services import senders
from wippy_console.services.errors import Unavailable
from wippy_console.services.hooks import Headers, Incoming, Reply

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_FIELDS = 1000
"""Of a query."""
MOST_HELD = 256 * 1024 * 1024
"""Bytes of all bodies that a process holds at once: of strangers, too, since some prove themselves by their body."""
CROWDED = "There is more to read than can be held now. Nothing was changed. Try again in a moment."
_OURS = NEVER | {
    *("proxy-authenticate", "content-security-policy", "content-security-policy-report-only"),
    *("x-content-type-options", "cross-origin-resource-policy", "date", "server"),
}
"""Headers that no answer of a function may have: those of the connection, and those that speak for the console."""
_SAFE = (
    (b"content-security-policy", b"sandbox; default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class BadRequest(Exception):
    """What can't be read; the text is for the sender."""


class TooLarge(Exception):
    """The body has more bytes than it may."""


class Left(Exception):
    """The client is gone."""


class _Held:
    """How many bytes of bodies the process holds."""

    total = 0


class Exchange:
    """`is_open_to_all`: pages of other origins may ask, and read the answer. `has_begun`: its head was sent."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.is_open_to_all = self.has_begun = False
        self._receive = receive
        self._send = send
        self._listening: asyncio.Task[None] | None = None
        self._is_read = False
        self._held = 0

    def incoming(self) -> Incoming:
        """The request without its body; BadRequest."""
        scope = self.scope
        try:
            query = parse_qsl(
                scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_FIELDS
            )
        except ValueError as error:
            raise BadRequest(f"The query has more than {MOST_FIELDS} fields.") from error
        headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"])
        return Incoming(str(scope["method"]), str(scope["path"]), tuple(query), headers, _source(scope, headers), {})

    async def body(self, most: int) -> bytes:
        """The whole body; TooLarge, Left, Unavailable."""
        parts, size = list[bytes](), 0
        while not self._is_read:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Left
            part = message.get("body", b"")
            size += len(part)
            self._is_read = not message.get("more_body", False)
            if size > most:
                raise TooLarge
            self._hold(len(part))
            parts.append(part)
        return b"".join(parts)

    def left(self) -> asyncio.Task[None]:
        """Done when the client is gone."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        return self._listening

    async def answer(self, reply: Reply) -> None:
        """Send a whole answer."""
        has_body = reply.status not in (204, 304)
        length = (("content-length", str(len(reply.body))),) if has_body else ()
        await self.begin(reply.status, reply.headers, length)
        await self.send(reply.body if has_body and self.scope["method"] != "HEAD" else b"", is_last=True)

    async def begin(self, status: int, headers: Headers, ours: Headers = ()) -> None:
        """Send the head."""
        given = [(name, value) for name, value in headers if name.lower() not in _OURS]
        sent = [(name.lower().encode("latin-1", "replace"), _bytes(value)) for name, value in (*given, *ours)]
        if not any(name == b"cache-control" for name, _ in sent):
            sent.append((b"cache-control", b"no-store"))
        policy = b"cross-origin" if self.is_open_to_all else b"same-origin"
        sent += [*_SAFE, (b"cross-origin-resource-policy", policy)]
        self.has_begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": sent})

    async def send(self, data: bytes, *, is_last: bool = False) -> None:
        """Send a piece of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": not is_last})

    def _hold(self, size: int) -> None:
        if _Held.total + size > MOST_HELD:
            raise Unavailable(CROWDED)
        _Held.total += size
        self._held += size

    def close(self) -> None:
        """Listen no more; its body is not held any more."""
        _Held.total -= self._held
        self._held = 0
        if self._listening is not None:
            self._listening.cancel()

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _source(scope: Mapping[str, Any], headers: Iterable[tuple[str, str]]) -> str:
    told = ",".join(value for name, value in headers if name == "x-forwarded-for")
    client = scope.get("client") or ("",)
    return senders.address({"HTTP_X_FORWARDED_FOR": told, "REMOTE_ADDR": client[0]})[:45]


def _bytes(value: str) -> bytes:
    return value.replace("\r", " ").replace("\n", " ").replace("\0", " ").encode("latin-1", "replace")
