"""One node, composed: registry, hosts, services, Temporal workers, projection, reconciler, place in the fleet."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from engine.asks.http.operations import HttpOperations
from engine.asks.policies import PolicyAsks
from engine.asks.registry import RegistryAsks
from engine.asks.serving.operations import Serving
from engine.asks.sql.asks import SqlAsks
from engine.asks.sql.databases import Databases
from engine.asks.store.asks import StoreAsks
from engine.asks.tokens import TokenAsks
from engine.contracts.ask import AskHandler
from engine.contracts.operation import Operation, Outside
from engine.contracts.operations import ProcessInfo
from engine.contracts.watcher import Watcher
from engine.hosts.actor.supervision.state import ServiceState
from engine.hosts.actor.supervision.supervisor import Supervisor
from engine.hosts.python.functions import PythonFunctions
from engine.hosts.temporal.node.peers import TemporalPeers
from engine.hosts.watched import watched_by
from engine.node import LocalNode
from engine.steps import Exited
from wippy_console.database.threads import in_thread
from wippy_console.services import fleet, python_functions
from wippy_console.services.projection import NODE, Mailbox, Projection
from wippy_console.services.reconciler import Reconciler
from wippy_console.services.registry import DatabaseCatalog
from wippy_console.worker.asks.django_database import DjangoDatabases
from wippy_console.worker.asks.registry import DatabaseRegistry
from wippy_console.worker.asks.tokens import DatabaseVault
from wippy_console.worker.fleet.directory import DatabaseDirectory
from wippy_console.worker.fleet.heartbeat import Heartbeat, NodeStatus, new_node_id
from wippy_console.worker.fleet.lease import ServiceLease
from wippy_console.worker.fleet.names import DatabaseNames
from wippy_console.worker.hooks import Hooks
from wippy_console.worker.monitoring import MonitoringServer, StepTimes, of_hosts
from wippy_console.worker.python import surroundings
from wippy_console.worker.registry_follower import RegistryFollower
from wippy_console.worker.reporting.ended import Ends
from wippy_console.worker.reporting.process_exits import ExitReporter
from wippy_console.worker.reporting.processes import ProcessReporter
from wippy_console.worker.reporting.services import ServiceReporter
from wippy_console.worker.temporal.clients import ClientPool
from wippy_console.worker.temporal.followup import Followup
from wippy_console.worker.temporal.run_exits import RunExits
from wippy_console.worker.temporal.workers import TemporalWorkers
from wippy_console.worker.variables import NodeVariables
from wippy_console.worker.watch.kept import KeptQuarantines
from wippy_console.worker.watch.ledger import Ledger
from wippy_console.worker.watch.watcher import StepWatcher

logger = logging.getLogger(__name__)

# Services get what their `stop_timeout`s ask for, up to a minute; Temporal's time begins when they have ended, or have
# little left. With the rest it is under the time that `up` gives a worker (supervision/children/specs.py).
SERVICES_MOST, TEMPORAL_SECONDS, UNITS_SECONDS, WRITING_SECONDS, LEAVING_SECONDS = 60.0, 11.5, 2.0, 2.0, 2.0
SERVICES_LAST, CLOSING_SECONDS, MODULE_SECONDS = 4.0, 2.0, 2.0


class WorkerNode:
    """Make it on the loop it runs on; `run` returns when `stop` is set and everything has ended."""

    def __init__(self, ledger: Ledger) -> None:
        self.id = new_node_id()
        self._watcher = StepWatcher(ledger, settings.STEP_SECONDS, KeptQuarantines(self.id))
        self._catalog = DatabaseCatalog()
        variables = NodeVariables(self._catalog)
        clients = ClientPool(self._catalog, variables.for_clients, f"{NODE}{self.id}")
        facts = Mailbox()
        self._followup = Followup(self._catalog, clients, facts.put)
        self._projection = Projection(self._catalog, facts, self._followup.after)
        self._directory = DatabaseDirectory()
        self._peers = TemporalPeers(self.id, self._directory, clients.any_client)
        self._exits = ExitReporter(self.id)
        self._ends = Ends()
        self._python = PythonFunctions(surroundings(python_functions.resolved), threads=settings.PYTHON_THREADS)
        serving = Serving()
        self._outside = (*outside(variables, self._python), serving)
        self._monitoring: MonitoringServer | None = None
        watcher: Watcher = self._watcher
        if settings.METRICS_LISTEN:
            times = StepTimes(self._watcher)
            watcher = times
            self._monitoring = MonitoringServer(
                self.id, times.told, lambda: of_hosts(self._node.hosts(self._processes.waiting), len(facts))
            )
        self._node = LocalNode(
            self.id,
            variables.catalog,
            strict=settings.STRICT_SECURITY,
            ask_handlers=ask_handlers(self._catalog, variables, self._on_publish),
            operations=operations(self._outside),
            peers=self._peers,
            fleet_names=DatabaseNames(self.id),
            on_process_end=self._on_process_end,
            unit_factory=watched_by(watcher),
        )
        self._registry = RegistryFollower(self._catalog, self._node, self._follow_registry)
        self._heartbeat = Heartbeat(self.id, self._status, self._peers.forgotten)
        self._processes = ProcessReporter(self.id, self._running, self._ends)
        self._services = ServiceReporter(self.id)
        self._workers = TemporalWorkers(
            self._node, self._peers, clients, facts.put, self, watcher, Hooks(serving, variables.catalog)
        )
        self._lease = ServiceLease(self.id, self._follow_services, self._is_doubtful)
        self._supervisor = Supervisor(
            self._node, self._services.on_state, parts=self._workers, may_run=self._lease.may_run
        )  # fmt: skip
        self._run_exits = RunExits(self._workers.hosts)
        self._reconciler = Reconciler(self.id, self._catalog, clients, self._followup, facts.put)
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Live until `stop` is set."""
        await self._start()
        logger.info("node %s is up", self.id)
        await stop.wait()
        logger.info("node %s stops", self.id)
        await self._end()

    def close(self) -> None:
        """Let go of what it read the registry by; an OS process that ends has no need to."""
        self._catalog.close()

    async def _start(self) -> None:
        """The row first: other parts refer to it. Waits for a database that is down."""
        await self._heartbeat.arrive()
        await self._meet_others()
        await in_thread(self._watcher.start)
        self._projection.start()
        self._run_exits.start()
        await self._node.start()
        for name, work in (
            ("heartbeat", self._heartbeat.run()),
            ("directory", self._directory.run()),
            ("process exits", self._exits.run()),
            ("processes", self._processes.run()),
            ("service states", self._services.run()),
            ("registry", self._registry.run()),
            ("lease", self._lease.run()),
            ("reconciler", self._reconciler.run()),
        ):
            self._tasks.append(asyncio.create_task(work, name=name))
        if self._monitoring is not None and settings.METRICS_LISTEN:
            serving = self._monitoring.run(settings.METRICS_LISTEN)
            self._tasks.append(asyncio.create_task(serving, name="monitoring"))

    async def _end(self) -> None:
        """In order: what makes work, what does it, what writes it down. Each part has its time."""
        self._cancel("registry", "lease", "reconciler")
        seconds = self._seconds_for_services()
        services = asyncio.create_task(self._in_time("services", seconds, self._end_services()))
        await asyncio.wait([services], timeout=seconds - SERVICES_LAST)  # they may need workers to end well
        await asyncio.gather(services, self._in_time("Temporal workers", TEMPORAL_SECONDS, self._workers.stop()))
        await self._in_time("units", UNITS_SECONDS + CLOSING_SECONDS + 1, self._node.stop(UNITS_SECONDS))
        await asyncio.gather(*(self._in_time("a module", MODULE_SECONDS, each.close()) for each in self._outside))
        await self._in_time("watchers", 1.0, self._peers.settle(1.0))
        self._cancel("process exits")
        await self._in_time("process exits", 1.0, self._exits.flush())
        await self._in_time("endings", 1.0, self._followup.settle(0.5))
        await asyncio.to_thread(self._projection.stop, WRITING_SECONDS)
        self._run_exits.stop()
        self._cancel("heartbeat", "directory", "processes")
        await self._in_time("processes", 1.0, self._processes.flush())
        await self._in_time("leaving", LEAVING_SECONDS, self._leave())
        await in_thread(self._watcher.stop)
        self._cancel("service states")

    async def _meet_others(self) -> None:
        """Know who runs, and take the place of one that was killed, before anything starts."""
        try:
            await self._directory.refresh()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the other nodes can't be read yet: %s", error)
        await self._lease.acquire()

    def _seconds_for_services(self) -> float:
        """With a second for what tells of their end."""
        asked = max(self._supervisor.seconds_to_stop() + 1, 2 * SERVICES_LAST)
        if asked > SERVICES_MOST:
            logger.warning("services ask for %g s to stop; a node that ends gives them %g s", asked, SERVICES_MOST)
        return min(asked, SERVICES_MOST)

    async def _end_services(self) -> None:
        await self._supervisor.stop()
        await self._lease.release()

    async def _leave(self) -> None:
        await self._services.flush()
        await self._heartbeat.leave()

    def _on_process_end(self, info: ProcessInfo, exited: Exited) -> None:
        self._exits.on_end(info, exited)
        self._ends.on_end(info, exited)

    def _on_publish(self) -> None:
        self._registry.on_publish()

    async def _follow_registry(self) -> None:
        self._workers.reconcile()
        await self._follow_services()

    async def _follow_services(self) -> None:
        await self._supervisor.reconcile(self._node.catalog)
        states = [*self._supervisor.states(), *self._workers.states()]
        self._services.retain({state.entry_id for state in states})

    # --- what the Temporal workers need of their node (`NodeServices`) ----------------------------

    def on_state(self, state: ServiceState) -> None:
        """A worker or client changed its state."""
        self._services.on_state(state)
        self._heartbeat.beat_soon()  # which says what queues are served

    async def up(self, entry_id: str) -> bool:
        """Wait until a service runs here; one that runs elsewhere does so, or does not."""
        if self._lease.held:
            return await self._supervisor.up(entry_id)
        return await in_thread(partial(fleet.service_runs, entry_id))

    def describe(self, pid: str) -> ProcessInfo | None:
        """A running process or function call, None when it is gone."""
        return self._node.describe(pid) or next((each for each in self._python.stuck() if each.pid == pid), None)

    async def start_service(self, entry_id: str) -> None:
        """Start a service, anew if it runs; NotFound when it is not this node's."""
        await self._supervisor.start_service(entry_id, self._node.catalog)

    async def stop_service(self, entry_id: str) -> None:
        """Stop a service; NotFound when it is not this node's."""
        await self._supervisor.stop_service(entry_id)

    # ---------------------------------------------------------------------------------------------

    def _is_doubtful(self) -> bool:
        return self._heartbeat.lapsed and self._directory.knows_others(self.id)

    def _running(self) -> Sequence[ProcessInfo]:
        """The units of the node, and what is left of those that are over; from any thread."""
        return tuple({each.pid: each for each in (*self._python.stuck(), *self._node.processes())}.values())

    def _status(self) -> NodeStatus:
        hosts = tuple(self._node.hosts(self._processes.waiting))
        return NodeStatus(sum(host.running for host in hosts), self._workers.queues(), hosts, self._ends.dropped)

    def _cancel(self, *names: str) -> None:
        for task in self._tasks:
            if task.get_name() in names:
                task.cancel()

    async def _in_time(self, name: str, seconds: float, work: Coroutine[Any, Any, None]) -> None:
        """Wait for a part to end; one that takes too long, or fails, must not keep the others."""
        try:
            await asyncio.wait_for(work, seconds)
        except TimeoutError:
            logger.warning("%s did not end in %g s; going on", name, seconds)
        except Exception:
            logger.exception("%s could not be ended", name)


