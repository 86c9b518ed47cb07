"""Requests through Lua against plain httpx, to a small server in a process of its own; and many at once."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx

from bench.figure import Figure
from engine.asks.http.operations import HttpOperations
from engine.contracts.host import CallRequest
from engine.entry import Entry
from engine.memory.catalog import MemoryCatalog
from engine.node import LocalNode

TOTAL, AT_ONCE, MANY = 2_000, 50, 1_000
SERVER = """
import asyncio
ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 11\\r\\n\\r\\n{\\"ok\\":true}"
class Peer(asyncio.Protocol):
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data): self.transport.write(ANSWER * data.count(b"\\r\\n\\r\\n"))
async def main():
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
GET = """
local http_client = require("http_client")
return { main = function(url, tasks, each)
  local ended = channel.new(tasks)
  for _ = 1, tasks do
    coroutine.spawn(function()
      for _ = 1, each do assert(http_client.get(url)) end
      ended:send(true)
    end)
  end
  for _ = 1, tasks do ended:receive() end
end }
"""


def lua_against_httpx() -> Figure:
    """Requests a second of one unit, fifty at once, against httpx alone."""
    return asyncio.run(_measured())


async def _measured() -> Figure:
    async with _peer() as url, _node() as node:
        plain = await _rate(TOTAL, lambda: _plain(url))
        ours = await _rate(TOTAL, lambda: _unit(node, url, AT_ONCE, TOTAL // AT_ONCE))
        one = await _rate(MANY, lambda: _unit(node, url, MANY, 1))
        many = await _rate(MANY, lambda: _units(node, url))
        detail = (
            f"{ours:.0f} a second in Lua, {plain:.0f} in httpx, {AT_ONCE} at once; {MANY:,} at once of one unit: "
            f"{one:.0f} a second; of {MANY:,} units: {many:.0f}"
        )
    return Figure("requests through Lua against httpx", ours / plain, 1.0, detail)


async def _rate(count: int, work: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await work()
    return count / (time.perf_counter() - began)


async def _plain(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:

        async def some() -> None:
            for _ in range(TOTAL // AT_ONCE):
                (await client.get(url)).raise_for_status()

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))


async def _unit(node: LocalNode, url: str, tasks: int, each: int) -> None:
    await node.call(CallRequest("bench:get", (url, tasks, each)))


async def _units(node: LocalNode, url: str) -> None:
    await asyncio.gather(*(_unit(node, url, 1, 1) for _ in range(MANY)))


@asynccontextmanager
async def _node() -> AsyncIterator[LocalNode]:
    data = {"source": GET, "modules": ["http_client"], "pool": {"type": "lazy", "max_size": MANY}}
    http = HttpOperations(["127.0.0.1"])
    catalog = MemoryCatalog([Entry("bench:get", "function.lua", {}, data)])
    node = LocalNode("bench", catalog, operations=http.operations())
    await node.start()
    try:
        yield node
    finally:
        await node.stop(1)
        await http.close()


@asynccontextmanager
async def _peer() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, stdout=asyncio.subprocess.PIPE
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}/orders"
    finally:
        process.kill()
        await process.wait()
