"""What the tests play on: a catalog in memory, a node, and workers of the real Temporal server."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Worker

from engine.asks.policies import PolicyAsks
from engine.asks.variables import DecodedCatalog
from engine.contracts.host import SpawnRequest
from engine.entry import Entry
from engine.hosts.python.functions import PythonFunctions
from engine.hosts.python.surroundings import Surroundings
from engine.hosts.temporal.client.connections import ClientSettings, connect
from engine.hosts.temporal.client.host import WorkflowHost
from engine.hosts.temporal.node.peers import TemporalPeers
from engine.hosts.temporal.node.workers import node_workers
from engine.hosts.temporal.observations import Observation, Observed
from engine.hosts.temporal.settings import worker_settings
from engine.hosts.temporal.worker.worker import workflow_worker
from engine.memory.catalog import MemoryCatalog
from engine.memory.fleet import MemoryFleet
from engine.node import LocalNode
from engine.pids import Pid
from engine.steps import Exited, Value
from tests.engine.hosts.python.support import resolve
from tests.patience import PATIENCE
from wippy_console.sdk.context import Context

CLIENT = "app:client"
WORKER = "app:worker"
MODULES = ["funcs", "time", "json", "uuid", "ctx", "logger", "crypto", "workflow"]


def lua(entry_id: str, kind: str, source: str, **meta: Any) -> Entry:
    """An entry of Lua code that returns a table with `main`, or a function."""
    modules = MODULES if kind == "workflow.lua" else [m for m in MODULES if m != "workflow"]
    return Entry(entry_id, kind, meta, {"source": source, "method": "main", "modules": modules})


def body(code: str) -> str:
    """The source of a `main(a, b, c)` with that body."""
    names = "\n".join(f'local {m} = require("{m}")' for m in ("funcs", "time", "json", "ctx"))
    return f"{names}\nreturn {{ main = function(a, b, c)\n{code}\nend }}"


class Stage:
    """One worker, its node, and the client side of both. `environ` are the variables that this node knows."""

    def __init__(self, client: Client, catalog: MemoryCatalog, fleet: MemoryFleet) -> None:
        self.client = client
        self.catalog = catalog
        self.observations: list[Observation] = []
        self.told: list[Observed] = []
        self.environ: dict[str, str] = {}
        decoded = DecodedCatalog(catalog, self.environ)
        self.settings = worker_settings(decoded, WORKER, self._observe)
        self.fleet = fleet
        node_id = f"node-{uuid.uuid4().hex[:8]}"
        self.peers = TemporalPeers(node_id, fleet, self._connected)
        self.python = PythonFunctions(Surroundings(resolve, Context))
        self.node = LocalNode(
            node_id,
            decoded,
            ask_handlers=PolicyAsks(decoded).handlers(),
            operations=self.python.operations(),
            peers=self.peers,
            fleet_names=fleet.names(node_id),
        )
        self.host = WorkflowHost(client, self.settings)
        self._running: list[asyncio.Task[None]] = []
        self._workers: list[Worker] = []

    @classmethod
    async def open(
        cls, address: str, *, serve: bool = True, queue: str = "", fleet: MemoryFleet | None = None
    ) -> Stage:
        """Connect, serve a queue of its own, and be one of the fleet's nodes."""
        return await cls.on(await connect(ClientSettings(address)), serve=serve, queue=queue, fleet=fleet)

    @classmethod
    async def on(
        cls,
        client: Client,
        *,
        serve: bool = True,
        queue: str = "",
        fleet: MemoryFleet | None = None,
        worker_options: Mapping[str, Any] | None = None,
    ) -> Stage:
        """Serve a queue of its own by a client that is connected."""
        address = client.service_client.config.target_host
        worker = {"client": CLIENT, "task_queue": queue or uuid.uuid4().hex, "worker_options": worker_options or {}}
        entries = [
            Entry(CLIENT, "temporal.client", {}, {"address": address}),
            Entry(WORKER, "temporal.worker", {}, worker),
            Entry("app:processes", "process.host", {}, {"host": {}}),
        ]
        stage = cls(client, MemoryCatalog(entries), fleet or MemoryFleet())
        await stage.node.start()
        stage.fleet.add(stage.node.id)
        stage.node.add_host(stage.host)
        if serve:
            await stage.serve(workflow_worker(client, stage.node, stage.settings))
        return stage

    async def serve(self, *workers: Worker) -> None:
        """Run workers until `rest` or `close`."""
        self._workers += workers
        self._running += [asyncio.create_task(worker.run()) for worker in workers]
        await asyncio.sleep(0)

    async def serve_again(self) -> None:
        """Run another worker of the same queue."""
        await self.serve(workflow_worker(self.client, self.node, self.settings))

    async def serve_fleet(self) -> None:
        """Run the workers of the fleet's queue and the node's."""
        await self.serve(*node_workers(self.client, self.node, self.peers))

    async def rest(self) -> None:
        """Stop all workers."""
        await asyncio.gather(*(worker.shutdown() for worker in self._workers))
        await asyncio.gather(*self._running)
        self._workers, self._running = [], []

    async def close(self) -> None:
        """Stop everything, as a node that leaves does."""
        await self.rest()
        await self.node.stop(1)
        await self.python.close()
        await self.peers.settle(1)
        self.fleet.remove(self.node.id)

    def _observe(self, seen: Observed) -> None:
        if isinstance(seen, Observation):
            self.observations.append(seen)
        else:
            self.told.append(seen)

    async def _connected(self) -> Client:
        return self.client

    def workflow(self, entry_id: str, code: str, **meta: Any) -> None:
        """Publish a workflow with that body."""
        self.catalog.publish(lua(entry_id, "workflow.lua", body(code), **meta))

    def function(self, entry_id: str, code: str, **meta: Any) -> None:
        """Publish a function with that body."""
        self.catalog.publish(lua(entry_id, "function.lua", body(code), **meta))

    def process(self, entry_id: str, code: str, **meta: Any) -> None:
        """Publish a process with that body."""
        self.catalog.publish(lua(entry_id, "process.lua", body(code), **meta))

    async def spawn(self, entry_id: str, *args: Value, **request: Any) -> str:
        """Start a workflow; its pid."""
        return await self.host.spawn(SpawnRequest(entry_id, WORKER, args, **request))

    async def exit(self, pid: str, seconds: float = PATIENCE) -> Exited:
        """Wait until the workflow ends."""
        handle = self.client.get_workflow_handle(workflow_id(pid))
        await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(_ended(handle.result()))), seconds)
        seen: list[Exited] = []
        await self.host.watch(pid, uuid.uuid4().hex, seen.append)
        return seen[0]

    async def run(self, entry_id: str, *args: Value, **request: Any) -> Exited:
        """Start a workflow and wait until it ends."""
        return await self.exit(await self.spawn(entry_id, *args, **request))

    async def value(self, entry_id: str, *args: Value) -> Value:
        """The value of a workflow that ends well."""
        exited = await self.run(entry_id, *args)
        assert exited.failure is None, exited.failure
        return exited.value

    async def history(self, pid: str) -> WorkflowHistory:
        """The history of the latest run."""
        return await self.client.get_workflow_handle(workflow_id(pid)).fetch_history()

    async def waits_for(self, pid: str, kind: str, name: str = "") -> None:
        """Wait until the workflow waits for that."""
        await until(lambda: self._is_waiting(pid, kind, name))

    async def sweep_until(self, task: asyncio.Future[Any], seconds: float = PATIENCE) -> None:
        """Look at watched workflows, as the projection's tail does, until the task is done."""
        async with asyncio.timeout(seconds):
            while not task.done():
                await self.host.sweep()
                await asyncio.sleep(0.05)

    async def _is_waiting(self, pid: str, kind: str, name: str) -> bool:
        state = await self.host.query(pid, "state")
        return any(wait["kind"] == kind and wait["name"] == name for wait in state["waits"])


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = PATIENCE) -> None:
    """Poll until the condition holds."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


def workflow_id(pid: str) -> str:
    """The workflow id of a pid."""
    parsed = Pid.parse(pid)
    assert parsed is not None
    return parsed.uniq


async def _ended(result: Awaitable[object]) -> None:
    try:
        await result
    except Exception:
        return
