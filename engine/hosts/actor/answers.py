"""How commands are answered: at once, or by work on the event loop.

What one actor asks of one destination goes in order. A command that is in flight when its actor ends
is still carried out, but answered no more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from engine.errors import Failure, UnitFailed
from engine.hosts.actor.actor import Actor, Pending
from engine.hosts.actor.concurrency.lanes import Lanes, to_stop
from engine.hosts.actor.concurrency.loop import LoopBridge
from engine.hosts.actor.failures import too_many_pending, too_much_pending, unexpected
from engine.hosts.actor.table import Table
from engine.lua.marshal import about
from engine.steps import Exited, Rejected, Resolved, Value

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Deferred:
    """An answer that `work` returns or raises, on the loop, after all that its actor has put into the same lane."""

    work: Callable[[], Awaitable[Value]]
    lane: str = ""


Answer = Value | Failure | Deferred


class InFlight:
    """A command that is carried out on the loop; it can't be called back."""

    def abandon(self) -> None:
        """Let it happen."""

    def pass_on_cancel(self, reason: str) -> None:
        """Nothing: it ends by itself."""


class Answers:
    """Gives answers."""

    def __init__(self, table: Table, lanes: Lanes) -> None:
        self._table = table
        self._lanes = lanes

    def give(self, actor: Actor, seq: int, answer: Answer, size: int = 0) -> None:
        """Answer the command `seq`, which holds so many bytes, now or when the work is done."""
        if not isinstance(answer, Deferred):
            self._table.reply(actor, seq, answer)
            return
        if failure := refusal(actor, size):
            self._table.reply(actor, seq, failure)
            return
        pending = InFlight()
        actor.expect(seq, pending, size)
        lane = answer.lane or f"command {seq}"
        self._lanes.enqueue((actor.pid, lane), lambda: self._work(actor, pending, seq, answer))

    async def _room_for(self, actor: Actor) -> None:
        """Wait until the actor has taken results, when many lie there."""
        while (gate := self._gate(actor)) is not None:
            await gate.opened.wait()

    def _gate(self, actor: Actor) -> _Gate | None:
        with self._table.lock:
            if actor.ended or not actor.behind:
                return None
            gate = _Gate(self._table.bridge)
            actor.held_calls.append(gate.open)
            return gate

    async def _work(self, actor: Actor, pending: Pending, seq: int, deferred: Deferred) -> None:
        await self._room_for(actor)
        event = await outcome(seq, deferred.work)
        with self._table.lock:
            self._table.answer(actor, pending, event)


class _Gate:
    """Lets one job on the loop go on, once."""

    def __init__(self, bridge: LoopBridge) -> None:
        self._bridge = bridge
        self.opened = asyncio.Event()

    def open(self) -> bool:
        """From any thread."""
        self._bridge.post(self.opened.set)
        return True


def refusal(actor: Actor, size: int) -> Failure | None:
    """Why the actor can't wait for one more command of so many bytes, if so; one alone may always be that large."""
    limits = actor.limits
    if len(actor.pending) >= limits.max_pending:
        return too_many_pending(limits.max_pending)
    if actor.pending_bytes and actor.pending_bytes + size > limits.max_memory:
        return too_much_pending(limits.max_memory)
    return None


def measured(exited: Exited) -> Exited:
    """An end that another host reported, with what it holds."""
    return replace(exited, size=about(exited.value if exited.failure is None else exited.failure))


def answer_of(seq: int, exited: Exited) -> Resolved | Rejected:
    """The answer to an exec whose unit ended so."""
    failure, size = exited.failure, exited.size
    return Resolved(seq, exited.value, size) if failure is None else Rejected(seq, failure, size)


async def outcome(seq: int, work: Callable[[], Awaitable[Value]]) -> Resolved | Rejected:
    """The answer to the command `seq` that the work ends with."""
    try:
        value = await work()
        return Resolved(seq, value, about(value))
    except UnitFailed as error:
        return Rejected(seq, error.failure)
    except (Exception, asyncio.CancelledError) as error:
        if to_stop():
            raise
        logger.error("a host broke", exc_info=error)
        return Rejected(seq, unexpected(error))
