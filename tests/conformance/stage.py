"""Where cases run: one node with its Temporal worker, as in production, on the catalog of the application."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from temporalio.client import Client
from temporalio.worker import Worker

from engine.asks.env import EnvAsks
from engine.asks.http.operations import HttpOperations
from engine.asks.policies import PolicyAsks
from engine.asks.registry import RegistryAsks
from engine.asks.serving.operations import Serving
from engine.asks.sql.asks import SqlAsks
from engine.asks.sql.databases import Databases
from engine.asks.storages import Storages
from engine.asks.store.asks import StoreAsks
from engine.asks.tokens import TokenAsks
from engine.contracts.host import CallRequest, SpawnRequest
from engine.entry import Entry
from engine.errors import Failure, UnitFailed, not_found
from engine.hosts.actor.supervision.supervisor import Supervisor
from engine.hosts.python.functions import PythonFunctions
from engine.hosts.python.surroundings import Callable_, Surroundings
from engine.hosts.temporal.client.connections import ADDRESS_VARIABLE, Clients
from engine.hosts.temporal.client.host import WorkflowHost
from engine.hosts.temporal.node.workers import node_workers
from engine.hosts.temporal.settings import worker_settings
from engine.hosts.temporal.worker.worker import workflow_worker
from engine.lua.unit import Unit
from engine.memory.catalog import MemoryCatalog
from engine.memory.registry import MemoryRegistry
from engine.memory.tokens import MemoryVault
from engine.node import LocalNode
from engine.registry.changes import Changes
from engine.steps import Command, Event, Exited, Log, Rejected, Resolved, Step, Value
from tests.conformance import python_code
from tests.conformance.asked import Nobody, request_of
from tests.conformance.peer import peers
from tests.engine.hosts.temporal.stage import workflow_id
from wippy_console.sdk.context import Context

WORKER, PROCESSES = "conf:worker", "conf:processes"
NODE = "conformance-node"
ENVIRON = {"CONF_OS": "of the process", "CONF_EMPTY": ""}
SWEEP = 0.1
"""Seconds between looks at watched workflows; in production the console's tail reports their ends."""


class WatchedUnit(Unit):
    """A unit that remembers its commands in flight, to say what a case hangs in."""

    in_flight: dict[int, Command]

    def step(self, events: Sequence[Event] = ()) -> Step:
        """Step, and note what was asked for and what was answered."""
        if not hasattr(self, "in_flight"):
            self.in_flight = {}
        for event in events:
            if isinstance(event, Resolved | Rejected):
                self.in_flight.pop(event.seq, None)
        step = super().step(events)
        self.in_flight |= {command.seq: command for command in step.commands if not isinstance(command, Log)}
        return step


@dataclass(frozen=True, slots=True)
class Hung:
    """A unit that did not end; `waits` says in what."""

    waits: str


