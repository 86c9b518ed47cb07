"""Figures of the actor host: spawns, memory of an idle process, messages between two Lua processes.

Run as `python -m bench.actors [processes] [round trips]`; prints one line per figure.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from pathlib import Path

from engine.contracts.host import CallRequest, SpawnRequest
from engine.entry import Entry
from engine.memory.catalog import MemoryCatalog
from engine.node import LocalNode

HOST = "bench:procs"
SOURCES = {
    "idle": ("process.lua", "process.inbox():receive()"),
    "typical": (
        "process.lua",
        """
        local time = require("time")
        local inbox, events, tick = process.inbox(), process.events(), time.ticker("10m")
        while true do
            local got = channel.select{inbox:case_receive(), events:case_receive(), tick:response():case_receive()}
            if got.channel == events then return end
        end
        """,
    ),
    "echo": (
        "process.lua",
        "local inbox = process.inbox() while true do local m = inbox:receive() process.send(m:from(), 'pong', 1) end",
    ),
    "ping": (
        "function.lua",
        """
        local n = ...
        local pong, pid = process.listen("pong"), process.spawn("bench:echo", "bench:procs")
        for _ = 1, n do process.send(pid, "ping", 1) pong:receive() end
        process.terminate(pid)
        return n
        """,
    ),
    "spawner": (
        "function.lua",
        "local n = ... for _ = 1, n do assert(process.spawn('bench:idle', 'bench:procs')) end return n",
    ),
}


def catalog() -> MemoryCatalog:
    """The entries of the benchmark."""
    entries = [Entry(HOST, "process.host", {}, {"host": {}})]
    for name, (kind, body) in SOURCES.items():
        source = f"return {{ main = function(...) {body} end }}"
        entries.append(
            Entry(f"bench:{name}", kind, {}, {"source": source, "modules": ["time"], "pool": {"type": "inline"}})
        )
    return MemoryCatalog(entries)


def resident() -> int:
    """Bytes of this OS process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def burst(node: LocalNode, count: int) -> tuple[float, float, float]:
    """MB in memory before a burst of processes, at its height, and two seconds after the last has ended."""
    host = node.host(HOST)
    assert host is not None
    before = resident()
    for _ in range(count):
        await host.spawn(SpawnRequest("bench:idle", HOST))
    while any(process.state != "idle" for process in node.processes()):
        await asyncio.sleep(0.01)
    height = resident()
    for process in node.processes():
        await host.terminate(process.pid, "", "")
    while any(node.processes()):
        await asyncio.sleep(0.01)
    gc.collect()
    await asyncio.sleep(2)
    return before / 2**20, height / 2**20, resident() / 2**20


async def idle_processes(node: LocalNode, count: int, entry: str = "bench:idle") -> tuple[float, float]:
    """Spawn processes and wait until all are idle; the seconds that took, and KB of memory for each."""
    host = node.host(HOST)
    assert host is not None
    before, began = resident(), time.perf_counter()
    for _ in range(count):
        await host.spawn(SpawnRequest(entry, HOST))
    while any(process.state != "idle" for process in node.processes()):
        await asyncio.sleep(0.01)
    seconds, kilobytes = time.perf_counter() - began, (resident() - before) / count / 1024
    for process in node.processes():
        await host.terminate(process.pid, "", "")
    return seconds, kilobytes


async def lua_spawns(node: LocalNode, count: int) -> None:
    """Spawns that one Lua function makes, each answered before the next."""
    began = time.perf_counter()
    await node.call(CallRequest("bench:spawner", (count,)))
    print(f"process.spawn from Lua   {count / (time.perf_counter() - began):10.0f} /s")


async def round_trips(node: LocalNode, count: int, pairs: int) -> float:
    """Messages there and back between pairs of Lua processes; per second, all pairs together."""
    await node.call(CallRequest("bench:ping", (1,)))
    began = time.perf_counter()
    await asyncio.gather(*(node.call(CallRequest("bench:ping", (count,))) for _ in range(pairs)))
    return count * pairs / (time.perf_counter() - began)


async def queue_round_trips(count: int) -> float:
    """The same between two asyncio tasks over asyncio.Queue."""
    there, back = asyncio.Queue[int](), asyncio.Queue[int]()

    async def ping() -> None:
        for _ in range(count):
            there.put_nowait(1)
            await back.get()

    async def pong() -> None:
        for _ in range(count):
            await there.get()
            back.put_nowait(1)

    began = time.perf_counter()
    await asyncio.gather(ping(), pong())
    return count / (time.perf_counter() - began)


async def main(processes: int, trips: int) -> None:
    """All figures."""
    node = LocalNode("bench", catalog())
    await node.start()
    ours = await round_trips(node, trips, 1)
    print(f"round trips,   1 pair    {ours:10.0f} /s")
    print(f"round trips,  50 pairs   {await round_trips(node, max(1, trips // 10), 50):10.0f} /s")
    theirs = await queue_round_trips(trips)
    print(f"asyncio.Queue            {theirs:10.0f} /s")
    print(f"ratio to asyncio.Queue   {ours / theirs:10.2f}")
    seconds, kilobytes = await idle_processes(node, processes)
    print(f"spawn and first step     {processes / seconds:10.0f} /s")
    print(f"memory per idle process  {kilobytes:10.1f} KB")
    print(f"threads                  {node.threads:10d}")
    await lua_spawns(node, processes)
    await node.stop(grace=0)


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    asyncio.run(main(*(numbers + [2000, 10000][len(numbers) :])))
