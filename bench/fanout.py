"""A fan-out of activities in Lua against plain Python on one server, and the replay of its history against Python's."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import PollerBehaviorAutoscaling, Replayer, Worker

from bench.embedded import step
from bench.figure import Figure
from bench.serving import served
from engine.contracts.host import SpawnRequest
from engine.entry import Entry
from engine.hosts.temporal.client.connections import ClientSettings, connect
from engine.hosts.temporal.client.host import WorkflowHost
from engine.hosts.temporal.settings import worker_settings
from engine.hosts.temporal.worker.worker import replayer, workflow_worker
from engine.memory.catalog import MemoryCatalog
from engine.node import LocalNode
from engine.pids import Pid

WIDTH = 1_000
ROUNDS = 3
REPLAYS = 5
TURNS = 2
WORKER = "bench:worker"
FAN_OUT = """
local funcs = require("funcs")
return {main = function(width, rounds)
    local total = 0
    for _ = 1, rounds do
        local futures = {}
        for i = 1, width do futures[i] = assert(funcs.async("bench:step", i)) end
        for i = 1, width do total = total + futures[i]:response():receive():data() end
    end
    return total
end}
"""
CATALOG = MemoryCatalog(
    [
        Entry("bench:client", "temporal.client"),
        Entry(WORKER, "temporal.worker", {}, {"client": "bench:client", "task_queue": "bench-lua"}),
        Entry("bench:fan_out", "workflow.lua", {}, {"source": FAN_OUT, "method": "main", "modules": ["funcs"]}),
        Entry("bench:step", "function.lua", {}, {"source": "return function(number) return number end"}),
    ]
)
Measured = tuple[float, WorkflowHistory]
"""Seconds of one fan-out, and the history of all rounds."""


@workflow.defn(sandboxed=False)
class FanOut:
    """What the Lua workflow does."""

    @workflow.run
    async def run(self, width: int, rounds: int) -> int:
        """Return the sum of what the activities return."""
        total = 0
        for _ in range(rounds):
            minute = timedelta(minutes=10)
            calls = [workflow.execute_activity(step, i, start_to_close_timeout=minute) for i in range(1, width + 1)]
            total += sum(await asyncio.gather(*calls))
        return total


def fan_out() -> Figure:
    """A fan-out of a thousand activities: the time of plain Python over that of Lua."""
    (lua, _), (python, _) = served(lambda address: _both(address, rounds=1, turns=TURNS))
    detail = f"{lua:.1f} s Lua, {python:.1f} s Python, one workflow of {WIDTH:,} activities at once"
    return Figure("fan-out: time of plain Python / Lua", python / lua, 1 / 1.2, detail)


def replay() -> Figure:
    """The replay of about ten thousand events: the time of plain Python over that of Lua."""
    (_, lua), (_, python) = served(lambda address: _both(address, rounds=ROUNDS))
    players = (replayer(worker_settings(CATALOG, WORKER)), lua), (Replayer(workflows=[FanOut]), python)
    rounds = [[asyncio.run(_replayed(*player)) for player in players] for _ in range(REPLAYS)]  # in turn: loads change
    ours, theirs = (min(times) for times in zip(*rounds, strict=True))
    detail = f"{ours:.2f} s for {len(lua.events):,} events Lua, {theirs:.2f} s for {len(python.events):,} Python"
    return Figure(
        "replay: time per event of plain Python / Lua",
        (theirs / len(python.events)) / (ours / len(lua.events)),
        1 / 1.16,
        detail,
    )


async def _both(address: str, rounds: int, turns: int = 1) -> tuple[Measured, Measured]:
    """The faster of some turns of each."""
    client = await connect(ClientSettings(address))
    found = [(await _lua(client, rounds), await _python(client, rounds)) for _ in range(turns)]
    lua, python = (min(measured, key=lambda each: each[0]) for measured in zip(*found, strict=True))
    return lua, python


async def _lua(client: Client, rounds: int) -> Measured:
    settings = worker_settings(CATALOG, WORKER)
    node, host = LocalNode("bench", CATALOG), WorkflowHost(client, settings)
    await node.start()
    node.add_host(host)

    async def start(name: str) -> str:
        pid = await host.spawn(SpawnRequest("bench:fan_out", WORKER, (WIDTH, rounds), options={"workflow.id": name}))
        parsed = Pid.parse(pid)
        assert parsed is not None
        return parsed.uniq

    async with workflow_worker(client, node, settings):
        measured = await _measured(client, rounds, start)
    await node.stop(1)
    return measured


async def _python(client: Client, rounds: int) -> Measured:
    polling = PollerBehaviorAutoscaling()
    worker = Worker(
        client,
        task_queue="bench-python",
        workflows=[FanOut],
        activities=[step],
        workflow_task_poller_behavior=polling,
        activity_task_poller_behavior=polling,
    )

    async def start(name: str) -> str:
        return (await client.start_workflow(FanOut.run, args=[WIDTH, rounds], id=name, task_queue="bench-python")).id

    async with worker:
        return await _measured(client, rounds, start)


async def _measured(client: Client, rounds: int, start: Callable[[str], Awaitable[str]]) -> Measured:
    began = time.monotonic()
    handle = client.get_workflow_handle(await start(f"fan-out-{os.urandom(4).hex()}"))
    total = await handle.result()
    assert total == rounds * WIDTH * (WIDTH + 1) // 2, total
    return (time.monotonic() - began) / rounds, await handle.fetch_history()


async def _replayed(player: Replayer, history: WorkflowHistory) -> float:
    """Seconds on the processor: a replay waits for nothing but that."""
    began = time.process_time()
    await player.replay_workflow(history)
    return time.process_time() - began
