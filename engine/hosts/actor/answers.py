"""How commands are answered: at once, or by work on the event loop.

What one actor asks of one destination goes in order. A command that is in flight when its actor ends
is still carried out, but answered no more.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from engine.errors import Failure, UnitFailed
from engine.hosts.actor.actor import Actor
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


class Left:
    """What ended units left in flight, by family: it counts for those who come after them, as if it was theirs."""

    def __init__(self) -> None:
        self.commands: Counter[str] = Counter()
        self.sizes: Counter[str] = Counter()

    def add(self, family: str, size: int, sign: int) -> None:
        """One more, or with -1 one less, of so many bytes."""
        self.commands[family] += sign
        self.sizes[family] += sign * size
        if not self.commands[family]:
            del self.commands[family], self.sizes[family]


@dataclass(slots=True, eq=False)
class InFlight:
    """A command of so many bytes that is carried out on the loop; it can't be called back."""

    left: Left
    family: str
    size: int
    abandoned: bool = field(default=False, init=False)

    def abandon(self) -> None:
        """Let it happen."""
        self.abandoned = True
        self.left.add(self.family, self.size, 1)

    def over(self) -> None:
        """It has happened."""
        if self.abandoned:
            self.left.add(self.family, self.size, -1)

    def pass_on_cancel(self, reason: str) -> None:
        """Nothing: it ends by itself."""


class Answers:
    """Gives answers."""

    def __init__(self, table: Table, lanes: Lanes) -> None:
        self._table = table
        self._lanes = lanes
        self.left = Left()

    def give(self, actor: Actor, seq: int, answer: Answer, size: int = 0) -> None:
        """Answer the command `seq`, which holds so many bytes, now or when the work is done."""
        if not isinstance(answer, Deferred):
            self._table.reply(actor, seq, answer)
            return
        if failure := self.refusal(actor, size):
            self._table.reply(actor, seq, failure)
            return
        pending = InFlight(self.left, actor.family, size)
        actor.expect(seq, pending, size)
        lane = answer.lane or f"command {seq}"
        self._lanes.enqueue((actor.pid, lane), lambda: self._work(actor, pending, seq, answer))

    def refusal(self, actor: Actor, size: int) -> Failure | None:
        """Why no command of so many bytes can begin for the actor now, if so."""
        return refusal(actor, size, self.left.commands[actor.family], self.left.sizes[actor.family])

    async def room_for(self, actor: Actor) -> None:
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

    async def _work(self, actor: Actor, pending: InFlight, seq: int, deferred: Deferred) -> None:
        await self.room_for(actor)
        event = await outcome(seq, deferred.work)
        with self._table.lock:
            pending.over()
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


def refusal(actor: Actor, size: int, left: int = 0, left_bytes: int = 0) -> Failure | None:
    """Why the actor can't wait for one more command of so many bytes, if so; one alone may always be that large.

    `left` and `left_bytes` are what counts besides its own.
    """
    limits, held = actor.limits, actor.pending_bytes + left_bytes
    if len(actor.pending) + left >= limits.max_pending:
        return too_many_pending(limits.max_pending)
    if held and held + size > limits.max_memory:
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
