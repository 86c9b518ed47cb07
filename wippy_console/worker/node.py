"""One node, composed: registry, hosts, supervisor, Temporal, projection, reconciler, presence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from engine.asks.env import EnvAsks
from engine.asks.policies import PolicyAsks
from engine.asks.registry import RegistryAsks
from engine.asks.storages import Storages
from engine.asks.tokens import TokenAsks
from engine.contracts.ask import AskHandler
from engine.contracts.operations import ProcessInfo
from engine.entry import Entry
from engine.hosts.actor.service_state import ServiceState
from engine.hosts.actor.supervisor import Supervisor
from engine.hosts.temporal.node.peers import Peers
from engine.node import LocalNode
from engine.registry.changes import diff
from wippy_console.database.threads import in_thread
from wippy_console.env import variables_for_lua
from wippy_console.services import fleet, temporal
from wippy_console.services.projection import Projection
from wippy_console.services.reconciler import Reconciler
from wippy_console.services.registry.catalog import DatabaseCatalog
from wippy_console.worker.asks.registry import DatabaseRegistry
from wippy_console.worker.asks.tokens import DatabaseVault
from wippy_console.worker.fleet.directory import FleetDirectory
from wippy_console.worker.fleet.heartbeat import Presence, Pulse, new_node_id
from wippy_console.worker.fleet.lease import Turn
from wippy_console.worker.fleet.names import DatabaseNames
from wippy_console.worker.reporting.process_exits import Ends
from wippy_console.worker.reporting.processes import ProcessBoard
from wippy_console.worker.temporal.followup import Followup
from wippy_console.worker.temporal.run_exits import ExitTail
from wippy_console.worker.temporal.workers import Gateway, TemporalSide

logger = logging.getLogger(__name__)

REGISTRY_POLL = 0.25
# Together under the 25 seconds that `up` gives a worker; Temporal's time begins after the head start of services.
SERVICES_SECONDS, TEMPORAL_SECONDS, UNITS_SECONDS, WRITING_SECONDS, LEAVING_SECONDS = 8.0, 11.5, 2.0, 2.0, 2.0
HEAD_START = 4.0


class WorkerNode:
    """Make it on the loop it runs on; `run` returns when `stop` is set and everything has ended."""

    def __init__(self) -> None:
        self.id = new_node_id()
        self._catalog = DatabaseCatalog()
        self._gateway = Gateway(self._catalog, environment(), f"wippy node {self.id}")
        self._projection = Projection(self._catalog)
        self._followup = Followup(self._catalog, self._gateway, self._projection.offer)
        self._projection.on_written = self._followup.after
        self._moved = asyncio.Event()
        self._seen: Mapping[str, Entry] | None = None
        self._directory = FleetDirectory()
        self._peers = Peers(self.id, self._directory, self._gateway.any_client)
        self._ends = Ends(self.id)
        self._node = LocalNode(
            self.id,
            self._catalog,
            strict=settings.STRICT_SECURITY,
            ask_handlers=self._ask_handlers(),
            peers=self._peers,
            fleet_names=DatabaseNames(self.id),
            on_process_end=self._ends.on_end,
        )
        self._presence = Presence(self.id, self._pulse, self._peers.forgotten)
        self._board = ProcessBoard(self.id, self._node.processes)
        self._temporal = TemporalSide(
            self._node, self._peers, self._gateway, self._projection.offer, self
        )  # fmt: skip
        self._turn = Turn(self.id, self._follow_services, self._is_doubtful)
        self._supervisor = Supervisor(
            self._node, self._presence.on_state, parts=self._temporal, may_run=self._turn.may_run
        )  # fmt: skip
        self._exits = ExitTail(self._temporal.hosts)
        self._reconciler = Reconciler(
            self.id, self._catalog, self._gateway, self._followup, self._projection.offer
        )  # fmt: skip
        self._tasks: list[asyncio.Task[None]] = []

    def _ask_handlers(self) -> Mapping[str, AskHandler]:
        """What answers to modules of functions and processes."""
        storages = Storages(self._catalog, variables_for_lua(), settings.WIPPY_DATA / "env")
        return {
            **EnvAsks(self._catalog, storages).handlers(),
            **RegistryAsks(DatabaseRegistry(self._catalog, self._applied)).handlers(),
            **PolicyAsks(self._catalog).handlers(),
            **TokenAsks(self._catalog, DatabaseVault(), variables_for_lua()).handlers(),
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Live until `stop` is set."""
        await self._start()
        logger.info("node %s is up", self.id)
        await stop.wait()
        logger.info("node %s stops", self.id)
        await self._end()

    async def _start(self) -> None:
        """The row first: other parts refer to it. Waits for a database that is down."""
        await self._presence.arrive()
        await self._meet_others()
        self._projection.start()
        self._exits.start()
        await self._node.start()
        for name, work in (
            ("presence", self._presence.keep()),
            ("directory", self._directory.keep()),
            ("ends", self._ends.keep()),
            ("processes", self._board.keep()),
            ("service states", self._presence.write_states()),
            ("registry", self._follow_registry()),
            ("turn", self._turn.keep()),
            ("reconciler", self._reconciler.run()),
        ):
            self._tasks.append(asyncio.create_task(work, name=name))

    async def _end(self) -> None:
        """In order: what makes work, what does it, what writes it down. Each part has its time."""
        self._cancel("registry", "turn", "reconciler")
        services = asyncio.create_task(self._in_time("services", SERVICES_SECONDS, self._end_services()))
        await asyncio.wait([services], timeout=HEAD_START)  # they may need workers to end well
        await asyncio.gather(services, self._in_time("Temporal workers", TEMPORAL_SECONDS, self._temporal.stop()))
        await self._in_time("units", UNITS_SECONDS + 1, self._node.stop(UNITS_SECONDS))
        await self._in_time("watchers", 1.0, self._peers.settle(1.0))
        self._cancel("ends")
        await self._in_time("ends", 1.0, self._ends.write())
        await self._in_time("endings", 1.0, self._followup.settle(0.5))
        await asyncio.to_thread(self._projection.stop, WRITING_SECONDS)
        self._exits.stop()
        self._cancel("presence", "directory", "processes")
        await self._in_time("leaving", LEAVING_SECONDS, self._presence.leave())
        self._cancel("service states")

    async def _meet_others(self) -> None:
        """Know who runs, and take the place of one that was killed, before anything starts."""
        try:
            await self._directory.look()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the other nodes can't be read yet: %s", error)
        await self._turn.look()

    async def _end_services(self) -> None:
        await self._supervisor.stop()
        await self._turn.give_back()

    def _applied(self) -> None:
        """A unit of this node published: hosts are there when it goes on, services follow at once."""
        self._node.reconcile()
        self._moved.set()

    async def _follow_registry(self) -> None:
        """Make the node as the registry wants it, whenever that has a new version."""
        followed = -1
        while True:
            try:
                version = await asyncio.to_thread(self._catalog.version)
                if version != followed:
                    await self._follow(version)
                    followed = version
            except Exception:
                logger.exception("could not follow the registry, trying again")
            await self._pause()

    async def _pause(self) -> None:
        """Until it is time to look at the registry again."""
        try:
            await asyncio.wait_for(self._moved.wait(), REGISTRY_POLL)
        except TimeoutError:
            return
        self._moved.clear()

    async def _follow(self, version: int) -> None:
        """Hosts before services, since those run on hosts."""
        logger.info("registry version %s", version)
        self._node.reconcile()
        await asyncio.to_thread(self._announce, version)
        self._temporal.reconcile()
        await self._follow_services()

    def _announce(self, version: int) -> None:
        """Tell the units what changed since the last look; the first look tells nothing."""
        before, self._seen = self._seen, self._catalog.state(version)
        if before is not None:
            self._node.announce(diff(before, self._seen))

    async def _follow_services(self) -> None:
        await self._supervisor.reconcile(self._catalog)
        states = [*self._supervisor.states(), *self._temporal.states()]
        self._presence.keep_services({state.entry_id for state in states})

    # --- for the Temporal side -------------------------------------------------------------------

    def changed(self, state: ServiceState) -> None:
        """A worker or client changed its state."""
        self._presence.on_state(state)
        self._presence.beat_soon()  # which queues are served is told by the heartbeat

    async def up(self, entry_id: str) -> bool:
        """Wait until a service runs here; one that runs elsewhere does so, or does not."""
        if self._turn.mine:
            return await self._supervisor.up(entry_id)
        return await in_thread(partial(fleet.service_runs, entry_id))

    def describe(self, pid: str) -> ProcessInfo | None:
        """A running process or function call, None when it is gone."""
        return self._node.describe(pid)

    async def start_service(self, entry_id: str) -> None:
        """Start a service, anew if it runs; NotFound when it is not this node's."""
        await self._supervisor.start_service(entry_id, self._catalog)

    async def stop_service(self, entry_id: str) -> None:
        """Stop a service; NotFound when it is not this node's."""
        await self._supervisor.stop_service(entry_id)

    # ---------------------------------------------------------------------------------------------

    def _is_doubtful(self) -> bool:
        return self._presence.lapsed and self._directory.knows_others(self.id)

    def _pulse(self) -> Pulse:
        hosts = tuple(self._node.hosts(self._board.waiting))
        return Pulse(sum(host.running for host in hosts), self._temporal.queues(), hosts)

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


def environment() -> Mapping[str, str]:
    """What entries may refer to as `${env:NAME}`; the address of Temporal is the one that was decided."""
    return temporal.environ()
