"""What commands do on hosts of other kinds and nodes: workflows, and the actors of other nodes. On the event loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from engine.contracts.host import Host, SpawnRequest
from engine.errors import UnitFailed
from engine.hosts.actor.actor import Actor, Pending
from engine.hosts.actor.answers import Deferred, answer_of, measured, outcome
from engine.hosts.actor.concurrency.lanes import Lanes
from engine.hosts.actor.destinations import Destinations, Elsewhere
from engine.hosts.actor.failures import PID_NOT_REGISTERED
from engine.hosts.actor.table import Table
from engine.hosts.actor.watches import Watches
from engine.steps import Control, Exec, Exited, Rejected, Resolved, Send, Spawn, Value


@dataclass(slots=True, eq=False)
class RemoteExec:
    """An exec on another host: the child is cancelled together with whoever waits for it."""

    lanes: Lanes
    host: Host
    caller: str
    token: str
    pid: str = ""
    abandoned: bool = False

    def abandon(self) -> None:
        """Ask the child to stop, now or as soon as it has a pid, and look away."""
        self.abandoned = True
        if self.pid:
            self.lanes.enqueue((self.caller, self.pid), lambda: self.host.unwatch(self.pid, self.token))
            self.pass_on_cancel("caller ended")

    def pass_on_cancel(self, reason: str) -> None:
        """Ask the child to stop."""
        if self.pid:
            self.lanes.enqueue((self.caller, self.pid), lambda: self.host.cancel(self.pid, reason, self.caller))


class RemoteCommands:
    """Spawns and executes units there, sends to them, controls them."""

    def __init__(self, table: Table, lanes: Lanes, destinations: Destinations, watches: Watches) -> None:
        self._table = table
        self._lanes = lanes
        self._destinations = destinations
        self._watches = watches

    def spawn(self, actor: Actor, host: Host, command: Spawn, request: SpawnRequest) -> Deferred:
        """Start a unit and watch it, a plainly spawned one weakly (docs/lua.md#process-spawn); its pid."""

        async def start() -> Value:
            pid = await host.spawn(request)
            with self._table.lock:
                self._watches.adopt(actor, host, pid, monitor=command.monitor, link=command.link)
            return pid

        return Deferred(start)

    def execute(self, actor: Actor, host: Host, command: Exec, request: SpawnRequest) -> None:
        """Start a unit and answer the command with its result."""
        seq = command.seq
        pending = RemoteExec(self._lanes, host, actor.pid, f"{actor.pid}#{seq}")
        actor.expect(seq, pending, request.size)
        self._lanes.enqueue((actor.pid, f"exec {seq}"), lambda: self._execute(actor, pending, seq, request))

    def reach(self, actor: Actor, command: Send | Control, destination: Elsewhere) -> Deferred:
        """Send to a unit or control it, after all that its sender asked of it before; True."""
        return Deferred(lambda: self._reach(actor, command, destination.host, destination.pid), destination.pid)

    async def relate(self, pid: str, peer: str, verb: str) -> None:
        """Let an actor of this node link or unlink one of another, which has done its own part."""
        with self._table.lock:
            actor, other = self._table.live(pid), self._destinations.of_pid(peer)
        if actor is not None and isinstance(other, Elsewhere):
            await self._watches.change(actor, other.host, peer, verb, by_peer=True)
        elif verb == "link":
            raise UnitFailed(PID_NOT_REGISTERED)

    async def _reach(self, actor: Actor, command: Send | Control, host: Host, pid: str) -> Value:
        match command:
            case Send(topic=topic, payloads=payloads):
                await host.send(pid, topic, payloads, actor.pid)
            case Control(verb="cancel"):
                await host.cancel(pid, command.reason, actor.pid)
            case Control(verb="terminate"):
                await host.terminate(pid, command.reason, actor.pid)
            case Control(verb=verb):
                await self._watches.change(actor, host, pid, verb)
            case _:
                assert_never(command)
        return True

    async def _execute(self, actor: Actor, pending: RemoteExec, seq: int, request: SpawnRequest) -> None:
        def ended(exited: Exited) -> None:
            self._answer(actor, pending, answer_of(seq, measured(exited)))

        async def start() -> None:
            pid = await pending.host.spawn(request)
            with self._table.lock:
                pending.pid = pid
            if pending.abandoned:
                await pending.host.cancel(pid, "caller ended", actor.pid)
            else:
                await pending.host.watch(pid, pending.token, ended)

        started = await outcome(seq, start)
        if isinstance(started, Rejected):
            self._answer(actor, pending, started)

    def _answer(self, actor: Actor, pending: Pending, event: Resolved | Rejected) -> None:
        with self._table.lock:
            self._table.answer(actor, pending, event)
