"""Connections: made to checked addresses alone, kept for later requests that may use them as well."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterable
from typing import Any

import certifi
import httpcore
import httpx

from engine.asks.http.resolver import Guard

KEPT, KEPT_SECONDS = 64, 20.0
CONNECT_SECONDS = 10.0


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
                return await self._network.connect_tcp(str(address), port, seconds, None, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
        raise AssertionError("a host has at least one address")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a socket that may be used."""
        return await self._network.connect_unix_socket(self._guard.socket(path), timeout, socket_options)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def _alternating(addresses: list[Any]) -> list[Any]:
    """As they came, but each second one of the other family while there are some."""
    first = [each for each in addresses if each.version == addresses[0].version]
    other = [each for each in addresses if each.version != addresses[0].version]
    mixed = [each for pair in zip(first, other, strict=False) for each in pair]
    return mixed + [each for each in addresses if each not in mixed]


class Transport(httpx.AsyncHTTPTransport):
    """httpx's, on connections of ours; proxies of the environment are not known to it."""

    def __init__(self, guard: Guard, context: ssl.SSLContext, *, kept: int = KEPT, uds: str | None = None) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=None,
            max_keepalive_connections=kept,
            keepalive_expiry=KEPT_SECONDS,
            uds=uds,
            network_backend=Pinned(guard),
        )


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
        self._free = Transport(guard, self._context)
        self._checked = Transport(guard, self._context)

    def shared(self, *, checked: bool) -> Transport:
        """The one for units with or without policies."""
        return self._checked if checked else self._free

    def own(self, context: ssl.SSLContext | None = None, uds: str | None = None) -> Transport:
        """One for a single request; close it."""
        return Transport(self._guard, context or self._context, kept=0, uds=uds)

    async def close(self) -> None:
        """Close what is kept."""
        await self._free.aclose()
        await self._checked.aclose()
