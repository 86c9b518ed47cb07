"""The name services of `Ask` (docs/lua.md#process-names): arguments are (name[, pid[, scope]]). Lock held.

LOCAL names are this node's. The other scopes are one: the fleet holds such a name once. A name means the unit
that holds it on this node, else the one that holds it in the fleet. A node alone has LOCAL names only.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.contracts.fleet import FleetNames
from engine.errors import Failure, UnitFailed, invalid
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.failures import NAME_EMPTY, NAME_LIKE_PID, NAME_NOT_REGISTERED, PID_NOT_REGISTERED, name_taken
from engine.hosts.actor.names import is_like_pid
from engine.steps import Exited, Value

if TYPE_CHECKING:
    from engine.hosts.actor.system import ActorSystem

logger = logging.getLogger(__name__)

NAME_WATCH = "names"


LOCAL, STRONG = 0, 3


@dataclass(frozen=True, slots=True)
class Later:
    """An answer that the fleet gives."""

    work: Callable[[], Awaitable[Value]]


Answer = Value | Failure | Later


def register(system: ActorSystem, actor: Actor, args: tuple[Value, ...]) -> Answer:
    """Give a name to a pid, the asker's own by default; True, or AlreadyExists when another holds it."""
    name = _new_name(args)
    if isinstance(name, Failure):
        return name
    pid = _pid(args) or actor.pid
    if system.live(pid) is None and system.foreign(pid) is None:
        return PID_NOT_REGISTERED
    scope = args[2] if len(args) > 2 else LOCAL
    if scope not in range(LOCAL, STRONG + 1):
        return invalid(f"unknown scope {scope!r}")
    holder = system.names.holder(name) or pid
    if holder != pid:
        return name_taken(name, holder)
    if scope != LOCAL and (names := system.fleet_names):
        return Later(lambda: _claim(system, names, name, pid))
    system.names.claim(name, pid)
    _release_at_end(system, pid)
    return True


def lookup(system: ActorSystem, actor: Actor, args: tuple[Value, ...]) -> Answer:
    """The pid that holds a name."""
    name = _name(args)
    if isinstance(name, Failure):
        return name
    if holder := system.names.holder(name):
        return holder
    names = system.fleet_names
    return Later(lambda: _find(names, name)) if names else NAME_NOT_REGISTERED


def unregister(system: ActorSystem, actor: Actor, args: tuple[Value, ...]) -> Answer:
    """Free a name; whether it was held."""
    name = _name(args)
    if isinstance(name, Failure):
        return name
    names = system.fleet_names
    return system.names.release(name) or (Later(lambda: names.release(name)) if names else False)


SERVICES: Mapping[str, Callable[[ActorSystem, Actor, tuple[Value, ...]], Answer]] = {
    "names.register": register,
    "names.lookup": lookup,
    "names.unregister": unregister,
}


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


async def _claim(system: ActorSystem, names: FleetNames, name: str, pid: str) -> Value:
    holder = await names.claim(name, pid)
    if holder != pid:
        raise UnitFailed(name_taken(name, holder))
    with system.lock:
        actor = system.live(pid)
        if actor is not None:
            actor.on_end[NAME_WATCH] = lambda exited: _drop(system, pid)
        elif system.foreign(pid) is not None:
            _release_at_end(system, pid)
        else:  # it ended meanwhile
            _drop(system, pid)
            raise UnitFailed(PID_NOT_REGISTERED)
    return True


async def _find(names: FleetNames, name: str) -> Value:
    holder = await names.lookup(name)
    if holder is None:
        raise UnitFailed(NAME_NOT_REGISTERED)
    return holder


def _drop(system: ActorSystem, pid: str) -> None:
    """Free all names of a unit that ended; those of this node's actors are gone from this node already."""
    system.names.drop(pid)
    if names := system.fleet_names:
        system.commands.outbound.lanes.enqueue((NAME_WATCH, pid), lambda: names.drop(pid))


def _release_at_end(system: ActorSystem, pid: str) -> None:
    """A unit of another host keeps its name until that host reports its end; actors drop theirs themselves."""
    host = system.foreign(pid) if system.live(pid) is None else None
    if host is None:
        return

    def ended(exited: Exited) -> None:
        with system.lock:
            _drop(system, pid)

    async def watch() -> None:
        try:
            await host.watch(pid, NAME_WATCH, ended)
        except UnitFailed as error:
            logger.info("a name of %s is released: %s", pid, error)
            ended(Exited(pid, 0))

    system.commands.outbound.lanes.enqueue((NAME_WATCH, pid), watch)
