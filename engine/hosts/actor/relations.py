"""Monitors and links between the actors of a node."""

from __future__ import annotations

from engine.errors import Failure
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.failures import ALREADY_MONITORING
from engine.hosts.actor.table import Table
from engine.steps import Exited, LinkDown


class Relations:
    """Who hears of whose end."""

    def __init__(self, table: Table) -> None:
        self._table = table
        table.at_end(self._notify)

    def monitor(self, watcher: Actor, target: Actor) -> Failure | None:
        """Let `watcher` get one Exited when `target` ends."""
        if watcher.pid in target.monitors:
            return ALREADY_MONITORING
        target.monitors.add(watcher.pid)
        watcher.monitoring.add(target.pid)
        return None

    def unmonitor(self, watcher: Actor, target: Actor) -> None:
        """Undo `monitor`."""
        target.monitors.discard(watcher.pid)
        watcher.monitoring.discard(target.pid)

    def link(self, one: Actor, other: Actor) -> None:
        """Tie two actors together: the failure of one reaches the other. Twice is once."""
        if one is not other:
            one.links.add(other.pid)
            other.links.add(one.pid)

    def unlink(self, one: Actor, other: Actor) -> None:
        """Undo `link`."""
        one.links.discard(other.pid)
        other.links.discard(one.pid)

    def _notify(self, actor: Actor, exited: Exited) -> None:
        self._notify_monitors(actor, exited)
        self._notify_links(actor, exited)

    def _notify_monitors(self, actor: Actor, exited: Exited) -> None:
        for pid in actor.monitoring:
            if target := self._table.live(pid):
                target.monitors.discard(actor.pid)
        for pid in sorted(actor.monitors):
            if watcher := self._table.live(pid):
                watcher.monitoring.discard(actor.pid)
                self._table.deliver(watcher, exited)

    def _notify_links(self, actor: Actor, exited: Exited) -> None:
        for pid in sorted(actor.links):
            if peer := self._table.live(pid):
                peer.links.discard(actor.pid)
                if exited.failure is not None:
                    self._table.deliver(peer, LinkDown(actor.pid, exited.at, exited.failure, size=exited.size))
