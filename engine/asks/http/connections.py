"""Connections: made to checked addresses alone, kept for later requests that may use them as well."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from typing import Any, Protocol

import certifi
import httpcore
import httpx

from engine.asks.http.failures import Stale
from engine.asks.http.resolver import Guard

logging.getLogger("httpcore").setLevel(logging.WARNING)  # below it tells headers, which are secrets

KEPT, KEPT_SECONDS = 64, 20.0
CONNECT_SECONDS = 10.0
CLOSED = (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError)


class Plain(httpcore.AsyncNetworkStream):
    """A connection before TLS, closed when agreeing on it is canceled: httpcore forgets it then."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Some bytes."""
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes."""
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close it."""
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Agree on TLS."""
        try:
            return await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks."""
        return self._stream.get_extra_info(info)


class Pinned(httpcore.AsyncNetworkBackend):
    """Resolves, checks and connects in one go. TLS and the Host header still know the name."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first of the host's addresses that answers, families in turn."""
        addresses = _alternating(await self._guard.addresses(host, port))
        end = time.monotonic() + (timeout or CONNECT_SECONDS)
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            seconds = max(0.1, (end - time.monotonic()) / left)
            try:
                return Plain(await self._network.connect_tcp(str(address), port, seconds, None, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
        raise AssertionError("a host has at least one address")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a socket that may be used."""
        return Plain(await self._network.connect_unix_socket(self._guard.socket(path), timeout, socket_options))

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def _alternating(addresses: list[Any]) -> list[Any]:
    """As they came, but each second one of the other family while there are some."""
    first = [each for each in addresses if each.version == addresses[0].version]
    other = [each for each in addresses if each.version != addresses[0].version]
    mixed = [each for pair in zip(first, other, strict=False) for each in pair]
    return mixed + [each for each in addresses if each not in mixed]


class Answered(Protocol):
    """An answer whose head is here."""

    status: int
    headers: httpx.Headers

    def pieces(self) -> AsyncIterator[bytes]:
        """The body as it is sent."""
        ...

    async def close(self) -> None:
        """Read no more."""
        ...


class Received:
    """An answer whose head is here; `close` it, which gives its connection back or ends it."""

    def __init__(
        self, response: httpcore.Response, lines: Lines, line: httpcore.AsyncHTTPConnection, origin: str
    ) -> None:
        self.status = response.status
        self.headers = httpx.Headers(response.headers)
        self._response = response
        self._lines = lines
        self._line, self._origin = line, origin

    def pieces(self) -> AsyncIterator[bytes]:
        """The body as it is sent."""
        return self._response.aiter_stream()

    async def close(self) -> None:
        """Read no more; a connection in the middle of an answer is not used again."""
        try:
            await self._response.aclose()
        finally:
            await self._lines.give(self._line, self._origin)


class Lines:
    """Connections by origin, the last used first. httpcore's own pool looks at all of them for each request."""

    def __init__(self, guard: Guard, context: ssl.SSLContext, *, most: int = KEPT, uds: str | None = None) -> None:
        self._network = Pinned(guard)
        self._context = context
        self._most = most
        self._uds = uds
        self._kept: OrderedDict[httpcore.AsyncHTTPConnection, str] = OrderedDict()
        self._by_origin: dict[str, list[httpcore.AsyncHTTPConnection]] = {}
        self._sweep: asyncio.TimerHandle | None = None

    async def send(self, request: httpx.Request) -> Received:
        """Send a request; raises what httpcore and the guard do, and Stale."""
        message = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        line, is_new = await self._line(message.url.origin)
        try:
            return Received(await line.handle_async_request(message), self, line, str(message.url.origin))
        except BaseException as error:
            await line.aclose()
            if isinstance(error, CLOSED) and not is_new:
                raise Stale from error
            raise

    async def give(self, line: httpcore.AsyncHTTPConnection, origin: str) -> None:
        """Keep a connection that can be used again."""
        if not line.is_idle() or not self._most:
            await line.aclose()
            return
        self._kept[line] = origin
        self._by_origin.setdefault(origin, []).append(line)
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._begin_sweep)
        if len(self._kept) > self._most:
            await self._drop(next(iter(self._kept)))

    async def _line(self, origin: httpcore.Origin) -> tuple[httpcore.AsyncHTTPConnection, bool]:
        """A connection, and whether it is a new one."""
        kept = self._by_origin.get(str(origin), [])
        while kept:
            line = kept[-1]
            if not line.has_expired():
                self._forget(line)
                return line, False
            await self._drop(line)
        made = httpcore.AsyncHTTPConnection(
            origin, self._context, KEPT_SECONDS, uds=self._uds, network_backend=self._network
        )
        return made, True

    def _forget(self, line: httpcore.AsyncHTTPConnection) -> None:
        origin = self._kept.pop(line)
        self._by_origin[origin].remove(line)
        if not self._by_origin[origin]:
            del self._by_origin[origin]

    async def _drop(self, line: httpcore.AsyncHTTPConnection) -> None:
        self._forget(line)
        await line.aclose()

    def _begin_sweep(self) -> None:
        self._sweep = None
        self._sweeping = asyncio.ensure_future(self._sweep_expired())

    async def _sweep_expired(self) -> None:
        for line in [each for each in self._kept if each.has_expired()]:
            if line in self._kept:
                await self._drop(line)
        if self._kept and self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._begin_sweep)

    async def close(self) -> None:
        """Close what is kept."""
        if self._sweep is not None:
            self._sweep.cancel()
        for line in list(self._kept):
            await self._drop(line)


def trusting(ca: bytes | None = None) -> ssl.SSLContext:
    """A context that believes the machine's authorities, or the given ones alone; ssl.SSLError."""
    if ca is not None:
        return ssl.create_default_context(cadata=ca.decode("ascii", "replace"))
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context


class Transports:
    """Who may use a connection again: units under policies never use one that only others may have.

    So there are two for all that has no options of its own; what a policy let reach a private address, or has its own
    TLS or socket, gets one that keeps nothing.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._context = trusting()
        self._free = Lines(guard, self._context)
        self._checked = Lines(guard, self._context)

    def shared(self, *, checked: bool) -> Lines:
        """The one for units with or without policies."""
        return self._checked if checked else self._free

    def own(self, context: ssl.SSLContext | None = None, uds: str | None = None) -> Lines:
        """One for a single request, which keeps nothing."""
        return Lines(self._guard, context or self._context, most=0, uds=uds)

    async def close(self) -> None:
        """Close what is kept."""
        await self._free.close()
        await self._checked.close()
