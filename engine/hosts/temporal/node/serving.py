"""The activity by which a console lets a node answer an HTTP request."""

from __future__ import annotations

from dataclasses import replace

from temporalio import activity
from temporalio.common import RawValue

from engine.contracts.host import CallRequest
from engine.contracts.node import Node
from engine.contracts.serving import Server
from engine.hosts.temporal.node.execution import Activity, translated, with_heartbeat
from engine.hosts.temporal.node.heartbeats import Beats
from engine.hosts.temporal.wire import requests
from engine.steps import Value


class ServingActivities:
    """For the fleet's queue and the node's own; `server` has the requests and keeps the answers."""

    def __init__(self, node: Node, server: Server) -> None:
        self._node = node
        self._server = server

    def all(self) -> list[Activity]:
        """All of them."""
        return [self.serve]

    @activity.defn(name=requests.Serve.name)
    async def serve(self, argument: RawValue) -> bool:
        """Answer a request."""
        with translated():
            request = requests.Serve.decode(argument.payload)
            beats = Beats()

            async def call(asked: CallRequest) -> Value:
                return await self._node.call(replace(asked, attempt=beats.attempt()))

            await with_heartbeat(self._server.serve(request.id, request.target, call), beats.pulse)
            return True
