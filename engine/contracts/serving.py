"""The contract of requests that functions answer by the module `http`: who has them, and where their answers go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.contracts.host import CallRequest
from engine.steps import Value

Headers = tuple[tuple[str, str], ...]

Call = Callable[[CallRequest], Awaitable[Value]]
"""Runs a function on this node, as `Node.call`; raises UnitFailed."""

CONTEXT_KEY = "@http"
"""Where a function's context has the id of the request that it answers; code can't set it."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as handlers read it. Names of headers are lower-case, their values Latin-1, as HTTP has them.

    `path`, `query` and `params` are decoded; `remote` is the client's address, with its port where that is known.
    """

    id: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Headers
    params: Mapping[str, str]
    host: str
    remote: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler answered. Streamed, all of `body` went to the outlet before, and it is empty here."""

    status: int
    headers: Headers
    body: bytes
    is_streamed: bool = False


class Outlet(Protocol):
    """Where the pieces of a streamed answer go, in order, as they come; on the node's loop."""

    async def begin(self, status: int, headers: Headers) -> None:
        """The head, once, before the first piece; UnitFailed when the client has left."""
        ...

    async def send(self, data: bytes) -> None:
        """The next piece; UnitFailed when the client has left."""
        ...


class Server(Protocol):
    """Who has the requests and keeps their answers: a node is given one."""

    async def serve(self, id: str, target: str, call: Call) -> None:
        """Answer the request of that id by the function `target`; UnitFailed when that can't even be written down.

        Asked again, after a node died or a task got lost, it is Conflict if the function may have begun.
        """
        ...
