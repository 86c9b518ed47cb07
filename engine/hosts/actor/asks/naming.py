"""Answers to `Ask` about names (docs/lua.md#process-names): arguments are (name[, pid[, scope]]).

LOCAL names are this node's. The other scopes are one: the fleet holds such a name once. A name means the unit
that holds it on this node, else the one that holds it in the fleet. A node alone has LOCAL names only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from engine.contracts.fleet_names import FleetNames
from engine.contracts.host import Host
from engine.errors import Failure, UnitFailed, invalid
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.answers import Answer, Deferred
from engine.hosts.actor.concurrency.lanes import Lanes
from engine.hosts.actor.destinations import Destinations, Elsewhere, Here, Nowhere
from engine.hosts.actor.failures import NAME_EMPTY, NAME_LIKE_PID, NAME_NOT_REGISTERED, PID_NOT_REGISTERED, name_taken
from engine.hosts.actor.names import is_like_pid
from engine.hosts.actor.table import Table
from engine.steps import Exited, Value

logger = logging.getLogger(__name__)

NAME_WATCH = "names"


LOCAL, STRONG = 0, 3


class Naming:
    """Registers names, of this node and of the fleet."""

    def __init__(self, table: Table, destinations: Destinations, lanes: Lanes, fleet_names: FleetNames | None) -> None:
        self._table = table
        self._destinations = destinations
        self._lanes = lanes
        self._fleet_names = fleet_names

    def ask_handlers(self) -> Mapping[str, Callable[[Actor, tuple[Value, ...]], Answer]]:
        """Every handler by name."""
        return {"names.register": self.register, "names.lookup": self.lookup, "names.unregister": self.unregister}

    def register(self, actor: Actor, args: tuple[Value, ...]) -> Answer:
        """Give a name to a pid, the asker's own by default; True, or AlreadyExists when another holds it."""
        name = _new_name(args)
        if isinstance(name, Failure):
            return name
        pid = _pid(args) or actor.pid
        found = self._destinations.of_pid(pid)
        if isinstance(found, Nowhere):
            return PID_NOT_REGISTERED
        scope = args[2] if len(args) > 2 else LOCAL
        if scope not in range(LOCAL, STRONG + 1):
            return invalid(f"unknown scope {scope!r}")
        holder = self._table.names.holder(name) or pid
        if holder != pid:
            return name_taken(name, holder)
        if scope != LOCAL and (names := self._fleet_names):
            return Deferred(lambda: self._claim(names, name, pid))
        self._table.names.claim(name, pid)
        if isinstance(found, Elsewhere):
            self._release_at_end(found.host, pid)
        return True

    def lookup(self, actor: Actor, args: tuple[Value, ...]) -> Answer:
        """The pid that holds a name."""
        name = _name(args)
        if isinstance(name, Failure):
            return name
        if holder := self._table.names.holder(name):
            return holder
        names = self._fleet_names
        return Deferred(lambda: _find(names, name)) if names else NAME_NOT_REGISTERED

    def unregister(self, actor: Actor, args: tuple[Value, ...]) -> Answer:
        """Free a name; whether it was held."""
        name = _name(args)
        if isinstance(name, Failure):
            return name
        names = self._fleet_names
        return self._table.names.release(name) or (Deferred(lambda: names.release(name)) if names else False)

    async def _claim(self, names: FleetNames, name: str, pid: str) -> Value:
        holder = await names.claim(name, pid)
        if holder != pid:
            raise UnitFailed(name_taken(name, holder))
        with self._table.lock:
            match self._destinations.of_pid(pid):
                case Here(actor):
                    actor.on_end[NAME_WATCH] = lambda exited: self._drop(pid)
                case Elsewhere(host):
                    self._release_at_end(host, pid)
                case Nowhere():  # it ended meanwhile
                    self._drop(pid)
                    raise UnitFailed(PID_NOT_REGISTERED)
        return True

    def _drop(self, pid: str) -> None:
        """Free all names of a unit that ended; those of this node's actors are gone from this node already."""
        self._table.names.drop(pid)
        if names := self._fleet_names:
            self._lanes.enqueue((NAME_WATCH, pid), lambda: names.drop(pid))

    def _release_at_end(self, host: Host, pid: str) -> None:
        """A unit of another host keeps its name until that host reports its end; actors drop theirs themselves."""

        def ended(exited: Exited) -> None:
            with self._table.lock:
                self._drop(pid)

        async def watch() -> None:
            try:
                await host.watch(pid, NAME_WATCH, ended)
            except UnitFailed as error:
                logger.info("a name of %s is released: %s", pid, error)
                ended(Exited(pid, 0))

        self._lanes.enqueue((NAME_WATCH, pid), watch)


async def _find(names: FleetNames, name: str) -> Value:
    holder = await names.lookup(name)
    if holder is None:
        raise UnitFailed(NAME_NOT_REGISTERED)
    return holder


def _name(args: tuple[Value, ...]) -> str | Failure:
    name = args[0] if args else ""
    if not isinstance(name, str):
        return invalid("name must be a string")
    return name or NAME_EMPTY


def _new_name(args: tuple[Value, ...]) -> str | Failure:
    name = _name(args)
    return NAME_LIKE_PID if isinstance(name, str) and is_like_pid(name) else name


def _pid(args: tuple[Value, ...]) -> str:
    return args[1] if len(args) > 1 and isinstance(args[1], str) else ""
