"""Figures of the kernel and of the actor host: channels, messages, idle processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import lupa.lua54 as lupa_lua

from bench.actors import catalog, queue_round_trips, round_trips
from bench.actors import idle_processes as measure_idle_processes
from bench.figure import Figure
from engine.node import LocalNode
from engine.steps import Limits
from engine.testing import Driver

ROUND_TRIPS = 200_000
MESSAGES = 10_000
PROCESSES = 10_000
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
    """Round trips between two Lua processes against two asyncio tasks over asyncio.Queue."""
    ours, theirs = asyncio.run(_messages())
    detail = f"{ours:.0f}/s between processes, {theirs:.0f}/s over asyncio.Queue"
    return Figure("message round trips / asyncio.Queue", ours / theirs, 0.5, detail)


def idle_processes() -> Figure:
    """Memory of idle processes; the figure is the allowance divided by what one takes."""
    seconds, kilobytes = asyncio.run(_idle())
    detail = f"{PROCESSES} processes, {kilobytes:.0f} KB each, spawned in {seconds:.0f} s"
    return Figure(f"{MOST_KILOBYTES} KB / memory of an idle process", MOST_KILOBYTES / kilobytes, 1.0, detail)


def _rate(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return ROUND_TRIPS / (time.perf_counter() - began)


async def _messages() -> tuple[float, float]:
    node = LocalNode("bench", catalog())
    await node.start()
    ours = await round_trips(node, MESSAGES, 1)
    await node.stop(grace=0)
    return ours, await queue_round_trips(MESSAGES)


async def _idle() -> tuple[float, float]:
    node = LocalNode("bench", catalog())
    await node.start()
    figures = await measure_idle_processes(node, PROCESSES)
    await node.stop(grace=0)
    return figures
