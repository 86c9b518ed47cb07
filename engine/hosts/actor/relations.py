"""Monitors and links between the actors of a node, and the farewell of one that ends. Lock held throughout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Failure
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.failures import ALREADY_MONITORING
from engine.steps import Exited, LinkDown

if TYPE_CHECKING:
    from engine.hosts.actor.system import ActorSystem


def monitor(watcher: Actor, target: Actor) -> Failure | None:
    """Let `watcher` get one Exited when `target` ends."""
    if watcher.pid in target.monitors:
        return ALREADY_MONITORING
    target.monitors.add(watcher.pid)
    watcher.monitoring.add(target.pid)
    return None


def unmonitor(watcher: Actor, target: Actor) -> None:
    """Undo `monitor`."""
    target.monitors.discard(watcher.pid)
    watcher.monitoring.discard(target.pid)


def link(one: Actor, other: Actor) -> None:
    """Tie two actors together: the failure of one reaches the other. Twice is once."""
    if one is not other:
        one.links.add(other.pid)
        other.links.add(one.pid)


def unlink(one: Actor, other: Actor) -> None:
    """Undo `link`."""
    one.links.discard(other.pid)
    other.links.discard(one.pid)


def abandon_pending(actor: Actor) -> None:
    """Stop whatever the actor has in flight; nothing of it is answered."""
    pending, actor.pending = actor.pending, {}
    for command in pending.values():
        command.abandon()


def farewell(system: ActorSystem, actor: Actor, exited: Exited) -> None:
    """Tell monitors, links and callbacks that the actor ended, and forget its own relations."""
    abandon_pending(actor)
    _tell_monitors(system, actor, exited)
    _tell_links(system, actor, exited)
    system.commands.outbound.watches.drop_all(actor)
    callbacks, actor.on_end = actor.on_end, {}
    for callback in callbacks.values():
        callback(exited)


def _tell_monitors(system: ActorSystem, actor: Actor, exited: Exited) -> None:
    for pid in actor.monitoring:
        if target := system.live(pid):
            target.monitors.discard(actor.pid)
    for pid in sorted(actor.monitors):
        if watcher := system.live(pid):
            watcher.monitoring.discard(actor.pid)
            system.deliver(watcher, exited)


def _tell_links(system: ActorSystem, actor: Actor, exited: Exited) -> None:
    for pid in sorted(actor.links):
        if peer := system.live(pid):
            peer.links.discard(actor.pid)
            if exited.failure is not None:
                system.deliver(peer, LinkDown(actor.pid, exited.at, exited.failure))