class Stage:
    """Runs entries as functions, processes and workflows; all on one loop."""

    def __init__(self, client: Client, catalog: MemoryCatalog, environ: Mapping[str, str]) -> None:
        self.catalog = catalog
        self._folder = TemporaryDirectory()
        storages = Storages(catalog, {**ENVIRON, **environ}, Path(self._folder.name) / "env")
        registry = MemoryRegistry(catalog, on_publish=self._announce)
        self._databases = Databases(catalog, environ, Path(self._folder.name) / "databases")
        self._stores = StoreAsks(catalog, self._databases)
        handlers = {
            **EnvAsks(catalog, storages).handlers(),
            **RegistryAsks(registry).handlers(),
            **PolicyAsks(catalog).handlers(),
            **TokenAsks(catalog, MemoryVault(), {}).handlers(),
        }
        self._http = HttpOperations(["127.0.0.1"])
        self._peers = AsyncExitStack()
        self._sql = SqlAsks(self._databases)
        self._python = PythonFunctions(Surroundings(_resolve, Context))
        self._serving = Serving()
        operations = {
            **self._stores.operations(), **self._http.operations(), **self._sql.operations(),
            **self._python.operations(), **self._serving.operations(),
        }  # fmt: skip
        self.node = LocalNode(
            NODE, catalog, unit_factory=WatchedUnit, ask_handlers=handlers, operations=operations
        )  # fmt: skip
        settings = [worker_settings(catalog, entry.id) for entry in catalog.entries("temporal.worker")]
        self.hosts = {each.worker: WorkflowHost(client, each) for each in settings}
        self.workflows = self.hosts[WORKER]
        self._supervisor = Supervisor(self.node, lambda _: None)
        self._workers: list[Worker] = [workflow_worker(client, self.node, each) for each in settings]
        self._workers += node_workers(client, self.node)
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def open(cls, address: str, entries: dict[str, Entry], environ: Mapping[str, str]) -> Stage:
        """Connect, and serve until `close`."""
        client = await Clients({ADDRESS_VARIABLE: address}).of(entries["conf:client"])
        peers_of_stage = AsyncExitStack()
        folder = Path(peers_of_stage.enter_context(TemporaryDirectory()))
        environ = {**environ, **await peers_of_stage.enter_async_context(peers(folder))}
        stage = cls(client, MemoryCatalog(entries.values()), environ)
        stage._peers = peers_of_stage
        await stage.node.start()
        for host in stage.hosts.values():
            stage.node.add_host(host)
        stage._tasks = [asyncio.create_task(worker.run()) for worker in stage._workers]
        stage._tasks.append(asyncio.create_task(stage._sweep()))
        await stage._supervisor.reconcile(stage.catalog)
        return stage

    async def close(self) -> None:
        """Stop everything."""
        await self._supervisor.stop()
        await asyncio.gather(*(worker.shutdown() for worker in self._workers))
        self._tasks[-1].cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.node.stop(1)
        await self._python.close()
        await self._stores.close()
        await self._databases.close()
        await self._http.close()
        await self._peers.aclose()
        self._folder.cleanup()

    async def run(self, unit: str, entry_id: str, args: tuple[Value, ...], seconds: float) -> Failure | Hung | None:
        """Run an entry to its end: how it failed, where it hangs after so many seconds, or None."""
        match unit:
            case "function":
                return await self._function(entry_id, args, seconds)
            case "process":
                return await self._process(entry_id, args, seconds)
            case _:
                return await self._workflow(entry_id, args, seconds)

    async def _function(self, entry_id: str, args: tuple[Value, ...], seconds: float) -> Failure | Hung | None:
        task = asyncio.ensure_future(self._called(entry_id, args))
        done, _ = await asyncio.wait([task], timeout=seconds)
        if not done:
            hung = self._waits_of(entry_id)
            task.cancel()
            return hung
        error = task.exception()
        if error is None or isinstance(error, UnitFailed):
            return error.failure if error else None
        raise error

    async def _called(self, entry_id: str, args: tuple[Value, ...]) -> None:
        entry = self.catalog.entry(entry_id)
        request = entry and request_of(entry)
        if not request:
            await self.node.call(CallRequest(entry_id, args))
            return

        async def call(asked: CallRequest) -> Value:
            return await self.node.call(replace(asked, args=args))

        await self._serving.handle(request, Nobody(), call, entry_id)

    async def _process(self, entry_id: str, args: tuple[Value, ...], seconds: float) -> Failure | Hung | None:
        ended: asyncio.Future[Exited] = asyncio.get_running_loop().create_future()
        host = self.node.host(PROCESSES)
        assert host is not None
        request = SpawnRequest(entry_id, PROCESSES, args)
        pid = await host.spawn_watched(request, entry_id, ended.set_result)  # type: ignore[attr-defined]
        try:
            return (await asyncio.wait_for(asyncio.shield(ended), seconds)).failure
        except TimeoutError:
            hung = self._waits_of(entry_id)
            await host.unwatch(pid, entry_id)
            await host.terminate(pid, "hangs", "")
            return hung

    async def _workflow(self, entry_id: str, args: tuple[Value, ...], seconds: float) -> Failure | Hung | None:
        pid = await self.workflows.spawn(SpawnRequest(entry_id, WORKER, args))
        ended: asyncio.Future[Exited] = asyncio.get_running_loop().create_future()
        await self.workflows.watch(pid, entry_id, ended.set_result)
        try:
            return (await asyncio.wait_for(asyncio.shield(ended), seconds)).failure
        except TimeoutError:
            await self.workflows.unwatch(pid, entry_id)
            hung = await self._state_of(pid)
            await self.workflows.end(workflow_id(pid), "hangs")
            return hung

    def _announce(self, changes: Changes) -> None:
        self.node.announce(changes)

    def _waits_of(self, entry_id: str) -> Hung:
        table = self.node._system.table
        with table.lock:
            actors = [each for each in table._actors.values() if each.program.entry_id == entry_id]
        waits = []
        for actor in actors:
            commands = [str(command) for command in getattr(actor.unit, "in_flight", {}).values()]
            waits.append(f"{actor.pid} {actor.state.value}: {'; '.join(commands) or 'its channels'}")
        return Hung("\n".join(waits) or "nothing: it is gone")

    async def _state_of(self, pid: str) -> Hung:
        try:
            state = await self.workflows.query(pid, "state")
        except UnitFailed as error:
            return Hung(f"{pid} does not say: {error.failure.message}")
        return Hung(f"{pid} {state['status']}: {state['waits']}")

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            for host in self.hosts.values():
                await host.sweep()


def _resolve(entry_id: str, text: str) -> Callable_:
    found: Callable_ | None = getattr(python_code, text.partition(":")[2], None)
    if found is None:
        raise UnitFailed(not_found(f"there is no {text}"))
    return found
