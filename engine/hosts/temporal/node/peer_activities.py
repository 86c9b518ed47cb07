"""The activities by which other nodes watch and link the actors of this one, and tell how theirs ended."""

from __future__ import annotations

from temporalio import activity
from temporalio.common import RawValue

from engine.contracts.node import Node
from engine.hosts.temporal.node.activities import fields_of, host_of, text_of
from engine.hosts.temporal.node.execution import Activity, translated
from engine.hosts.temporal.node.peers import Peers
from engine.steps import Exited


class PeerActivities:
    """What other nodes ask of this one about its actors; each takes one table."""

    def __init__(self, node: Node, peers: Peers) -> None:
        self._node = node
        self._peers = peers

    def all(self) -> list[Activity]:
        """For the node's own queue."""
        return [self.watch, self.unwatch, self.ended, self.link, self.unlink]

    @activity.defn(name="wippy.watch")
    async def watch(self, request: RawValue) -> bool:
        """Tell a node of the end of a unit: {dest, token, node}; NotFound when there is no such unit."""
        with translated():
            fields = fields_of(request)
            pid = text_of(fields, "dest")
            await self._peers.watch_for(
                text_of(fields, "node"), host_of(self._node, pid), pid, text_of(fields, "token")
            )
            return True

    @activity.defn(name="wippy.unwatch")
    async def unwatch(self, request: RawValue) -> bool:
        """Undo `wippy.watch`: {dest, token, node}."""
        with translated():
            fields = fields_of(request)
            pid = text_of(fields, "dest")
            await self._peers.unwatch_for(
                text_of(fields, "node"), host_of(self._node, pid), pid, text_of(fields, "token")
            )
            return True

    @activity.defn(name="wippy.ended")
    async def ended(self, request: RawValue) -> bool:
        """Hear how a unit of another node ended: {dest, token, at, value, failure}; hearing it twice is harmless."""
        with translated():
            fields = fields_of(request)
            exited = Exited(text_of(fields, "dest"), fields["at"], fields.get("value"), fields.get("failure"))
            self._peers.told(text_of(fields, "token"), exited)
            return True

    @activity.defn(name="wippy.link")
    async def link(self, request: RawValue) -> bool:
        """Let an actor hold its side of a link: {dest, peer}."""
        with translated():
            fields = fields_of(request)
            await self._node.link(text_of(fields, "dest"), text_of(fields, "peer"))
            return True

    @activity.defn(name="wippy.unlink")
    async def unlink(self, request: RawValue) -> bool:
        """Undo `wippy.link`: {dest, peer}."""
        with translated():
            fields = fields_of(request)
            await self._node.unlink(text_of(fields, "dest"), text_of(fields, "peer"))
            return True
