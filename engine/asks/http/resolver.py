"""Names of hosts to addresses that were checked: what is returned is connected to, and nothing is asked twice."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

from engine.asks.http.addresses import Address, Allowed, is_private, read_address
from engine.asks.http.failures import Refused, Unresolved
from engine.asks.http.limits import Turns

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""Name -> texts of addresses, best first; raises OSError."""
THREADS, OF_ONE_UNIT = 16, 4
"""Names that are looked up at once; of one unit: names that nobody answers for keep no others waiting."""
SECONDS = 30.0
MAX_ADDRESSES = 8

asker: ContextVar[str] = ContextVar("asker", default="")
"""The pid of the unit whose request is under way."""

checks: ContextVar[frozenset[str] | None] = ContextVar("checks", default=None)
"""What the request under way may reach of private addresses, by policies of its unit; None where no policy is asked."""


class NeedsRight(Exception):
    """Private addresses that a policy has to allow first."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        super().__init__("private addresses")
        self.addresses = [str(address) for address in addresses]


class SystemResolver:
    """What the machine answers, on threads of its own: a slow server of names holds up no other work."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "http-names")
        self._turns = Turns(THREADS, OF_ONE_UNIT)
        self._under_way: set[asyncio.Task[Sequence[str]]] = set()

    async def __call__(self, name: str) -> Sequence[str]:
        """Both families, in the machine's order. A thread that still waits counts for its unit, whoever gave up."""
        task = asyncio.ensure_future(self._look_up(name))
        self._under_way.add(task)
        task.add_done_callback(self._over)
        return await asyncio.shield(task)

    def _over(self, task: asyncio.Task[Sequence[str]]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited may be gone

    async def _look_up(self, name: str) -> Sequence[str]:
        async with self._turns.turn(asker.get(), SECONDS):
            return await self._found(name)

    async def _found(self, name: str) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, lambda: socket.getaddrinfo(name, 0, type=socket.SOCK_STREAM))
        return list(dict.fromkeys(str(each[4][0]) for each in found))

    def close(self) -> None:
        """Wait for nobody."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class Guard:
    """Gives the addresses of a host that the request under way may connect to."""

    def __init__(self, allowed: Allowed, resolve: Resolve) -> None:
        self._allowed = allowed
        self._resolve = resolve

    async def addresses(self, host: str, port: int) -> list[Address]:
        """At least one; raises Refused, Unresolved or NeedsRight."""
        found = await self._found(host)
        open_ones = [each for each in found if self._allowed.covers(host, each, port)]
        if not open_ones:
            raise Refused(_why(host, found[0]))
        return _permitted(open_ones)

    async def _found(self, host: str) -> list[Address]:
        literal = read_address(host)
        if literal is not None:
            return [literal]
        try:
            texts = await self._resolve(host)
        except (OSError, UnicodeError) as error:
            raise Unresolved(host) from error
        found = [address for text in texts[:MAX_ADDRESSES] if (address := read_address(text)) is not None]
        if not found:
            raise Unresolved(host)
        return found

    def socket(self, path: str) -> str:
        """The path of a Unix socket that may be connected to; Refused."""
        if not self._allowed.covers_socket(path):
            raise Refused(f"Unix socket {path} (WIPPY_HTTP_ALLOW does not name it)")
        return path


def _permitted(addresses: Sequence[Address]) -> list[Address]:
    """Those that policies allow: public ones, and private ones that were asked for."""
    approved = checks.get()
    if approved is None:
        return list(addresses)
    usable = [each for each in addresses if not is_private(each) or str(each) in approved]
    if not usable:
        raise NeedsRight(addresses)
    return usable


def _why(host: str, address: Address) -> str:
    """An address behind a name is not told: who asks learns nothing of the network."""
    what = f"private IP {address}" if str(address) == host or read_address(host) else f"{host} is a private address"
    return f"{what} (WIPPY_HTTP_ALLOW does not name it)"
