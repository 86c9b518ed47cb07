"""Where a pid or name leads: the one place that decides it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.contracts.fleet_names import FleetNames
from engine.contracts.host import Host
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.routes import Routes
from engine.hosts.actor.table import Table
from engine.pids import Pid


@dataclass(frozen=True, slots=True)
class Here:
    """A live actor of this node."""

    actor: Actor


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A workflow, or an actor of another node; whether it lives its host knows."""

    host: Host
    pid: str


@dataclass(frozen=True, slots=True)
class FleetName:
    """Neither a pid nor a name of this node: whoever holds the name in the fleet, if anybody does."""

    names: FleetNames
    name: str


@dataclass(frozen=True, slots=True)
class Nowhere:
    """Nothing runs there; `parsed` is None when `dest` is no pid either."""

    dest: str
    parsed: Pid | None = None


Destination = Here | Elsewhere | FleetName | Nowhere


class Destinations:
    """Finds destinations. A name of this node goes before the same name of the fleet."""

    def __init__(self, table: Table, routes: Routes, fleet_names: FleetNames | None) -> None:
        self._table = table
        self._routes = routes
        self._fleet_names = fleet_names

    def of(self, dest: str) -> Destination:
        """Where a pid or name leads."""
        if actor := self._table.find(dest):
            return Here(actor)
        found = self.of_pid(self._table.names.holder(dest) or dest)
        if isinstance(found, Nowhere) and found.parsed is None and self._fleet_names is not None:
            return FleetName(self._fleet_names, dest)
        return found

    def of_pid(self, pid: str) -> Here | Elsewhere | Nowhere:
        """Where a pid leads; a name leads nowhere."""
        if actor := self._table.live(pid):
            return Here(actor)
        parsed = Pid.parse(pid)
        host = self._routes.elsewhere(parsed) if parsed else None
        return Nowhere(pid, parsed) if host is None else Elsewhere(host, pid)
