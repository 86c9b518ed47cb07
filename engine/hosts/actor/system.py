"""The actor host of a node, composed: its table, what stands on it, and what runs actors."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from engine.contracts.ask import AskHandler
from engine.contracts.catalog import Catalog
from engine.contracts.fleet_names import FleetNames
from engine.contracts.operation import Operation
from engine.errors import UnitFailed
from engine.hosts.actor.actor import Actor, OnProcessEnd, UnitFactory
from engine.hosts.actor.answers import Answers
from engine.hosts.actor.asks.bus import Bus
from engine.hosts.actor.asks.handlers import AskHandlers
from engine.hosts.actor.asks.naming import Naming
from engine.hosts.actor.budget import Budget
from engine.hosts.actor.calls import Calls
from engine.hosts.actor.commands import Commands
from engine.hosts.actor.concurrency.lanes import Lanes
from engine.hosts.actor.destinations import Destinations, Elsewhere, FleetName, Here, Nowhere
from engine.hosts.actor.execution import Execution
from engine.hosts.actor.failures import unresolved
from engine.hosts.actor.hosts import FUNCTIONS, ActorHost, FunctionHost, Pids
from engine.hosts.actor.local import LocalCommands
from engine.hosts.actor.operating import Operating
from engine.hosts.actor.relations import Relations
from engine.hosts.actor.remote import RemoteCommands
from engine.hosts.actor.routes import Routes
from engine.hosts.actor.table import Table
from engine.hosts.actor.targets import Targets
from engine.hosts.actor.trimming import Trimmer
from engine.hosts.actor.watches import Watches
from engine.hosts.actor.world import SystemWorld
from engine.steps import Limits, Message

CLOSING = 2.0
"""Seconds in which a node that stops closes what its units held."""


class ActorSystem:
    """All actors of one node. `ask_handlers` and `operations` are the loop's; `fleet_names` None for a node alone."""

    def __init__(
        self,
        routes: Routes,
        catalog: Catalog,
        unit_factory: UnitFactory,
        *,
        limits: Limits,
        ask_handlers: Mapping[str, AskHandler],
        operations: Mapping[str, Operation],
        fleet_names: FleetNames | None = None,
        on_process_end: OnProcessEnd | None = None,
        threads: int = 2,
        strict: bool = False,
        max_memory: int,
    ) -> None:
        self.table = table = Table(SystemWorld(), threads=threads, on_process_end=on_process_end)
        self.bus = Bus(table)
        self._limits = limits
        self._budget = budget = Budget(max_memory)
        table.at_end(budget.leave)
        table.at_end(Trimmer(table.bridge, budget).at_end)
        self._pids = Pids(routes.node_id)
        self._lanes = lanes = Lanes(table.bridge, table.lock)
        self._targets = targets = Targets(catalog, routes)
        self.destinations = destinations = Destinations(table, routes, fleet_names)
        local = LocalCommands(table, Relations(table))
        self.remote = RemoteCommands(table, lanes, destinations, Watches(table, lanes))
        self.functions = FunctionHost(FUNCTIONS, table, targets, self._pids, limits, budget)
        self.calls = Calls(table, targets, self.functions)
        answers = Answers(table, lanes)
        self._operating = Operating(table, answers, operations)
        naming = Naming(table, destinations, lanes, fleet_names)
        commands = Commands(
            table,
            targets,
            destinations,
            answers,
            calls=self.calls,
            local=local,
            remote=self.remote,
            operating=self._operating,
            asks=AskHandlers(
                {**naming.ask_handlers(), **self.bus.ask_handlers()}, {"events.send": self.bus.send, **ask_handlers}
            ),
        )
        self._execution = Execution(table, budget, commands, catalog, unit_factory, strict=strict)

    @property
    def threads(self) -> int:
        """How many threads step units now."""
        return self.table.scheduler.threads

    def new_host(self, host_id: str) -> ActorHost:
        """A host of processes, without limits of its own yet."""
        return ActorHost(host_id, self.table, self._targets, self._pids, self._limits, self._budget)

    def start(self) -> None:
        """Begin to run actors; on the loop."""
        self.table.bridge.start()
        self.table.scheduler.start(self._execution.run)

    async def stop(self) -> None:
        """Stop the threads after what is queued, then let go of the loop; a step that hangs is left behind."""
        await self._operating.settled(CLOSING)
        await self._lanes.settled()
        self._targets.close()
        self.table.scheduler.close()
        await asyncio.to_thread(self.table.scheduler.join, 1.0)
        self.table.bridge.stop()

    def send(self, dest: str, message: Message) -> None:
        """Send to an actor of this node by pid or name; raises UnitFailed."""
        with self.table.lock:
            match self.destinations.of(dest):
                case Nowhere(_, None) | FleetName():
                    raise UnitFailed(unresolved(dest))
                case Here(Actor(pid)) | Elsewhere(_, pid) | Nowhere(pid):
                    failure = self.table.send(pid, message)
        if failure is not None:
            raise UnitFailed(failure)

    async def find(self, dest: str) -> str | None:
        """The pid that `dest` is or names, here or in the fleet; raises UnitFailed (Unavailable)."""
        with self.table.lock:
            match self.destinations.of(dest):
                case Here(actor):
                    return actor.pid
                case Elsewhere(_, pid):
                    return pid
                case Nowhere(pid, parsed):
                    return pid if parsed else None
                case FleetName(names, name):
                    pass
        return await names.lookup(name)
