"""A node with real hosts, and what attacks find on it: victims, neighbours, and with Temporal a worker."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from engine.asks.env import EnvAsks
from engine.asks.http.operations import HttpOperations
from engine.asks.policies import PolicyAsks
from engine.asks.registry import RegistryAsks
from engine.asks.sql.asks import SqlAsks
from engine.asks.sql.databases import Databases
from engine.asks.storages import Storages
from engine.asks.store.asks import StoreAsks
from engine.contracts.ask import AskHandler
from engine.contracts.host import CallRequest, SpawnRequest
from engine.contracts.operation import Outside
from engine.entry import Entry
from engine.errors import Failure, UnitFailed
from engine.hosts.actor.hosts import ActorHost
from engine.hosts.temporal.client.connections import ClientSettings, connect
from engine.hosts.temporal.client.host import WorkflowHost
from engine.hosts.temporal.settings import worker_settings
from engine.hosts.temporal.worker.worker import workflow_worker
from engine.hosts.watched import watched_by
from engine.memory.catalog import MemoryCatalog
from engine.memory.registry import MemoryRegistry
from engine.node import LocalNode
from engine.pids import Pid
from engine.steps import Exited
from tests.attacks.corpus import FOLDER, Attack
from tests.attacks.quarantines import MemoryQuarantines
from tests.hostile.peer import peer as hostile
from wippy_console.worker.watch.ledger import Ledger, memory
from wippy_console.worker.watch.watcher import StepWatcher

HOST, WORKER, ATTACK = "attack:processes", "attack:worker", "attack:attack"
NODE_MIB, HOST_MIB = 1024, 256
STEP_SECONDS, LOOK = 2.0, 0.1
QUARANTINED = "Quarantined"
MODULES = ["base64", "crypto", "ctx", "time", "funcs", "hash", "json", "logger", "uuid", "yaml"]
ASKING = ["events", "env", "registry", "security", "store", "sql", "http_client"]
"""Not for workflows."""

Run = Callable[[], Awaitable[object]]


def _lua(name: str, kind: str, body: str, **data: object) -> Entry:
    source = f"return function(...) {body} end"
    return Entry(f"attack:{name}", kind, {}, {"source": source, "modules": MODULES, **data})


STUCK = """local top = {} for _ = 1, 1990 do top = setmetatable({}, {__index = top}) end
    while true do local _ = top.nothing end"""
ENCODING = """local t = {} for i = 1, 5000 do t[i] = {n = i} end
    while true do json.decode(json.encode(t)) time.sleep("1ms") end"""
BIG = "return ('x'):rep(8000000)"
VICTIMS = [
    Entry(HOST, "process.host", {}, {"host": {"max_memory": HOST_MIB}}),
    Entry("attack:client", "temporal.client"),
    Entry(WORKER, "temporal.worker", {}, {"client": "attack:client", "task_queue": "attack"}),
    Entry("attack:os", "env.storage.os"),
    Entry("attack:variable", "env.variable", {}, {"variable": "ATTACKED", "storage": "attack:os"}),
    Entry("attack:store", "store.memory", {}, {"max_bytes": 32 << 20}),
    Entry("attack:table", "store.sql", {}, {"database": "attack:database"}),
    Entry("attack:database", "db.sql.sqlite", {}, {"file": "attacked.db", "max_bytes": 16 << 20}),
    _lua("one", "function.lua", "return 1"),
    _lua("inline", "function.lua", "time.sleep('1s') return 1", pool={"type": "inline"}),
    _lua("idle", "process.lua", "process.inbox():receive()"),
    _lua("deaf", "process.lua", "time.sleep('1h')"),
    _lua("stuck", "function.lua", STUCK, pool={"type": "inline"}),
    *(_lua(f"stuck_{number}", "function.lua", STUCK, pool={"type": "inline"}) for number in range(10)),
    _lua("encoding", "function.lua", ENCODING, pool={"type": "inline"}),
    _lua("slow", "function.lua", "time.sleep('1h')"),
    _lua("big", "function.lua", BIG, pool={"type": "inline"}),
    _lua("big_process", "process.lua", BIG),
    _lua("stuck_workflow", "workflow.lua", STUCK),
    _lua("brief", "process.lua", ""),
    _lua("neighbour", "function.lua", "return (...) + 1"),
    _lua("neighbour_workflow", "workflow.lua", "return (...) + 1"),
]
# What a search of the registry walks through.
OTHERS = [
    Entry(f"other:e{number}", "registry.entry", {"comment": "abc" * 40}, {"is": number}) for number in range(1000)
]


class Stage:
    """The running node, and how to run the attack and its neighbours on it."""

    def __init__(self, node: LocalNode, client: Client | None, quarantines: MemoryQuarantines) -> None:
        self._node = node
        self._client = client
        self._quarantines = quarantines

    async def attack(self, kind: str) -> object:
        """Run the attack as a unit of the kind; raises UnitFailed."""
        match kind:
            case "function":
                return await self._node.call(CallRequest(ATTACK, ()))
            case "process":
                return await self._process(ATTACK)
            case _:
                return await self._until_quarantined(self._workflow(ATTACK))

    async def _until_quarantined(self, run: Awaitable[object]) -> object:
        """A run whose program is quarantined waits for an operator; none will come."""
        running = asyncio.ensure_future(run)
        while not running.done():
            await asyncio.wait([running], timeout=LOOK)
            if why := self._quarantines.why(ATTACK):
                running.cancel()
                raise UnitFailed(Failure(QUARANTINED, why))
        return await running

    async def neighbour(self, number: int) -> None:
        """A simple call."""
        assert await self._node.call(CallRequest("attack:neighbour", (number,))) == number + 1

    async def neighbour_workflow(self, number: int) -> None:
        """A simple workflow on the same queue."""
        assert await self._workflow("attack:neighbour_workflow", number) == number + 1

    async def _process(self, entry: str) -> object:
        host = self._node.host(HOST)
        assert isinstance(host, ActorHost)
        ended: asyncio.Future[Exited] = asyncio.get_running_loop().create_future()
        await host.spawn_watched(SpawnRequest(entry, HOST, ()), "attack", ended.set_result)
        exited = await ended
        if exited.failure is not None:
            raise UnitFailed(exited.failure)
        return exited.value

    async def _workflow(self, entry: str, *args: object) -> object:
        host = self._node.host(WORKER)
        assert host is not None and self._client is not None
        options = {"workflow.id": f"{entry}-{os.urandom(4).hex()}"}
        pid = Pid.parse(await host.spawn(SpawnRequest(entry, WORKER, args, options=options)))
        assert pid is not None
        try:
            return await self._client.get_workflow_handle(pid.uniq).result()
        except WorkflowFailureError as error:
            cause = error.cause
            kind = cause.type if isinstance(cause, ApplicationError) else type(cause).__name__
            raise UnitFailed(Failure(kind or "", str(cause))) from error


@asynccontextmanager
async def stage(attack: Attack, kind: str, temporal: str = "") -> AsyncIterator[Stage]:
    """A node for one attack; `temporal` is the address of a server, "" for none. Stopped without grace."""
    data = {"source": attack.source, "modules": MODULES if kind == "workflow" else MODULES + ASKING}
    catalog = MemoryCatalog([*VICTIMS, *OTHERS, Entry(ATTACK, f"{kind}.lua", {}, data)])
    quarantines = MemoryQuarantines()
    watch = StepWatcher(Ledger(memory()), STEP_SECONDS, quarantines)
    units = watched_by(watch)
    async with AsyncExitStack() as stack:
        peer = stack.enter_context(hostile())
        outside = _outside(catalog, Path(stack.enter_context(TemporaryDirectory())))
        asks, operations = _asks(catalog, peer.url), {n: each for it in outside for n, each in it.operations().items()}
        node = LocalNode(
            "attacked", catalog, unit_factory=units, ask_handlers=asks, operations=operations, max_memory=NODE_MIB << 20
        )
        for each in outside:
            stack.push_async_callback(each.close)
        await node.start()
        stack.push_async_callback(node.stop, 0)
        watch.start()
        stack.callback(watch.stop)
        client = await connect(ClientSettings(temporal)) if temporal else None
        if client is not None:
            settings = replace(worker_settings(catalog, WORKER, lambda observation: None), unit_factory=units)
            node.add_host(WorkflowHost(client, settings))
            await stack.enter_async_context(workflow_worker(client, node, settings))
        yield Stage(node, client, quarantines)


def _outside(catalog: MemoryCatalog, folder: Path) -> tuple[Outside, ...]:
    databases = Databases(catalog, {}, folder)
    return HttpOperations(["127.0.0.1"]), StoreAsks(catalog, databases), SqlAsks(databases)


def _asks(catalog: MemoryCatalog, attacked: str) -> dict[str, AskHandler]:
    storages = Storages(catalog, {"ATTACKED": attacked}, FOLDER)
    return {
        **EnvAsks(catalog, storages).handlers(),
        **RegistryAsks(MemoryRegistry(catalog)).handlers(),
        **PolicyAsks(catalog).handlers(),
    }
