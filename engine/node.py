"""One worker OS process as its units see it: its hosts, its names, and the way from a pid to its host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from engine.contracts.ask import AskHandler
from engine.contracts.catalog import Catalog
from engine.contracts.fleet_names import FleetNames
from engine.contracts.host import CallRequest, Host
from engine.contracts.operation import Operation
from engine.contracts.operations import HostInfo, ProcessInfo
from engine.contracts.peers import Peers
from engine.hosts.actor.actor import OnProcessEnd, UnitFactory
from engine.hosts.actor.budget import half_of_the_machine
from engine.hosts.actor.destinations import Elsewhere, Here, Nowhere
from engine.hosts.actor.hosts import ActorHost
from engine.hosts.actor.routes import Routes
from engine.hosts.actor.system import ActorSystem
from engine.hosts.python.unit import with_python
from engine.lua.unit import Unit
from engine.pids import Pid
from engine.registry.changes import Changes
from engine.steps import Limits, Message, Value

PROCESS_HOST = "process.host"


class LocalNode:
    """The node (`engine.contracts.node`): actor hosts by the catalog's `process.host` entries, others by `add_host`.

    Coroutines and `add_host` are for the loop on which `start` ran; `send`, `terminate`, `processes` and
    `counts` may be called from any thread. `strict` forbids what is checked to units without actor and scope.
    `ask_handlers` answer by name, on the loop, and `operations` reach the world. With `peers` and `fleet_names` it is
    one of several nodes. `on_process_end` is called for each process that ends, function calls not included.
    `max_memory` bounds what all units together hold, in bytes; half of the machine's memory by default.
    """

    def __init__(
        self,
        node_id: str,
        catalog: Catalog,
        *,
        limits: Limits | None = None,
        threads: int = 2,
        strict: bool = False,
        unit_factory: UnitFactory = Unit,
        ask_handlers: Mapping[str, AskHandler] | None = None,
        operations: Mapping[str, Operation] | None = None,
        peers: Peers | None = None,
        fleet_names: FleetNames | None = None,
        on_process_end: OnProcessEnd | None = None,
        max_memory: int = 0,
    ) -> None:
        self.id = node_id
        self.catalog = catalog
        self.strict = strict
        self._actor_hosts: dict[str, ActorHost] = {}
        self._removed: dict[str, ActorHost] = {}
        self._others: dict[str, Host] = {}
        self._routes = Routes(node_id, self._actor_hosts, self._others, peers)
        self._system = ActorSystem(
            self._routes,
            catalog,
            with_python(unit_factory),
            limits=limits or Limits(),
            ask_handlers=ask_handlers or {},
            operations=operations or {},
            fleet_names=fleet_names,
            on_process_end=on_process_end,
            threads=threads,
            strict=strict,
            max_memory=max_memory or half_of_the_machine(),
        )

    # --- the contract of a node ----------------------------------------------------------------

    def host(self, host_id: str) -> Host | None:
        """The host of that entry id."""
        return self._actor_hosts.get(host_id) or self._others.get(host_id)

    def host_of(self, pid: str) -> Host | None:
        """The host that a pid belongs to; pids of this node's functions belong to the function host.

        A pid that names no node means this one.
        """
        with self._system.table.lock:
            match self._system.destinations.of_pid(pid):
                case Elsewhere(host):
                    return host
                case Here(actor):
                    return self._actor_host(actor.host_id)
                case Nowhere(_, Pid() as gone) if self._routes.is_own(gone):
                    return self._actor_host(gone.host)
                case Nowhere():
                    return None

    async def find(self, dest: str) -> str | None:
        """The pid that `dest` is or names, here or in the fleet."""
        return await self._system.find(dest)

    async def call(self, request: CallRequest) -> Value:
        """Call a function, or a process by its default host; raises UnitFailed."""
        return await self._system.calls.call(request)

    async def link(self, pid: str, peer: str) -> None:
        """Let an actor here hold its side of a link with one of another node; NotFound when it is gone."""
        await self._system.remote.relate(pid, peer, "link")

    async def unlink(self, pid: str, peer: str) -> None:
        """Undo `link`; whatever is gone has no link."""
        await self._system.remote.relate(pid, peer, "unlink")

    # --- life ------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to run units."""
        self._system.start()
        self.reconcile()

    async def stop(self, grace: float = 10.0) -> None:
        """Refuse new work, send CANCEL to every unit, wait up to `grace` seconds, terminate the rest.

        Stop the supervisor before: it would take the ends of its services for failures.
        """
        for host in self._all_actor_hosts():
            host.draining = True
        for process in self.processes():
            self._system.table.cancel(process.pid, "node stopping", "")
        await self._system.table.wait_until_empty(grace)
        for process in self.processes():
            self._system.table.terminate(process.pid)
        await self._system.stop()

    def reconcile(self) -> None:
        """Follow the registry: hosts for new `process.host` entries; deleted ones only finish what they run."""
        wanted = {entry.id: entry for entry in self.catalog.entries(PROCESS_HOST)}
        for host_id in self._actor_hosts.keys() - wanted.keys():
            host = self._removed[host_id] = self._actor_hosts.pop(host_id)
            host.removed = True
        for host_id, entry in wanted.items():
            host = self._actor_hosts.get(host_id) or self._removed.pop(host_id, None) or self._system.new_host(host_id)
            host.removed = False
            host.configure(entry)
            self._actor_hosts[host_id] = host

    def add_host(self, host: Host) -> None:
        """Offer a host of another kind to this node's units."""
        self._others[host.id] = host

    def remove_host(self, host_id: str) -> None:
        """Withdraw a host that `add_host` added."""
        self._others.pop(host_id, None)

    def announce(self, changes: Changes) -> None:
        """Publish to this node's units, by the event bus, what changed in the registry; from any thread."""
        self._system.bus.announce(changes)

    # --- for the console -------------------------------------------------------------------------

    def send(self, dest: str, topic: str, *payloads: Value, sender: str = "") -> None:
        """Send to an actor by pid or name, from any thread; raises UnitFailed."""
        self._system.send(dest, Message(topic, payloads, sender))

    def terminate(self, pid: str) -> None:
        """End an actor now, from any thread; one that is gone is left so."""
        self._system.table.terminate(pid)

    def processes(self) -> list[ProcessInfo]:
        """All running processes and function calls, oldest first."""
        return self._system.table.snapshot()

    def describe(self, pid: str) -> ProcessInfo | None:
        """One running process or function call, None when it is gone; from any thread."""
        return self._system.table.describe(pid)

    def hosts(self, waiting: Mapping[str, int] | None = None) -> list[HostInfo]:
        """The actor hosts by id, function calls at the end; `waiting` counts the messages that wait by host id."""
        known = waiting or {}
        return [host.info(known.get(host.id, 0)) for host in self._all_actor_hosts()]

    @property
    def threads(self) -> int:
        """How many threads step units now."""
        return self._system.threads

    def counts(self) -> Mapping[str, int]:
        """Running units by host id; function calls count under `functions`."""
        return Counter({host.id: host.count for host in self._all_actor_hosts()})

    def _all_actor_hosts(self) -> list[ActorHost]:
        hosts = {**self._removed, **self._actor_hosts}
        return [*(hosts[id_] for id_ in sorted(hosts)), self._system.functions]

    def _actor_host(self, host_id: str) -> ActorHost:
        """The host of processes of that id, one too that was deleted; any other id is a function's."""
        return self._actor_hosts.get(host_id) or self._removed.get(host_id) or self._system.functions