def ask_handlers(
    catalog: DatabaseCatalog, variables: NodeVariables, on_publish: Callable[[], None]
) -> Mapping[str, AskHandler]:
    """What answers to modules of functions and processes, by name; `on_publish` is called when one published."""
    return {
        **variables.declared.handlers(),
        **RegistryAsks(DatabaseRegistry(catalog, on_publish)).handlers(),
        **PolicyAsks(variables.catalog).handlers(),
        **TokenAsks(catalog, DatabaseVault(), variables.for_lua, find=variables.catalog.entry).handlers(),
    }


def outside(variables: NodeVariables, python: PythonFunctions) -> tuple[Outside, ...]:
    """The modules by which functions and processes reach the world."""
    folder = settings.WIPPY_DATA / "databases"
    databases = Databases(variables.catalog, variables.for_lua, folder, DjangoDatabases())
    stores = StoreAsks(variables.catalog, databases)
    requests = HttpOperations(
        settings.HTTP_ALLOW, find=variables.catalog.entry, record=settings.WIPPY_DATA / "doubles"
    )  # fmt: skip
    return (python, stores, SqlAsks(databases), requests)


def operations(modules: Iterable[Outside]) -> Mapping[str, Operation]:
    """All that units may ask of the modules, by name."""
    return {name: operation for module in modules for name, operation in module.operations().items()}
