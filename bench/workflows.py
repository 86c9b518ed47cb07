"""Lua workflows per second against the same workflow in plain Python, on the same server and worker settings."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from bench.embedded import AT_ONCE, ThreeSteps, step
from bench.figure import Figure
from bench.serving import served
from engine.contracts.host import SpawnRequest
from engine.entry import Entry
from engine.hosts.temporal.client.connections import ClientSettings, connect
from engine.hosts.temporal.client.host import WorkflowHost
from engine.hosts.temporal.settings import worker_settings
from engine.hosts.temporal.worker.worker import workflow_worker
from engine.memory.catalog import MemoryCatalog
from engine.node import LocalNode
from engine.pids import Pid

WORKFLOWS = 300
ROUNDS = 3
WORKER = "bench:worker"
THREE_STEPS = """
local funcs = require("funcs")
return {main = function()
    local total = 0
    for number = 0, 2 do total = total + funcs.call("bench:step", number) end
    return total
end}
"""
ENTRIES = [
    Entry("bench:client", "temporal.client"),
    Entry(WORKER, "temporal.worker", {}, {"client": "bench:client", "task_queue": "bench-lua"}),
    Entry("bench:three_steps", "workflow.lua", {}, {"source": THREE_STEPS, "method": "main", "modules": ["funcs"]}),
    Entry("bench:step", "function.lua", {}, {"source": "return function(number) return number end"}),
]

Run = Callable[[str], Awaitable[object]]


def lua_against_python() -> Figure:
    """Measure both in turn on one server and compare the best rounds."""
    lua, python = served(_measure)
    detail = f"{lua:.0f}/s Lua, {python:.0f}/s Python, {WORKFLOWS} workflows of three activities, {AT_ONCE} at once"
    return Figure("Lua workflows / plain Python workflows", lua / python, 1.0, detail)


async def _measure(address: str) -> tuple[float, float]:
    client = await connect(ClientSettings(address))
    lua, python = 0.0, 0.0
    async with _lua(client) as run_lua, _python(client) as run_python:
        for _ in range(ROUNDS):
            lua = max(lua, await _rate(run_lua))
            python = max(python, await _rate(run_python))
    return lua, python


@asynccontextmanager
async def _lua(client: Client) -> AsyncIterator[Run]:
    catalog = MemoryCatalog(ENTRIES)
    settings = worker_settings(catalog, WORKER, lambda observation: None)
    node = LocalNode("bench", catalog)
    host = WorkflowHost(client, settings)
    await node.start()
    node.add_host(host)

    async def run(name: str) -> object:
        pid = await host.spawn(SpawnRequest("bench:three_steps", WORKER, options={"workflow.id": name}))
        parsed = Pid.parse(pid)
        assert parsed is not None
        return await client.get_workflow_handle(parsed.uniq).result()

    async with workflow_worker(client, node, settings):
        yield run
    await node.stop(1)


@asynccontextmanager
async def _python(client: Client) -> AsyncIterator[Run]:
    polling = PollerBehaviorAutoscaling()
    worker = Worker(
        client,
        task_queue="bench-python",
        workflows=[ThreeSteps],
        activities=[step],
        workflow_task_poller_behavior=polling,
        activity_task_poller_behavior=polling,
    )
    async with worker:
        yield lambda name: client.execute_workflow(ThreeSteps.run, id=name, task_queue="bench-python")


async def _rate(run: Run) -> float:
    """Workflows per second; those of a warm-up don't count."""
    await _many(run, AT_ONCE)
    began = time.monotonic()
    await _many(run, WORKFLOWS)
    return WORKFLOWS / (time.monotonic() - began)


async def _many(run: Run, count: int) -> None:
    slots = asyncio.Semaphore(AT_ONCE)
    batch = os.urandom(4).hex()

    async def one(number: int) -> None:
        async with slots:
            await run(f"bench-{batch}-{number}")

    await asyncio.gather(*(one(number) for number in range(count)))
