"""The activities by which other nodes watch and link the actors of this one, and report how theirs ended."""

from __future__ import annotations

from temporalio import activity
from temporalio.common import RawValue

from engine.contracts.node import Node
from engine.hosts.temporal.node.activities import host_of
from engine.hosts.temporal.node.execution import Activity, translated
from engine.hosts.temporal.node.peers import TemporalPeers
from engine.hosts.temporal.wire import requests


class PeerActivities:
    """What other nodes ask of this one about its actors; each takes one table."""

    def __init__(self, node: Node, peers: TemporalPeers) -> None:
        self._node = node
        self._peers = peers

    def all(self) -> list[Activity]:
        """For the node's own queue."""
        return [self.watch, self.unwatch, self.ended, self.link, self.unlink]

    @activity.defn(name=requests.Watch.name)
    async def watch(self, argument: RawValue) -> bool:
        """Tell a node of the end of a unit; NotFound when there is no such unit."""
        with translated():
            watch = requests.Watch.decode(argument.payload)
            await self._peers.watch_for(watch.node, host_of(self._node, watch.dest), watch.dest, watch.token)
            return True

    @activity.defn(name=requests.Unwatch.name)
    async def unwatch(self, argument: RawValue) -> bool:
        """Undo `watch`."""
        with translated():
            watch = requests.Unwatch.decode(argument.payload)
            await self._peers.unwatch_for(watch.node, host_of(self._node, watch.dest), watch.dest, watch.token)
            return True

    @activity.defn(name=requests.Ended.name)
    async def ended(self, argument: RawValue) -> bool:
        """Hear how a unit of another node ended; hearing it twice is harmless."""
        with translated():
            ended = requests.Ended.decode(argument.payload)
            self._peers.deliver_exit(ended.token, ended.exited)
            return True

    @activity.defn(name=requests.Link.name)
    async def link(self, argument: RawValue) -> bool:
        """Let an actor hold its side of a link."""
        with translated():
            link = requests.Link.decode(argument.payload)
            await self._node.link(link.dest, link.peer)
            return True

    @activity.defn(name=requests.Unlink.name)
    async def unlink(self, argument: RawValue) -> bool:
        """Undo `link`."""
        with translated():
            link = requests.Unlink.decode(argument.payload)
            await self._node.unlink(link.dest, link.peer)
            return True
