"""Commands to hosts of other kinds (workflows), carried out on the event loop.

What one actor sends to one destination goes in order. A command that is in flight when its actor
ends is still carried out, but answered no more.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import Failure, UnitFailed
from engine.host import Host, SpawnRequest
from engine.hosts.actor.actor import Actor, Pending
from engine.hosts.actor.failures import unexpected
from engine.hosts.actor.lanes import Lanes
from engine.hosts.actor.watches import Watches
from engine.steps import Control, Exited, Rejected, Resolved, Send, Spawn, Value

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
        """Start a unit there and watch it, a plainly spawned one weakly (lua-api 5.4)."""

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

        async def send() -> Value:
            await host.send(pid, command.topic, command.payloads, actor.pid)
            return True

        self._submit(actor, pid, command.seq, send)

    def control(self, actor: Actor, host: Host, pid: str, command: Control) -> None:
        """Carry out a lifecycle verb there."""

        async def control() -> Value:
            match command.verb:
                case "cancel":
                    await host.cancel(pid, command.reason, actor.pid)
                case "terminate":
                    await host.terminate(pid, command.reason, actor.pid)
                case verb:
                    await self.watches.change(actor, host, pid, verb)
            return True

        self._submit(actor, pid, command.seq, control)

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
