"""Commands to hosts of other kinds (workflows), carried out on the event loop.

What one actor sends to one destination goes in order. A command that is in flight when its actor
ends is still carried out, but answered no more.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.contracts.fleet import FleetNames
from engine.contracts.host import Host, SpawnRequest
from engine.errors import Failure, UnitFailed
from engine.hosts.actor import lifecycle
from engine.hosts.actor.actor import Actor, Pending
from engine.hosts.actor.failures import unexpected, unresolved
from engine.hosts.actor.lanes import Lanes
from engine.hosts.actor.watches import Watches
from engine.steps import Control, Exited, Message, Rejected, Resolved, Send, Spawn, Value

if TYPE_CHECKING:
    from engine.hosts.actor.system import ActorSystem

logger = logging.getLogger(__name__)


class InFlight:
    """A command that another host is carrying out; it can't be called back."""

    def abandon(self) -> None:
        """Let it happen."""

    def pass_on_cancel(self, reason: str) -> None:
        """Nothing: it ends by itself."""


@dataclass(slots=True, eq=False)
class RemoteExec:
    """An exec on another host: the child is cancelled together with whoever waits for it."""

    outbound: Outbound
    host: Host
    caller: str
    token: str
    pid: str = ""
    abandoned: bool = False

    def abandon(self) -> None:
        """Ask the child to stop, now or as soon as it has a pid, and look away."""
        self.abandoned = True
        if self.pid:
            self.outbound.lanes.enqueue((self.caller, self.pid), lambda: self.host.unwatch(self.pid, self.token))
            self.pass_on_cancel("caller ended")

    def pass_on_cancel(self, reason: str) -> None:
        """Ask the child to stop."""
        if self.pid:
            self.outbound.lanes.enqueue(
                (self.caller, self.pid), lambda: self.host.cancel(self.pid, reason, self.caller)
            )


class Outbound:
    """The way out of the node's actors. All methods: any thread, lock held."""

    def __init__(self, system: ActorSystem) -> None:
        self._system = system
        self.lanes = Lanes(system.bridge, system.lock)
        self.watches = Watches(system, self.lanes)

    def spawn(self, actor: Actor, host: Host, command: Spawn, request: SpawnRequest) -> None:
        """Start a unit there and watch it, a plainly spawned one weakly (docs/lua.md#process-spawn)."""

        async def start() -> Value:
            pid = await host.spawn(request)
            with self._system.lock:
                self.watches.adopt(actor, host, pid, monitor=command.monitor, link=command.link)
            return pid

        self._submit(actor, f"spawn {command.seq}", command.seq, start)

    def execute(self, actor: Actor, host: Host, seq: int, request: SpawnRequest) -> None:
        """Start a unit there and answer `seq` with its result."""
        pending = RemoteExec(self, host, actor.pid, f"{actor.pid}#{seq}")
        actor.pending[seq] = pending
        self.lanes.enqueue((actor.pid, f"exec {seq}"), lambda: self._execute(actor, pending, seq, request))

    def send(self, actor: Actor, host: Host, pid: str, command: Send) -> None:
        """Send a message there."""
        self._submit(actor, pid, command.seq, lambda: self._there(actor, host, pid, command))

    def control(self, actor: Actor, host: Host, pid: str, command: Control) -> None:
        """Carry out a lifecycle verb there."""
        self._submit(actor, pid, command.seq, lambda: self._there(actor, host, pid, command))

    def by_name(self, actor: Actor, names: FleetNames, command: Send | Control) -> None:
        """Carry out what is meant for whoever holds a name in the fleet."""

        async def find() -> Value:
            pid = await names.lookup(command.dest)
            if pid is None:
                raise UnitFailed(unresolved(command.dest))
            if host := self._system.foreign(pid):
                return await self._there(actor, host, pid, command)
            return self._here(actor, pid, command)

        self._submit(actor, command.dest, command.seq, find)

    def ask(self, actor: Actor, seq: int, lane: str, work: Callable[[], Awaitable[Value]]) -> None:
        """Answer the command `seq` with what the coroutine returns."""
        self._submit(actor, lane, seq, work)

    def _submit(self, actor: Actor, lane: str, seq: int, work: Callable[[], Awaitable[Value]]) -> None:
        pending = InFlight()
        actor.pending[seq] = pending

        async def job() -> None:
            try:
                value = await work()
            except Exception as error:
                self._reject(actor, pending, seq, _failure(error))
            else:
                self._answer(actor, pending, Resolved(seq, value))

        self.lanes.enqueue((actor.pid, lane), job)

    async def _there(self, actor: Actor, host: Host, pid: str, command: Send | Control) -> Value:
        match command:
            case Send():
                await host.send(pid, command.topic, command.payloads, actor.pid)
            case Control(verb="cancel"):
                await host.cancel(pid, command.reason, actor.pid)
            case Control(verb="terminate"):
                await host.terminate(pid, command.reason, actor.pid)
            case Control(verb=verb):
                await self.watches.change(actor, host, pid, verb)
        return True

    def _here(self, actor: Actor, pid: str, command: Send | Control) -> Value:
        with self._system.lock:
            match command:
                case Send(topic=topic, payloads=payloads):
                    answer: Value | Failure = self._system.send(pid, Message(topic, payloads, actor.pid)) or True
                case Control():
                    answer = lifecycle.control(self._system, actor, command, pid)
        if isinstance(answer, Failure):
            raise UnitFailed(answer)
        return answer

    async def _execute(self, actor: Actor, pending: RemoteExec, seq: int, request: SpawnRequest) -> None:
        def ended(exited: Exited) -> None:
            if exited.failure is not None:
                self._reject(actor, pending, seq, exited.failure)
            else:
                self._answer(actor, pending, Resolved(seq, exited.value))

        try:
            pid = await pending.host.spawn(request)
            with self._system.lock:
                pending.pid = pid
            if pending.abandoned:
                await pending.host.cancel(pid, "caller ended", actor.pid)
            else:
                await pending.host.watch(pid, pending.token, ended)
        except Exception as error:
            self._reject(actor, pending, seq, _failure(error))

    def _reject(self, actor: Actor, pending: Pending, seq: int, failure: Failure) -> None:
        self._answer(actor, pending, Rejected(seq, failure))

    def _answer(self, actor: Actor, pending: Pending, event: Resolved | Rejected) -> None:
        with self._system.lock:
            self._system.answer(actor, pending, event)


def _failure(error: Exception) -> Failure:
    if isinstance(error, UnitFailed):
        return error.failure
    logger.error("a host broke", exc_info=error)
    return unexpected(error)
