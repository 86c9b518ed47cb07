"""The Temporal side of a node: a client host and a worker per `temporal.worker` entry, and the node's own queues."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from temporalio.client import Client
from temporalio.worker import Worker

from engine.contracts.catalog import Catalog
from engine.contracts.operations import Operations
from engine.entry import Entry
from engine.errors import UNAVAILABLE, Failure, UnitFailed, not_found
from engine.hosts.actor.service_spec import SERVICE, requirements
from engine.hosts.actor.service_state import ServiceState
from engine.hosts.temporal.client.connections import Clients
from engine.hosts.temporal.client.host import WorkflowHost
from engine.hosts.temporal.node.operations import OperationActivities
from engine.hosts.temporal.node.peers import Peers
from engine.hosts.temporal.node.workers import node_workers
from engine.hosts.temporal.observations import Observe
from engine.hosts.temporal.settings import FLEET_QUEUE, node_queue, reference, task_queue, worker_settings
from engine.hosts.temporal.worker.worker import workflow_worker
from engine.node import LocalNode
from wippy_console.services.reconciler.visibility import clients_in_use
from wippy_console.worker.temporal.run_exits import remember
from wippy_console.worker.temporal.supervisor import Kept

logger = logging.getLogger(__name__)

CLIENT, WORKER = "temporal.client", "temporal.worker"


class Gateway:
    """Temporal clients by entry id (`projection.fetching.Clients`)."""

    def __init__(self, catalog: Catalog, environ: Mapping[str, str], identity: str) -> None:
        self._catalog = catalog
        self.environ = environ
        self._clients = Clients(environ, identity)

    async def client(self, client_id: str) -> Client:
        """The connected client; UnitFailed: NotFound, Invalid, Unavailable."""
        return await self._clients.of(self._entry(client_id))

    async def another(self, client_id: str) -> Client:
        """`client`, on a connection that nothing else uses."""
        return await self._clients.another(self._entry(client_id))

    async def any_client(self) -> Client:
        """A client by which other nodes are reached: each of those that workers use leads to all."""
        failure = UnitFailed(Failure(UNAVAILABLE, "no worker uses a temporal.client, by which nodes reach each other"))
        for client_id in clients_in_use(self._catalog):
            try:
                return await self.client(client_id)
            except UnitFailed as error:
                failure = error
        raise failure

    def _entry(self, client_id: str) -> Entry:
        entry = self._catalog.entry(client_id)
        if entry is None or entry.kind != CLIENT:
            raise UnitFailed(not_found(f"no {CLIENT} entry '{client_id}'"))
        return entry


@dataclass(frozen=True, slots=True)
class Wanted:
    """What some workers are made from: the entry of a worker, or None for the node's own queues by a client."""

    client: Entry
    worker: Entry | None = None

    @property
    def entry(self) -> Entry:
        """The entry that the workers are kept for; its id is the key of what is kept."""
        return self.worker or self.client


class Around(Operations, Protocol):
    """What the Temporal side needs of its node; all on the loop."""

    def changed(self, state: ServiceState) -> None:
        """A worker or client changed its state."""
        ...

    async def up(self, entry_id: str) -> bool:
        """Wait until a service runs that workers require; False when it will not."""
        ...


