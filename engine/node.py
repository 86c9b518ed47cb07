"""One worker OS process as its units see it: its hosts, its names, and the way from a pid to its host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from engine.contracts.ask import Service
from engine.contracts.catalog import Catalog
from engine.contracts.fleet import FleetNames, Peers
from engine.contracts.host import CallRequest, Host
from engine.contracts.operations import HostInfo, ProcessInfo
from engine.hosts.actor.actor import OnProcessEnd, UnitFactory
from engine.hosts.actor.hosts import FUNCTIONS, ActorHost, FunctionHost, PidCounter
from engine.hosts.actor.system import ActorSystem
from engine.lua.unit import Unit
from engine.pids import Pid
from engine.registry.changes import Changes
from engine.steps import Limits, Value

PROCESS_HOST = "process.host"


class LocalNode:
    """The node (`engine.contracts.node`): actor hosts by the catalog's `process.host` entries, others by `add_host`.

    Coroutines and `add_host` are for the loop on which `start` ran; `tell`, `terminate`, `processes` and
    `counts` may be called from any thread. `strict` forbids what is checked to units without actor and scope.
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
    ) -> None:
        self.id = node_id
        self.catalog = catalog
        self.strict = strict
        self._limits = limits or Limits()
        self._system = ActorSystem(node_id, catalog, unit_factory, threads=threads, strict=strict)
        self._pids = PidCounter()
        self._functions = FunctionHost(FUNCTIONS, self._system, self._pids, self._limits)
        self._actor_hosts: dict[str, ActorHost] = {}
        self._removed: dict[str, ActorHost] = {}
        self._others: dict[str, Host] = {}
        self._peers: Peers | None = None
        self._system.functions = self._functions
        self._system.foreign = self._host_elsewhere
        self._system.targets.connect(self._actor_hosts, self._others)

    # --- the contract of a node ----------------------------------------------------------------

    def host(self, host_id: str) -> Host | None:
        """The host of that entry id."""
        return self._actor_hosts.get(host_id) or self._others.get(host_id)

    def host_of(self, pid: str) -> Host | None:
        """The host that a pid belongs to; pids of this node's functions belong to the function host.

        A pid that names no node means this one.
        """
        parsed = Pid.parse(pid)
        if parsed is None or parsed.node not in ("", self.id):
            return self._host_elsewhere(pid)
        return self._actor_hosts.get(parsed.host) or self._removed.get(parsed.host) or self._functions

    async def find(self, dest: str) -> str | None:
        """The pid that `dest` is or names, here or in the fleet."""
        with self._system.lock:
            pid = self._system.commands.resolve(dest)
        names = self._system.fleet_names
        return pid or (await names.lookup(dest) if names else None)

    async def call(self, request: CallRequest) -> Value:
        """Call a function, or a process by its default host; raises UnitFailed."""
        return await self._functions.call(request)

    async def link(self, pid: str, peer: str) -> None:
        """Let an actor here hold its side of a link with one of another node; NotFound when it is gone."""
        await self._system.relate(pid, peer, "link")

    async def unlink(self, pid: str, peer: str) -> None:
        """Undo `link`; whatever is gone has no link."""
        await self._system.relate(pid, peer, "unlink")

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
            self._system.cancel(process.pid, "node stopping", "")
        await self._system.wait_until_empty(grace)
        for process in self.processes():
            self._system.terminate(process.pid)
        await self._system.stop()

    def reconcile(self) -> None:
        """Follow the registry: hosts for new `process.host` entries; deleted ones only finish what they run."""
        wanted = {entry.id: entry for entry in self.catalog.entries(PROCESS_HOST)}
        for host_id in self._actor_hosts.keys() - wanted.keys():
            host = self._removed[host_id] = self._actor_hosts.pop(host_id)
            host.removed = True
        for host_id, entry in wanted.items():
            host = self._actor_hosts.get(host_id) or self._removed.pop(host_id, None) or self._new_host(host_id)
            host.removed = False
            host.configure(entry)
            self._actor_hosts[host_id] = host

    def add_host(self, host: Host) -> None:
        """Offer a host of another kind to this node's units."""
        self._others[host.id] = host

    def remove_host(self, host_id: str) -> None:
        """Withdraw a host that `add_host` added."""
        self._others.pop(host_id, None)

    def join(self, peers: Peers, names: FleetNames) -> None:
        """Become one of several nodes; before `start`."""
        self._peers = peers
        self._system.fleet_names = names

    def tell_ends(self, on_end: OnProcessEnd) -> None:
        """Call back for each process that ends, function calls not included; before `start`."""
        self._system.on_process_end = on_end

    def add_service(self, name: str, service: Service) -> None:
        """Answer `Ask` commands of that name on the loop."""
        self._system.commands.services[name] = service

    def add_services(self, services: Mapping[str, Service]) -> None:
        """Answer several."""
        self._system.commands.services.update(services)

    def announce(self, changes: Changes) -> None:
        """Tell this node's units, by the event bus, what changed in the registry; from any thread."""
        self._system.bus.announce(changes)

    # --- for the console -------------------------------------------------------------------------

    def tell(self, dest: str, topic: str, *payloads: Value, sender: str = "") -> None:
        """Send to an actor by pid or name, from any thread; raises UnitFailed."""
        self._system.tell(dest, topic, payloads, sender)

    def terminate(self, pid: str) -> None:
        """End an actor now, from any thread; one that is gone is left so."""
        self._system.terminate(pid)

    def processes(self) -> list[ProcessInfo]:
        """All running processes and function calls, oldest first."""
        return self._system.snapshot()

    def describe(self, pid: str) -> ProcessInfo | None:
        """One running process or function call, None when it is gone; from any thread."""
        return self._system.describe(pid)

    def hosts(self, waiting: Mapping[str, int] | None = None) -> list[HostInfo]:
        """The actor hosts by id, function calls at the end; `waiting` tells the messages that wait by host id."""
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
        return [*(hosts[id_] for id_ in sorted(hosts)), self._functions]

    def _new_host(self, host_id: str) -> ActorHost:
        return ActorHost(host_id, self._system, self._pids, self._limits)

    def _host_elsewhere(self, pid: str) -> Host | None:
        """The host of a workflow, or of another node's actor; None for actors of this node and for no unit."""
        parsed = Pid.parse(pid)
        if parsed is None or not parsed.node or parsed.node == self.id:
            return None
        host = self._others.get(parsed.host)
        return host or (self._peers.host(parsed.node) if self._peers else None)
