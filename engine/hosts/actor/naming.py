"""The name services of `Ask` (lua-api 5.5): arguments are (name[, pid[, scope]]). Lock held."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from engine.errors import Failure, UnitFailed, invalid
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.failures import NAME_EMPTY, NAME_NOT_REGISTERED, PID_NOT_REGISTERED, name_taken
from engine.steps import Exited, Value

if TYPE_CHECKING:
    from engine.hosts.actor.system import ActorSystem

logger = logging.getLogger(__name__)

NAME_WATCH = "names"


def register(system: ActorSystem, actor: Actor, args: tuple[Value, ...]) -> Value | Failure:
    """Give a name to a pid, the asker's own by default; True, or AlreadyExists when another holds it."""
    name = _name(args)
    if isinstance(name, Failure):
        return name
    pid = _pid(args) or actor.pid
    if system.live(pid) is None and system.foreign(pid) is None:
        return PID_NOT_REGISTERED
    holder = system.names.claim(name, pid)
    if holder != pid:
        return name_taken(name, holder)
    _release_at_end(system, pid)
    return True


def lookup(system: ActorSystem, actor: Actor, args: tuple[Value, ...]) -> Value | Failure:
    """The pid that holds a name."""
    name = _name(args)
    return name if isinstance(name, Failure) else system.names.holder(name) or NAME_NOT_REGISTERED


def unregister(system: ActorSystem, actor: Actor, args: tuple[Value, ...]) -> Value | Failure:
    """Free a name; whether it was held."""
    name = _name(args)
    return name if isinstance(name, Failure) else system.names.release(name)


SERVICES: Mapping[str, Callable[[ActorSystem, Actor, tuple[Value, ...]], Value | Failure]] = {
    "names.register": register,
    "names.lookup": lookup,
    "names.unregister": unregister,
}


def _name(args: tuple[Value, ...]) -> str | Failure:
    name = args[0] if args else ""
    if not isinstance(name, str):
        return invalid("name must be a string")
    return name or NAME_EMPTY


def _pid(args: tuple[Value, ...]) -> str:
    return args[1] if len(args) > 1 and isinstance(args[1], str) else ""


def _release_at_end(system: ActorSystem, pid: str) -> None:
    """A unit of another host keeps its name until that host reports its end; actors drop theirs themselves."""
    host = system.foreign(pid) if system.live(pid) is None else None
    if host is None:
        return

    def ended(exited: Exited) -> None:
        with system.lock:
            system.names.drop(pid)

    async def watch() -> None:
        try:
            await host.watch(pid, NAME_WATCH, ended)
        except UnitFailed as error:
            logger.info("a name of %s is released: %s", pid, error)
            ended(Exited(pid, 0))

    system.commands.outbound.lanes.enqueue((NAME_WATCH, pid), watch)
