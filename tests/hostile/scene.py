"""A node whose units meet hostile peers, its neighbours, and what is left of it all."""

from __future__ import annotations

import asyncio
import os
import threading
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.asks.http.operations import HttpOperations
from engine.asks.http.resolver import Resolve
from engine.asks.sql.asks import SqlAsks
from engine.asks.sql.databases import Databases
from engine.asks.store.asks import StoreAsks
from engine.contracts.host import CallRequest
from engine.contracts.operation import Outside
from engine.entry import Entry
from engine.errors import UnitFailed, not_found
from engine.hosts.python.functions import PythonFunctions
from engine.hosts.python.surroundings import Surroundings
from engine.memory.catalog import MemoryCatalog
from engine.node import LocalNode
from tests.engine.hosts.actor.support import HOST, Lab, lua
from tests.hostile import code
from tests.patience import PATIENCE
from wippy_console.sdk.context import Context

NEIGHBOUR = lua("app:neighbour", "return 2 * ...")
NEIGHBOURS = 20
"""Calls that finish while somebody waits for a hostile peer."""


@dataclass(frozen=True, slots=True)
class Told:
    """How a call of a body ended: a kind of errors with its text, or "ok" and the value."""

    kind: str
    text: str


POOLS = ("asks", "asyncio", "http-names", "lookups", "python function")
"""Threads that come when they are first needed, and stay; there are only so many."""


@dataclass(frozen=True, slots=True)
class Left:
    """What an OS process holds."""

    files: int
    threads: tuple[str, ...]
    tasks: int

    @classmethod
    def now(cls) -> Left:
        """Of this one."""
        threads = [each.name for each in threading.enumerate() if not each.name.startswith(POOLS)]
        return cls(len(os.listdir("/proc/self/fd")), tuple(sorted(threads)), len(asyncio.all_tasks()))

    def holds_no_more_than(self, other: Left) -> bool:
        """Whether nothing was left behind since."""
        return self.files <= other.files and len(self.threads) <= len(other.threads) and self.tasks <= other.tasks


class Scene(Lab):
    """A node with all that reaches the world."""

    async def told(self, body: str, *args: Any, modules: tuple[str, ...] = ()) -> Told:
        """Run a body that returns a value, or nil and an error."""
        async with asyncio.timeout(PATIENCE):
            return await self._told(body, *args, modules=modules)

    async def meanwhile(self, body: str, *args: Any, modules: tuple[str, ...], until: Callable[[], bool]) -> Told:
        """The same; while it waits for its peer, which `until` shows, neighbours call and finish."""
        call = asyncio.create_task(self.told(body, *args, modules=modules))
        await self.until(lambda: until() or call.done())
        await self.neighbours()
        return await call

    async def neighbours(self) -> None:
        """Others call, each call finishes."""
        async with asyncio.timeout(PATIENCE):
            for n in range(NEIGHBOURS):
                assert await self.call(NEIGHBOUR.id, n) == 2 * n

    async def canceled(self, body: str, *args: Any, modules: tuple[str, ...], until: Callable[[], bool]) -> Any:
        """Spawn a process that runs the body, wait until its peer has it, ask it to stop: the error that it saw."""
        source = f"local function body(...) {body}\nend\nlocal v, err = body(...)\nerror(err or 'none')"
        entry = lua("app:victim", source, "process.lua", modules=["time", *modules])
        self.catalog.publish(entry)
        ended: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        pid = await self.spawn(entry.id, *args)
        host = self.node.host(HOST.id)
        assert host is not None
        await host.watch(pid, "test", ended.set_result)
        await self.until(until)
        await host.cancel(pid, "enough", "")
        return (await asyncio.wait_for(ended, PATIENCE)).failure

    async def terminated(self, body: str, *args: Any, modules: tuple[str, ...], until: Callable[[], bool]) -> None:
        """Spawn a process that runs the body, wait until its peer has it, end it."""
        self.catalog.publish(lua("app:victim", body, "process.lua", modules=["time", *modules]))
        pid = await self.spawn("app:victim", *args)
        host = self.node.host(HOST.id)
        assert host is not None
        await self.until(until)
        await host.terminate(pid, "enough", "")
        await self.until(lambda: self.node.describe(pid) is None)

    async def comes_back_to(self, before: Left) -> None:
        """Wait until nothing is held that was not before."""
        try:
            await self.until(lambda: Left.now().holds_no_more_than(before))
        except TimeoutError:
            raise AssertionError(f"{before} before, {Left.now()} after") from None

    async def _told(self, body: str, *args: Any, modules: tuple[str, ...]) -> Told:
        source = f"local function body(...) {body}\nend\nlocal v, err = body(...)\n"
        source += "if err then return {err:kind(), tostring(err)} end\nreturn {'ok', tostring(v)}"
        entry = lua(f"app:victim{uuid.uuid4().hex}", source, modules=["funcs", "time", *modules])  # two may run at once
        self.catalog.publish(entry)
        try:
            return Told(*await self.node.call(CallRequest(entry.id, args)))
        except UnitFailed as error:
            return Told(f"died: {error.failure.kind}", error.failure.message)


@asynccontextmanager
async def scene(
    folder: Path, *entries: Entry, resolve: Resolve | None = None, threads: int = 4
) -> AsyncIterator[Scene]:
    """A node that may reach this machine."""
    catalog = MemoryCatalog([HOST, NEIGHBOUR, *entries])
    databases = Databases(catalog, {}, folder)
    python = PythonFunctions(Surroundings(_resolved, Context), threads=threads)
    modules: list[Outside] = [
        HttpOperations(["127.0.0.1"], resolve),
        StoreAsks(catalog, databases),
        SqlAsks(databases),
        python,
    ]
    operations = {name: each for module in modules for name, each in module.operations().items()}
    node = LocalNode("node-1", catalog, operations=operations)
    await node.start()
    try:
        yield Scene(node, catalog)
    finally:
        await node.stop(grace=0)
        for module in modules:
            await module.close()


def _resolved(entry_id: str, text: str) -> Callable[..., Any]:
    function: Callable[..., Any] | None = getattr(code, text.partition(":")[2], None)
    if function is None:
        raise UnitFailed(not_found(f"{text} is no function here"))
    return function
