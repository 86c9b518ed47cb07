"""A world that a test moves: operations that units reach by `env.get(WORD)`, and what becomes of each."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from engine.contracts.ask import AskHandler
from engine.contracts.operation import Asker, Operation
from engine.entry import Entry
from engine.errors import Failure, UnitFailed, invalid
from engine.steps import Value
from tests.engine.hosts.actor import support

WITH = ["funcs", "time", "json", "ctx", "env"]


def lua(entry_id: str, body: str, **fields: Any) -> Entry:
    """A function that may use `env`."""
    return support.lua(entry_id, body, modules=WITH, **fields)


def process(entry_id: str, body: str) -> Entry:
    """A process that may use `env`."""
    return support.process(entry_id, body, modules=WITH)


class Opened:
    """A handle that notes its closing; `hangs` for ever, or fails."""

    def __init__(self, world: Outer, name: str) -> None:
        self._world, self.name = world, name

    async def close(self) -> None:
        """As its name says."""
        self._world.closing.append(self.name)
        if self.name == "hangs":
            await asyncio.Event().wait()
        if self.name == "fails":
            raise RuntimeError("a secret of the peer")
        self._world.closed.append(self.name)


class Other(Opened):
    """Of another kind."""


class Outer:
    """What happened in the world, in order."""

    def __init__(self, *, heeds_cancel: bool = False) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.cancelled: list[str] = []
        self.closing: list[str] = []
        self.closed: list[str] = []
        self.askers: list[Asker] = []
        self.go = asyncio.Event()
        self.gathered: weakref.ref[Opened] | None = None
        self._heeds = heeds_cancel

    def operations(self) -> Mapping[str, Operation]:
        """For a node."""
        return {"env.get": Operation(self.work, lambda args: f"look at {args[0]}", heeds_cancel=self._heeds)}

    async def work(self, asker: Asker, args: tuple[Value, ...]) -> Value:
        """`wait`, `open NAME`, `close NUMBER`, `get NUMBER`, `gather`, `big`, `bad`, `stubborn`, `heed`, any word."""
        word, _, rest = args[0].partition(" ")
        self.begun.append(args[0])
        self.askers.append(asker)
        try:
            return await getattr(self, f"_{word}", self._echo)(asker, rest)
        except asyncio.CancelledError:
            self.cancelled.append(args[0])
            raise
        finally:
            self.ended.append(args[0])

    async def _echo(self, asker: Asker, rest: str) -> Value:
        return "an answer"

    async def _wait(self, asker: Asker, rest: str) -> Value:
        await self.go.wait()
        return "went on"

    async def _open(self, asker: Asker, rest: str) -> Value:
        return str(asker.holdings.add(Opened(self, rest), f"the thing {rest}"))

    async def _close(self, asker: Asker, rest: str) -> Value:
        await asker.holdings.drop(int(rest))
        return "closed"

    async def _get(self, asker: Asker, rest: str) -> Value:
        return asker.holdings.get(int(rest), Opened, "thing").name

    async def _other(self, asker: Asker, rest: str) -> Value:
        return asker.holdings.get(int(rest), Other, "other").name

    async def _big(self, asker: Asker, rest: str) -> Value:
        return "x" * int(rest)

    async def _bad(self, asker: Asker, rest: str) -> Value:
        raise RuntimeError("a secret of the peer")

    async def _endless(self, asker: Asker, rest: str) -> Value:
        value: list[Value] = []
        value.append(value)
        return value

    async def _fail(self, asker: Asker, rest: str) -> Value:
        raise UnitFailed(invalid(rest))

    async def _gather(self, asker: Asker, rest: str) -> Value:
        await asyncio.sleep(0)
        gathered = Opened(self, rest)
        self.gathered = weakref.ref(gathered)
        raise UnitFailed(invalid(gathered.name))

    async def _heed(self, asker: Asker, rest: str) -> Value:
        return await asker.canceled.wait()

    async def _stubborn(self, asker: Asker, rest: str) -> Value:
        while not self.go.is_set():
            try:
                await self.go.wait()
            except asyncio.CancelledError:
                self.cancelled.append("stubborn")
        return "went on"


async def resolve(pid: str, args: tuple[Value, ...]) -> Value:
    """Every name is declared."""
    return {"id": args[0], "name": args[0]}


def asks(catalog: object) -> Mapping[str, AskHandler]:
    """The rest of what `env.get` asks."""
    return {"env.resolve": resolve}


def kind_of(failure: Failure) -> tuple[str, str]:
    """What tests compare."""
    return failure.kind, failure.message


Condition = Callable[[], bool]
