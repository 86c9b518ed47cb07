"""Figures of the kernel and of the actor host: channels, messages, idle processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import lupa.lua54 as lupa_lua

from bench.actors import burst, catalog, queue_round_trips, round_trips
from bench.actors import idle_processes as measure_idle_processes
from bench.figure import Figure
from engine.node import LocalNode
from engine.steps import Limits
from engine.testing import Driver

ROUND_TRIPS = 200_000
MESSAGES = 10_000
PAIRS = (1, 10, 50)
PROCESSES = 5_000
TYPICAL_PROCESSES = 2_000
BURST = 3_000
MOST_KILOBYTES = 100
CHANNELS = """
return function(n)
    local there, back = channel.new(), channel.new()
    coroutine.spawn(function() for _ = 1, n do back:send(there:receive()) end end)
    for i = 1, n do there:send(i) back:receive() end
end
"""
SWITCHES = """
function(n)
    local other = coroutine.wrap(function() while true do coroutine.yield() end end)
    for _ = 1, n do other() end
end
"""


def channels_against_switches() -> Figure:
    """Round trips over two channels in one unit against switches between two plain coroutines."""
    ours = _rate(lambda: Driver.of_source(CHANNELS, args=(ROUND_TRIPS,), limits=Limits(max_instructions=10**12)))
    switches = lupa_lua.LuaRuntime().eval(SWITCHES)
    theirs = _rate(lambda: switches(ROUND_TRIPS))
    detail = f"{ours:.0f} round trips/s, {theirs:.0f} switches/s; a round trip is four switches"
    return Figure("channel round trips / coroutine switches", ours / theirs, 0.3, detail)


def messages_against_queues() -> Figure:
    """Round trips between Lua processes, by pairs, against two asyncio tasks over asyncio.Queue."""
    ours, theirs = asyncio.run(_messages())
    rates = ", ".join(f"{rate:.0f}/s at {pairs} pairs" for pairs, rate in ours.items())
    detail = f"{rates}, {theirs:.0f}/s over asyncio.Queue"
    return Figure("message round trips of one pair / asyncio.Queue", ours[1] / theirs, 0.5, detail)


def minimal_processes() -> Figure:
    """Memory of processes that wait at their inbox; the figure is the allowance divided by what one takes."""
    return _memory("minimal", "bench:idle", PROCESSES)


def typical_processes() -> Figure:
    """The same of processes that select among their inbox, their events and a ticker."""
    return _memory("typical", "bench:typical", TYPICAL_PROCESSES)


def memory_after_burst() -> Figure:
    """How much of what a burst of processes takes is given back when they have ended."""
    before, height, after = asyncio.run(_burst())
    detail = f"{BURST} processes: {before:.0f} MB before, {height:.0f} MB with them, {after:.0f} MB two seconds after"
    return Figure("memory given back after a burst", (height - after) / (height - before), 0.8, detail)


def _memory(name: str, entry: str, count: int) -> Figure:
    seconds, kilobytes = asyncio.run(_idle(entry, count))
    detail = f"{count} processes, {kilobytes:.0f} KB each, spawned in {seconds:.0f} s"
    return Figure(f"{MOST_KILOBYTES} KB / memory of a {name} process", MOST_KILOBYTES / kilobytes, 1.0, detail)


def _rate(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return ROUND_TRIPS / (time.perf_counter() - began)


async def _messages() -> tuple[dict[int, float], float]:
    node = LocalNode("bench", catalog())
    await node.start()
    ours = {pairs: await round_trips(node, MESSAGES // pairs, pairs) for pairs in PAIRS}
    await node.stop(grace=0)
    return ours, await queue_round_trips(MESSAGES)


async def _burst() -> tuple[float, float, float]:
    node = LocalNode("bench", catalog())
    await node.start()
    figures = await burst(node, BURST)
    await node.stop(grace=0)
    return figures


async def _idle(entry: str, count: int) -> tuple[float, float]:
    node = LocalNode("bench", catalog())
    await node.start()
    figures = await measure_idle_processes(node, count, entry)
    await node.stop(grace=0)
    return figures
