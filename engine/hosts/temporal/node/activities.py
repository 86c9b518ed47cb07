"""The activities by which consoles, runs and other nodes reach the units of this node."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from temporalio import activity
from temporalio.common import RawValue

from engine.contracts.host import Host, ProcessHost
from engine.contracts.node import Node
from engine.errors import UnitFailed, not_found
from engine.hosts.temporal.node.execution import Activity, translated, with_heartbeat
from engine.hosts.temporal.node.heartbeats import Beats
from engine.hosts.temporal.wire import payloads, requests
from engine.hosts.temporal.wire.answers import Outcome
from engine.steps import Exited


class NodeActivities:
    """What may be asked of any node; each takes one table (`engine.hosts.temporal.wire.requests`)."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def all(self) -> list[Activity]:
        """For the fleet queue and the node's own."""
        return [self.call, self.run, *self.deliveries()]

    def deliveries(self) -> list[Activity]:
        """For the queues of workers: what runs ask of a node."""
        return [self.spawn, self.send, self.cancel, self.terminate]

    @activity.defn(name=requests.Call.name)
    async def call(self, argument: RawValue) -> RawValue:
        """Call a function; its value."""
        with translated():
            beats = Beats()
            call = replace(requests.Call.decode(argument.payload).request, attempt=beats.attempt())
            value = await with_heartbeat(self._node.call(call), beats.pulse)
            return RawValue(payloads.encode(value, f"result of {call.target}"))

    @activity.defn(name=requests.Spawn.name)
    async def spawn(self, argument: RawValue) -> str:
        """Spawn a process or workflow; its pid."""
        with translated():
            spawn = requests.Spawn.decode(argument.payload).request
            host = self._node.host(spawn.host)
            if host is None:
                raise UnitFailed(not_found("host not found"))
            return await host.spawn(spawn)

    @activity.defn(name=requests.Run.name)
    async def run(self, argument: RawValue) -> RawValue:
        """Spawn a process and wait for its end; its outcome."""
        with translated():
            spawn = requests.Run.decode(argument.payload).request
            host = self._node.host(spawn.host)
            if not isinstance(host, ProcessHost):
                raise UnitFailed(not_found("host not found"))
            ended: asyncio.Future[Exited] = asyncio.get_running_loop().create_future()
            token = f"{requests.Run.name} {activity.info().activity_id}"
            pid = await host.spawn_watched(spawn, token, ended.set_result)
            try:
                exited = await with_heartbeat(_settled(ended))
            except asyncio.CancelledError:
                await host.unwatch(pid, token)
                raise
            return RawValue(Outcome.of(pid, exited).encode(f"result of {spawn.entry}"))

    @activity.defn(name=requests.Send.name)
    async def send(self, argument: RawValue) -> bool:
        """Send a message."""
        with translated():
            send = requests.Send.decode(argument.payload)
            host, pid = await self._found(send.dest)
            await host.send(pid, send.topic, send.payloads, send.sender)
            return True

    @activity.defn(name=requests.Cancel.name)
    async def cancel(self, argument: RawValue) -> bool:
        """Deliver CANCEL."""
        with translated():
            cancel = requests.Cancel.decode(argument.payload)
            host, pid = await self._found(cancel.dest)
            await host.cancel(pid, cancel.reason, cancel.sender)
            return True

    @activity.defn(name=requests.Terminate.name)
    async def terminate(self, argument: RawValue) -> bool:
        """End a unit now."""
        with translated():
            terminate = requests.Terminate.decode(argument.payload)
            host, pid = await self._found(terminate.dest)
            await host.terminate(pid, terminate.reason, terminate.sender)
            return True

    async def _found(self, dest: str) -> tuple[Host, str]:
        """The host and pid of whoever `dest` is or names."""
        pid = await self._node.find(dest) or dest
        return host_of(self._node, pid), pid


def host_of(node: Node, pid: str) -> Host:
    """The host of a pid; raises UnitFailed (NotFound)."""
    host = node.host_of(pid)
    if host is None:
        raise UnitFailed(not_found(f"could not resolve '{pid}' as PID or registered name"))
    return host


async def _settled(ended: asyncio.Future[Exited]) -> Exited:
    return await ended
