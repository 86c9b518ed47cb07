"""A node's Temporal workers: one per `temporal.worker` entry with a host of its runs, and the node's own queues."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from temporalio.worker import Worker

from engine.contracts.catalog import Catalog
from engine.contracts.operations import Operations
from engine.contracts.serving import Server
from engine.contracts.watcher import Watcher
from engine.entry import Entry
from engine.errors import UNAVAILABLE, Failure, UnitFailed
from engine.hosts.actor.supervision.spec import SERVICE, requirements
from engine.hosts.actor.supervision.state import ServiceState
from engine.hosts.temporal.client.host import WorkflowHost
from engine.hosts.temporal.node.operations import OperationActivities
from engine.hosts.temporal.node.peers import TemporalPeers
from engine.hosts.temporal.node.workers import node_workers
from engine.hosts.temporal.observations import Observe
from engine.hosts.temporal.settings import FLEET_QUEUE, node_queue, reference, task_queue, worker_settings
from engine.hosts.temporal.worker.worker import workflow_worker
from engine.hosts.watched import watched_by
from engine.node import LocalNode
from wippy_console.services.by_kind import CLIENT, WORKER
from wippy_console.services.reconciler import clients_in_use
from wippy_console.services.runs import starting_keys
from wippy_console.worker.temporal.clients import ClientPool
from wippy_console.worker.temporal.run_exits import recorded_ends
from wippy_console.worker.temporal.supervisor import WorkerSupervisor

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What some workers are made from: the entry of a worker, or None for the node's own queues by a client."""

    client: Entry
    worker: Entry | None = None

    @property
    def entry(self) -> Entry:
        """The entry that the workers are for; its id is the key of their supervisor."""
        return self.worker or self.client


class NodeServices(Operations, Protocol):
    """What the workers need of their node; all on the loop."""

    def on_state(self, state: ServiceState) -> None:
        """A worker or client changed its state."""
        ...

    async def up(self, entry_id: str) -> bool:
        """Wait until a service runs that workers require; False when it will not."""
        ...


class TemporalWorkers:
    """Follows the registry by `reconcile`. A client is up when this node's own queues are served by it."""

    def __init__(
        self,
        node: LocalNode,
        peers: TemporalPeers,
        clients: ClientPool,
        observe: Observe,
        services: NodeServices,
        watcher: Watcher,
        server: Server | None = None,
    ) -> None:
        self._node = node
        self._peers = peers
        self._clients = clients
        self._observe = observe
        self._services = services
        self._watcher = watcher
        self._server = server
        self._supervisors: dict[str, tuple[WorkerSpec, WorkerSupervisor]] = {}
        self._hosts: dict[str, WorkflowHost] = {}
        self._retired: dict[str, WorkflowHost] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._stopping = False

    def reconcile(self) -> None:
        """Start what the registry has new, stop what it has no more, replace what it changed; returns at once."""
        wanted = {each.entry.id: each for each in worker_specs(self._node.catalog)}
        for entry_id, (spec, supervisor) in list(self._supervisors.items()):
            if wanted.get(entry_id) != spec:
                del self._supervisors[entry_id]
                self._stop(supervisor)
        for entry_id, spec in wanted.items():
            if entry_id not in self._supervisors:
                self._supervisors[entry_id] = spec, self._supervise(spec)
        self._withdraw({each.worker.id for each in wanted.values() if each.worker})

    async def up(self, entry_id: str) -> bool:
        """Wait until the worker or client runs (`supervisor.Parts`); everything else is up with the node."""
        while (found := self._supervisors.get(entry_id)) and not found[1].running.is_set():
            await found[1].running.wait()
        return True

    def states(self) -> list[ServiceState]:
        """Where the workers and clients stand."""
        return [supervisor.state for _, supervisor in self._supervisors.values()]

    def queues(self) -> tuple[str, ...]:
        """The task queues that are served now."""
        running = [each for _, each in self._supervisors.values() if each.running.is_set()]
        return tuple(sorted({queue for each in running for queue in each.queues}))

    def hosts(self) -> list[WorkflowHost]:
        """The client hosts, those of deleted workers too as long as anybody watches by them."""
        self._retired = {worker_id: host for worker_id, host in self._retired.items() if host.watches_any}
        return [*self._hosts.values(), *self._retired.values()]

    async def stop(self) -> None:
        """Stop all workers; running activities get their grace."""
        self._stopping = True
        for _, supervisor in self._supervisors.values():
            self._stop(supervisor)
        self._supervisors.clear()
        if self._ending:
            await asyncio.wait(self._ending)

    def _on_change(self, supervisor: WorkerSupervisor) -> None:
        """Pass it on, but not of one that was replaced or deleted and takes its time to end."""
        current = self._supervisors.get(supervisor.state.entry_id)
        if self._stopping or (current is not None and current[1] is supervisor):
            self._services.on_state(supervisor.state)

    def _stop(self, supervisor: WorkerSupervisor) -> None:
        task = asyncio.create_task(supervisor.stop(), name=f"stop {supervisor.state.entry_id}")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _supervise(self, spec: WorkerSpec) -> WorkerSupervisor:
        entry, worker = spec.entry, spec.worker
        if worker is None:
            queues, make_node = (FLEET_QUEUE, node_queue(self._node.id)), partial(self._make_node_workers, entry.id)
            return WorkerSupervisor(entry.id, CLIENT, queues, make_node, self._on_change)
        queue, make = task_queue(worker, spec.client), partial(self._make_worker, worker)
        return WorkerSupervisor(entry.id, WORKER, (queue,), make, self._on_change)

    async def _make_node_workers(self, client_id: str) -> Sequence[Worker]:
        more = OperationActivities(self._services).all()
        return node_workers(await self._clients.another(client_id), self._node, self._peers, more, self._server)

    async def _make_worker(self, worker: Entry) -> Sequence[Worker]:
        await self._services_run(worker)
        worker_id = worker.id
        found = worker_settings(self._node.catalog, worker_id, self._observe, strict=self._node.strict)
        settings = replace(found, unit_factory=watched_by(self._watcher), keys=starting_keys)
        client = await self._clients.another(settings.client)
        former = self._hosts.get(worker_id) or self._retired.pop(worker_id, None)
        host = WorkflowHost(client, settings, remembered=recorded_ends(settings.client), former=former)
        self._hosts[worker_id] = host
        self._node.add_host(host)
        return [workflow_worker(client, self._node, settings, self._clients.environ)]

    async def _services_run(self, worker: Entry) -> None:
        """Wait for the services that the worker or its client requires; Unavailable when one does not."""
        for need in requirements(worker, self._node.catalog):
            entry = self._node.catalog.entry(need)
            if entry is not None and entry.kind == SERVICE and not await self._services.up(need):
                raise UnitFailed(Failure(UNAVAILABLE, f"'{need}', which it requires, does not run", retryable=True))

    def _withdraw(self, workers: set[str]) -> None:
        for worker_id in self._hosts.keys() - workers:
            self._retired[worker_id] = self._hosts.pop(worker_id)
            self._node.remove_host(worker_id)


def worker_specs(catalog: Catalog) -> list[WorkerSpec]:
    """What a node should run; workers that name no client are left out, the registry shows their fault."""
    found = []
    for worker in catalog.entries(WORKER):
        client = catalog.entry(reference(worker, "client"))
        if client is not None and client.kind == CLIENT:
            found.append(WorkerSpec(client, worker))
    clients = [catalog.entry(client_id) for client_id in clients_in_use(catalog)]
    return found + [WorkerSpec(client) for client in clients if client is not None and client.kind == CLIENT]
