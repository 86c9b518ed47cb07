"""The embedded default against a plain `temporal server start-dev --db-filename`, in workflows per second."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

from bench.figure import Figure
from wippy_console.supervision.children.launch import launched
from wippy_console.supervision.dev_server import BINARY, DevServer, prepare
from wippy_console.supervision.ports import free_port

QUEUE = "bench"
WORKFLOWS = 200
AT_ONCE = 50
ROUNDS = 2


@activity.defn
async def step(number: int) -> int:
    """Do nothing, recorded."""
    return number


@workflow.defn(sandboxed=False)
class ThreeSteps:
    """Three activities, one after the other."""

    @workflow.run
    async def run(self) -> int:
        """Return the sum of what the activities return."""
        total = 0
        for number in range(3):
            total += await workflow.execute_activity(step, number, start_to_close_timeout=timedelta(minutes=1))
        return total


def embedded_against_plain() -> Figure:
    """Measure both in turn, twice, and compare the best rounds."""
    embedded, plain = 0.0, 0.0
    for _ in range(ROUNDS):
        embedded = max(embedded, _rate(plain=False))
        plain = max(plain, _rate(plain=True))
    detail = (
        f"{embedded:.0f}/s embedded, {plain:.0f}/s plain, {WORKFLOWS} workflows of three activities, {AT_ONCE} at once"
    )
    return Figure("embedded default / plain dev server", embedded / plain, 3.0, detail)


def _rate(*, plain: bool) -> float:
    """Workflows per second on a fresh database."""
    with tempfile.TemporaryDirectory(prefix="wippy-bench-", ignore_cleanup_errors=True) as folder:
        server = DevServer(Path(folder) / "temporal.sqlite3", free_port())
        command = _plain_command(server) if plain else server.command()
        process = subprocess.Popen(launched(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return asyncio.run(_measure(server.address))
        finally:
            process.kill()
            process.wait()


def _plain_command(server: DevServer) -> list[str]:
    """Return what the Temporal documentation suggests for a server that keeps its data."""
    start = [str(BINARY), "server", "start-dev", "--headless", "--log-level", "warn"]
    return [*start, "--port", str(server.port), "--db-filename", str(server.database)]


async def _measure(address: str) -> float:
    await prepare(address)
    client = await Client.connect(address)
    async with Worker(client, task_queue=QUEUE, workflows=[ThreeSteps], activities=[step]):
        await _run(client, "warm", AT_ONCE)
        began = time.monotonic()
        await _run(client, "timed", WORKFLOWS)
        return WORKFLOWS / (time.monotonic() - began)


async def _run(client: Client, name: str, count: int) -> None:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with slots:
            await client.execute_workflow(ThreeSteps.run, id=f"{name}-{number}", task_queue=QUEUE)

    await asyncio.gather(*(one(number) for number in range(count)))
