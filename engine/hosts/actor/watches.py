"""What actors watch elsewhere: monitors, links and the weak watch of a plain spawn (docs/lua.md#process-spawn).

A host knows one watch per actor and unit (token = the actor's pid); what the actor wants of it is
kept here, so that `monitor` after a plain spawn still yields exactly one EXIT. A workflow holds no side
of a link; of two linked actors on two nodes each watches the other.
"""

from __future__ import annotations

import logging

from engine.contracts.host import Host
from engine.contracts.peers import PeerHost
from engine.errors import UnitFailed
from engine.hosts.actor.actor import Actor, Watch
from engine.hosts.actor.answers import measured
from engine.hosts.actor.concurrency.lanes import Job, Lanes
from engine.hosts.actor.failures import ALREADY_MONITORING
from engine.hosts.actor.table import Table
from engine.steps import Exited, LinkDown

logger = logging.getLogger(__name__)


class Watches:
    """The watches of all actors; each actor's stand in `Actor.watches` by pid."""

    def __init__(self, table: Table, lanes: Lanes) -> None:
        self._table = table
        self._lanes = lanes
        table.at_end(self._drop_all)

    def adopt(self, actor: Actor, host: Host, pid: str, *, monitor: bool, link: bool) -> None:
        """Watch a unit that the actor just started."""
        if actor.ended:
            return
        known = actor.watches.get(pid)
        watch = known or actor.watches.setdefault(pid, Watch(host))
        watch.monitor |= monitor
        watch.link |= link
        watch.weak |= not (monitor or link)
        if known is None:
            self._lanes.enqueue((actor.pid, pid), lambda: self._begin(actor, host, pid))

    async def change(self, actor: Actor, host: Host, pid: str, verb: str, *, by_peer: bool = False) -> None:
        """Carry out monitor, unmonitor, link or unlink; on the loop, within the lane of (actor, pid).

        With `by_peer` it is the other side of a link that asks, outside of any lane: two that link each other at
        once would otherwise wait for each other.
        """
        with self._table.lock:
            if actor.ended:
                return
            known = actor.watches.get(pid)
            watch = known or actor.watches.setdefault(pid, Watch(host))
            _apply(watch, verb)
            idle = not (watch.monitor or watch.link or watch.weak)
            if idle:
                del actor.watches[pid]
        if idle and known:
            await host.unwatch(pid, actor.pid)
        if not idle and not known:
            await self._watch(actor, host, pid)
        if not by_peer and isinstance(host, PeerHost):
            await self._ask_peer(actor, host, pid, verb)

    def _drop_all(self, actor: Actor, exited: Exited) -> None:
        for pid, watch in actor.watches.items():
            self._lanes.enqueue((actor.pid, pid), _unwatching(watch.host, pid, actor.pid))
        actor.watches = {}

    async def _ask_peer(self, actor: Actor, host: PeerHost, pid: str, verb: str) -> None:
        if verb == "unlink":
            await host.unlink(pid, actor.pid)
        elif verb == "link":
            try:
                await host.link(pid, actor.pid)
            except BaseException:
                await self.change(actor, host, pid, "unlink", by_peer=True)
                raise

    async def _begin(self, actor: Actor, host: Host, pid: str) -> None:
        try:
            await self._watch(actor, host, pid)
        except UnitFailed as error:
            logger.warning("%s can't watch %s that it started: %s", actor.pid, pid, error)

    async def _watch(self, actor: Actor, host: Host, pid: str) -> None:
        try:
            await host.watch(pid, actor.pid, lambda exited: self._arrived(actor, pid, exited))
        except BaseException:
            with self._table.lock:
                actor.watches.pop(pid, None)
            raise

    def _arrived(self, actor: Actor, pid: str, ended: Exited) -> None:
        exited = measured(ended)
        with self._table.lock:
            watch = actor.watches.pop(pid, None)
            if watch is None or actor.ended:
                return
            if watch.monitor or watch.weak or (exited.failure is None and not isinstance(watch.host, PeerHost)):
                self._table.deliver(actor, exited)
            if watch.link and exited.failure is not None:
                self._table.deliver(actor, LinkDown(pid, exited.at, exited.failure, size=exited.size))


def _unwatching(host: Host, pid: str, token: str) -> Job:
    return lambda: host.unwatch(pid, token)


def _apply(watch: Watch, verb: str) -> None:
    match verb:
        case "monitor" if watch.monitor:
            raise UnitFailed(ALREADY_MONITORING)
        case "monitor":
            watch.monitor = True
        case "unmonitor":
            watch.monitor = watch.weak = False
        case "link":
            watch.link = True
        case "unlink":
            watch.link = False
