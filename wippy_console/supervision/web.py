"""The web process: Daphne with the console's ASGI application, and bounds to what it keeps of a request."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any

import daphne.server
from daphne.endpoints import build_endpoint_description_strings
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.server import Server
from django.conf import settings
from twisted.web import http

MOST_BYTES = 64 * 1024 * 1024
"""Of a body: more than any page or address takes (`imported.MOST_BYTES` is the largest)."""
STALLED_SECONDS = 60.0
"""A client that reads nothing of an answer for so long is gone."""
MOST_DROPPED = 1024 * 1024 * 1024
"""Of a body that is let pass unkept, so that its sender reads the answer: a browser first sends all of it."""
RAW = b"/hooks/"
"""Addresses that have limits of their own."""
_TOO_LARGE = json.dumps(
    {"title": "Content Too Large", "status": 413, "detail": f"A body may have up to {MOST_BYTES} bytes."}
).encode()
_REFUSAL = (
    b"HTTP/1.1 413 Content Too Large\r\nContent-Type: application/problem+json\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_TOO_LARGE), _TOO_LARGE)
)


class BoundedRequest(WebRequest):  # type: ignore[misc] # Daphne has no types
    """Daphne hands on a body when it has all of it, and keeps in memory what a client does not read: both for ever.

    Here a body that is too large is kept nowhere: Django refuses it by its length, on a page or as a problem; one that
    says no length, or is beyond all measure, ends the connection. An answer waits until its client reads; Twisted tells
    by `pauseProducing` and the rest.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.room = asyncio.Event()
        self.room.set()
        self._size = 0
        self._is_refused = False
        self._is_dropped = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's
        """The headers came; None for a body that comes in chunks."""
        self._is_dropped = length is not None and length > self._most()
        super().gotLength(0 if self._is_dropped else length)
        if length is not None and length > MOST_DROPPED:
            self._refuse()

    def _most(self) -> int:
        """Only forms with files are larger than what Django takes of a body in memory."""
        kind = (self.requestHeaders.getRawHeaders(b"Content-Type") or [b""])[0]
        is_larger = kind.lower().startswith(b"multipart/") or self.channel._path.startswith(RAW)
        return MOST_BYTES if is_larger else int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE or MOST_BYTES)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's
        """A piece of the body came."""
        if self._is_dropped:
            return
        self._size += len(data)
        if self._size > MOST_BYTES:
            self._refuse()
        if not self._is_refused:
            super().handleContentChunk(data)

    def process(self) -> Any:
        """All of it came."""
        if self._is_refused:
            return None
        if self._is_dropped:  # read as a form, its length alone refuses it
            self.requestHeaders.setRawHeaders(b"Content-Type", [b"application/x-www-form-urlencoded"])
        if not self.requestHeaders.hasHeader(b"Upgrade"):  # a socket has a protocol of its own
            self.registerProducer(self, True)
        return super().process()

    def finish(self) -> None:
        """The answer is written."""
        self.room.set()
        if self.producer is not None:
            self.unregisterProducer()
        super().finish()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 - Twisted's
        """The client is gone."""
        self.room.set()
        super().connectionLost(reason)

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's
        """The client does not read as fast as it is answered."""
        self.room.clear()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's
        """It caught up."""
        self.room.set()

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's
        """It is gone."""
        self.room.set()

    def _refuse(self) -> None:
        if not self._is_refused:
            self._is_refused = True
            self.channel.transport.write(_REFUSAL)
            self.channel.loseConnection()


class BoundedFactory(HTTPFactory):  # type: ignore[misc] # Daphne has no types
    """Makes them."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - Twisted's
        """A connection."""
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = BoundedRequest
        return protocol


class BoundedServer(Server):  # type: ignore[misc] # Daphne has no types
    """Whoever answers waits for room."""

    async def handle_reply(self, protocol: Any, message: Any) -> None:
        """Send a message of the application's."""
        await super().handle_reply(protocol, message)
        if isinstance(protocol, BoundedRequest) and not protocol.room.is_set():
            try:
                await asyncio.wait_for(protocol.room.wait(), STALLED_SECONDS)
            except TimeoutError:
                protocol.transport.abortConnection()


def serve(descriptor: int | None) -> None:
    """Serve until SIGTERM, on an inherited listening socket or on WIPPY_BIND and PORT."""
    from wippy_console.asgi import application  # noqa: PLC0415 - imports models, so only after the set-up

    if descriptor is None:
        endpoints = build_endpoint_description_strings(host=settings.WIPPY_BIND, port=settings.WIPPY_PORT)
    else:
        endpoints = build_endpoint_description_strings(file_descriptor=descriptor)
    http.RESPONSES.update({each.value: each.phrase.encode() for each in HTTPStatus})  # Twisted knows no 429
    daphne.server.HTTPFactory = BoundedFactory  # the server makes its own, and has no parameter for another
    BoundedServer(application, endpoints=endpoints, server_name="wippy-console", **_proxy_headers()).run()


def _proxy_headers() -> dict[str, str]:
    """Believe a proxy's word on the client's address only where a proxy is required."""
    return {"proxy_forwarded_address_header": "X-Forwarded-For"} if settings.SECURE else {}