class TemporalSide:
    """Follows the registry by `reconcile`. A client is up when this node's own queues are served by it."""

    def __init__(
        self,
        node: LocalNode,
        peers: Peers,
        gateway: Gateway,
        observe: Observe,
        around: Around,
    ) -> None:
        self._node = node
        self._peers = peers
        self._gateway = gateway
        self._observe = observe
        self._around = around
        self._kept: dict[str, tuple[Wanted, Kept]] = {}
        self._hosts: dict[str, WorkflowHost] = {}
        self._retired: dict[str, WorkflowHost] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._stopping = False

    def reconcile(self) -> None:
        """Start what the registry has new, stop what it has no more, replace what it changed; returns at once."""
        wanted = {each.entry.id: each for each in wanted_workers(self._node.catalog)}
        for entry_id, (made_from, kept) in list(self._kept.items()):
            if wanted.get(entry_id) != made_from:
                del self._kept[entry_id]
                self._end(kept)
        for entry_id, each in wanted.items():
            if entry_id not in self._kept:
                self._kept[entry_id] = each, self._keep(each)
        self._withdraw({each.worker.id for each in wanted.values() if each.worker})

    async def up(self, entry_id: str) -> bool:
        """Wait until the worker or client runs (`supervisor.Parts`); everything else is up with the node."""
        while (found := self._kept.get(entry_id)) and not found[1].up.is_set():
            await found[1].up.wait()
        return True

    def states(self) -> list[ServiceState]:
        """Where the workers and clients stand."""
        return [kept.state for _, kept in self._kept.values()]

    def queues(self) -> tuple[str, ...]:
        """The task queues that are served now."""
        return tuple(sorted({queue for _, kept in self._kept.values() if kept.up.is_set() for queue in kept.queues}))

    def hosts(self) -> list[WorkflowHost]:
        """The client hosts, those of deleted workers too as long as anybody watches by them."""
        self._retired = {worker_id: host for worker_id, host in self._retired.items() if host.watches_any}
        return [*self._hosts.values(), *self._retired.values()]

    async def stop(self) -> None:
        """Stop all workers; running activities get their grace."""
        self._stopping = True
        for _, kept in self._kept.values():
            self._end(kept)
        self._kept.clear()
        if self._ending:
            await asyncio.wait(self._ending)

    def _changed(self, kept: Kept) -> None:
        """Pass it on, but not of one that was replaced or deleted and takes its time to end."""
        mine = self._kept.get(kept.state.entry_id)
        if self._stopping or (mine is not None and mine[1] is kept):
            self._around.changed(kept.state)

    def _end(self, kept: Kept) -> None:
        task = asyncio.create_task(kept.stop(), name=f"stop {kept.state.entry_id}")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _keep(self, wanted: Wanted) -> Kept:
        entry, worker = wanted.entry, wanted.worker
        if worker is None:
            queues = (FLEET_QUEUE, node_queue(self._node.id))
            return Kept(entry.id, CLIENT, queues, lambda: self._make_node_workers(wanted.client.id), self._changed)
        queue = task_queue(worker, wanted.client)
        return Kept(entry.id, WORKER, (queue,), lambda: self._make_worker(worker), self._changed)

    async def _make_node_workers(self, client_id: str) -> Sequence[Worker]:
        more = OperationActivities(self._around).all()
        return node_workers(await self._gateway.another(client_id), self._node, self._peers, more)

    async def _make_worker(self, worker: Entry) -> Sequence[Worker]:
        await self._services_run(worker)
        worker_id = worker.id
        settings = worker_settings(self._node.catalog, worker_id, self._observe, strict=self._node.strict)
        client = await self._gateway.another(settings.client)
        former = self._hosts.get(worker_id) or self._retired.pop(worker_id, None)
        host = WorkflowHost(client, settings, remembered=remember(settings.client), former=former)
        self._hosts[worker_id] = host
        self._node.add_host(host)
        return [workflow_worker(client, self._node, settings, self._gateway.environ)]

    async def _services_run(self, worker: Entry) -> None:
        """Wait for the services that the worker or its client requires; Unavailable when one does not."""
        for need in requirements(worker, self._node.catalog):
            entry = self._node.catalog.entry(need)
            if entry is not None and entry.kind == SERVICE and not await self._around.up(need):
                raise UnitFailed(Failure(UNAVAILABLE, f"'{need}', which it requires, does not run", retryable=True))

    def _withdraw(self, workers: set[str]) -> None:
        for worker_id in self._hosts.keys() - workers:
            self._retired[worker_id] = self._hosts.pop(worker_id)
            self._node.remove_host(worker_id)


def wanted_workers(catalog: Catalog) -> list[Wanted]:
    """What a node should run; workers that name no client are left out, the registry shows their fault."""
    found = []
    for worker in catalog.entries(WORKER):
        client = catalog.entry(reference(worker, "client"))
        if client is not None and client.kind == CLIENT:
            found.append(Wanted(client, worker))
    clients = [catalog.entry(client_id) for client_id in clients_in_use(catalog)]
    return found + [Wanted(client) for client in clients if client is not None and client.kind == CLIENT]
