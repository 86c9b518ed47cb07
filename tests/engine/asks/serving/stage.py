"""Requests to a node whose functions answer them, and a client that hears the answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from engine.asks.serving.operations import Serving
from engine.contracts.serving import Answer, Headers, Request
from engine.entry import Entry
from engine.errors import UNAVAILABLE, Failure, UnitFailed
from tests.engine.hosts.actor.support import Lab, lab, lua
from tests.patience import PATIENCE

MODULES = ["http", "funcs", "json", "time", "ctx", "channel"]
GET = Request("d1", "GET", "/hooks/x", (), (), {}, "here.test", "192.0.2.7:4711", b"")


def request(body: bytes = b"", kind: str = "application/json", *headers: tuple[str, str], **fields: Any) -> Request:
    """A POST of a body."""
    sent = (("content-type", kind), ("content-length", str(len(body))), *headers)
    return replace(GET, method="POST", body=body, headers=sent, **fields)


def entry(body: str, entry_id: str = "app:answer", **fields: Any) -> Entry:
    """A function that has `req` and `res`."""
    opened = "local req, res = assert(http.request()), assert(http.response())\n"
    return lua(entry_id, opened + body, modules=MODULES, **fields)


@dataclass
class Client:
    """An outlet; one that `leaves` takes nothing after so many pieces."""

    leaves: int = -1
    status: int = 0
    headers: Headers = ()
    pieces: list[bytes] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def begin(self, status: int, headers: Headers) -> None:
        """The head, once."""
        assert not self.status and not self.pieces
        self.status, self.headers = status, headers

    async def send(self, data: bytes) -> None:
        """A piece behind the head."""
        assert self.status and data
        if len(self.pieces) == self.leaves:
            raise UnitFailed(Failure(UNAVAILABLE, "the client has left"))
        self.pieces.append(data)
        self.heard.set()

    @property
    def text(self) -> str:
        """All that came."""
        return b"".join(self.pieces).decode()


@dataclass
class Desk:
    """A node that answers."""

    lab: Lab
    serving: Serving

    async def ask(self, asked: Request = GET, outlet: Client | None = None, target: str = "app:answer") -> Answer:
        """The answer."""
        handled = self.serving.handle(asked, outlet or Client(), self.lab.node.call, target)
        return await asyncio.wait_for(handled, PATIENCE)

    async def fails(self, asked: Request = GET, outlet: Client | None = None, target: str = "app:answer") -> Failure:
        """Why there is none."""
        try:
            answer = await self.ask(asked, outlet, target)
        except UnitFailed as error:
            return error.failure
        raise AssertionError(f"answered {answer}")


@asynccontextmanager
async def desk(*entries: Entry | str) -> AsyncIterator[Desk]:
    """A node with the entries; a text is the body of the function that answers."""
    serving = Serving()
    found: Iterable[Entry] = [entry(each) if isinstance(each, str) else each for each in entries]
    async with lab(*found, operations=serving.operations()) as it:
        yield Desk(it, serving)
    assert not serving._exchanges


async def said(body: str, asked: Request = GET) -> Any:
    """What `return ...` of a body that knows `req` comes to, by way of JSON."""
    asks = f"res:write_json((function() {body} end)())"
    async with desk(asks) as it:
        return json.loads((await it.ask(asked)).body)


def header(headers: Headers, name: str) -> str | None:
    """The value of one that may be there once."""
    found = [value for known, value in headers if known == name]
    assert len(found) < 2
    return found[0] if found else None
