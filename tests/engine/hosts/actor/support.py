"""A node over entries in memory, and short spellings for the entries that these tests need."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from engine.contracts.ask import AskHandler
from engine.contracts.host import CallRequest, SpawnRequest
from engine.entry import Entry
from engine.errors import Failure, UnitFailed
from engine.memory.catalog import MemoryCatalog
from engine.node import LocalNode
from tests.patience import PATIENCE

MODULES = ("funcs", "time", "json", "ctx")
HOST = Entry("app:procs", "process.host", {}, {"host": {}})


def lua(entry_id: str, body: str, kind: str = "function.lua", **fields: Any) -> Entry:
    """An entry whose method is a function of `...` with the body; all modules are globals in it."""
    meta = fields.pop("meta", {})
    source = f"return {{ main = function(...)\n{body}\nend }}"
    return Entry(entry_id, kind, meta, {"source": source, "modules": list(MODULES), **fields})


def process(entry_id: str, body: str, **fields: Any) -> Entry:
    """A process entry."""
    return lua(entry_id, body, "process.lua", **fields)


def service(entry_id: str, process_id: str, lifecycle: Mapping[str, Any] | None = None, **fields: Any) -> Entry:
    """A service entry on the host `app:procs` that starts by itself."""
    data = {
        "process": process_id,
        "host": "app:procs",
        "lifecycle": {"auto_start": True, **(lifecycle or {})},
        **fields,
    }
    return Entry(entry_id, "process.service", {}, data)


class Lab:
    """A running node and its catalog."""

    def __init__(self, node: LocalNode, catalog: MemoryCatalog) -> None:
        self.node = node
        self.catalog = catalog

    async def call(self, target: str, *args: Any, **fields: Any) -> Any:
        """Call a function of the node."""
        return await self.node.call(CallRequest(target, args, **fields))

    async def spawn(self, entry_id: str, *args: Any, name: str = "") -> str:
        """Spawn a process on `app:procs`; its name is registered when this returns."""
        host = self.node.host(HOST.id)
        assert host is not None
        return await host.spawn(SpawnRequest(entry_id, HOST.id, args, name=name))

    async def run(self, body: str, *args: Any) -> Any:
        """Run a Lua body as a function."""
        self.catalog.publish(lua("test:body", body))
        return await asyncio.wait_for(self.call("test:body", *args), PATIENCE)

    async def failure(self, target: str, *args: Any, **fields: Any) -> Failure:
        """The failure that a call ends with."""
        with pytest.raises(UnitFailed) as caught:
            await asyncio.wait_for(self.call(target, *args, **fields), PATIENCE)
        return caught.value.failure

    async def until(self, condition: Callable[[], bool], timeout: float = PATIENCE) -> None:
        """Wait for something that happens on another thread."""
        async with asyncio.timeout(timeout):
            while not condition():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def lab(
    *entries: Entry, ask_handlers: Callable[[MemoryCatalog], Mapping[str, AskHandler]] | None = None, **options: Any
) -> AsyncIterator[Lab]:
    """A node with the host `app:procs` and the entries, stopped without grace at the end."""
    catalog = MemoryCatalog([HOST, *entries])
    node = LocalNode("node-1", catalog, ask_handlers=ask_handlers(catalog) if ask_handlers else None, **options)
    await node.start()
    try:
        yield Lab(node, catalog)
    finally:
        await node.stop(grace=0)
