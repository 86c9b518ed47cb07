"""Operations of units (`engine.contracts.operation`): beside each other on the loop, each in a task of its own.

They take no lane: one that waits for another of its unit (for a connection that a transaction holds) would wait for
ever behind it. What bounds them is what bounds all commands in flight, and each module's own limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from engine.asks.operations import OPERATION_CANCELED, Asked, Closer, carried_out, text_of, where
from engine.contracts.operation import CLOSING_SECONDS, Asker, Operation
from engine.contracts.operations import Doing
from engine.errors import INTERNAL, Failure, UnitFailed
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.answers import Answers, InFlight
from engine.hosts.actor.failures import answer_too_large
from engine.hosts.actor.outside import Outside
from engine.hosts.actor.table import Table
from engine.lua.marshal import about
from engine.steps import Ask, Rejected, Resolved, Value

logger = logging.getLogger(__name__)


BESIDE = 4096
"""Bytes that an operation takes beside what it holds, its task above all: they count as the unit's."""


class Operating:
    """Begins operations, by name."""

    def __init__(self, table: Table, answers: Answers, operations: Mapping[str, Operation]) -> None:
        self.table = table
        self.answers = answers
        self._operations = operations
        self._closer = Closer()

    def named(self, name: str) -> Operation | None:
        """The operation of that name."""
        return self._operations.get(name)

    def begin(self, actor: Actor, command: Ask, operation: Operation, size: int) -> None:
        """Carry it out, as a command that holds so many bytes; with the lock held."""
        size += BESIDE
        if failure := self.answers.refusal(actor, size):
            self.table.reply(actor, command.seq, failure)
            return
        outside = actor.outside
        if outside is None:
            outside = Outside(self.table.bridge, self._closer, actor.pid, actor.program.entry_id)
            actor.outside = outside
        pending = UnderWay(self.answers.left, actor.family, size, self, actor, command.seq, operation, outside)
        actor.expect(command.seq, pending, size)
        self.table.bridge.post(partial(pending.start, command.args))

    async def settled(self, seconds: float) -> None:
        """Wait until all that ended units held is closed, so long at most. On the loop."""
        posted = asyncio.Event()
        self.table.bridge.post(posted.set)
        with contextlib.suppress(TimeoutError):  # of a node that never began
            await asyncio.wait_for(posted.wait(), seconds)
        await self._closer.settled(seconds)


@dataclass(slots=True, eq=False)
class UnderWay(InFlight):
    """An operation in flight. Abandoned, it counts as left until its task has ended."""

    operating: Operating
    actor: Actor
    seq: int
    operation: Operation
    outside: Outside
    asked: Asked = field(default_factory=Asked)
    task: asyncio.Task[Value] | None = None
    timer: asyncio.TimerHandle | None = None

    # --- with the lock held ----------------------------------------------------------------------

    def abandon(self) -> None:
        """Nobody waits for it any more: cancel it."""
        InFlight.abandon(self)
        self.operating.table.bridge.post(self._cancel)

    def pass_on_cancel(self, reason: str) -> None:
        """The unit was asked to stop: cancel it, or only tell it."""
        told = partial(self.asked.to_stop, reason)
        self.operating.table.bridge.post(told if self.operation.heeds_cancel else self._cancel)

    # --- on the loop -----------------------------------------------------------------------------

    def start(self, args: tuple[Value, ...]) -> None:
        """Begin, unless its unit has ended meanwhile."""
        with self.operating.table.lock:
            if self.abandoned:
                self.over()
                return
        self.task = asyncio.get_running_loop().create_task(self._work(args))
        self.outside.tasks.add(self.task)
        self.task.add_done_callback(self._ended)

    async def _work(self, args: tuple[Value, ...]) -> Value:
        table = self.operating.table
        await self.operating.answers.room_for(self.actor)
        text = text_of(self.operation, args)
        with table.lock:
            if self.abandoned:
                raise UnitFailed(OPERATION_CANCELED)
            self.outside.begun(self.seq, Doing(text, table.world.now()))
        asker = Asker(self.actor.pid, self.outside.entry, self.actor.kind, self.outside.held, self.asked)
        return await carried_out(self.operation, asker, args)

    def _cancel(self) -> None:
        """Once, so that what it does to clean up is not cut short; again when it goes on all the same."""
        task = self.task
        if task is None or task.done():
            return
        if not task.cancelling():
            task.cancel()
        if self.timer is None:
            self.timer = asyncio.get_running_loop().call_later(CLOSING_SECONDS, self._give_up, task)

    def _give_up(self, task: asyncio.Task[Value]) -> None:
        """Answer without it."""
        task.cancel()
        table = self.operating.table
        with table.lock:
            if self.actor.pending.get(self.seq) is self:
                InFlight.abandon(self)
                table.answer(self.actor, self, Rejected(self.seq, OPERATION_CANCELED))

    def _ended(self, task: asyncio.Task[Value]) -> None:
        self.outside.tasks.discard(task)
        self.task = None  # its failure knows frames that know this one: what they hold would wait for the collector
        if self.timer is not None:
            self.timer.cancel()
        event = _outcome(self.seq, task)
        if event.size > self.actor.limits.max_record:
            event = Rejected(self.seq, answer_too_large(event.size, self.actor.limits.max_record))
        table = self.operating.table
        with table.lock:
            self.outside.over(self.seq)
            self.over()
            table.answer(self.actor, self, event)


def _outcome(seq: int, task: asyncio.Task[Value]) -> Resolved | Rejected:
    """Nothing is raised here: a failure that knew this frame, which knows it, would wait for the collector."""
    if task.cancelled():
        return Rejected(seq, OPERATION_CANCELED)
    match task.exception():
        case None:
            return _resolved(seq, task.result())
        case UnitFailed(failure=failure):
            return Rejected(seq, failure, about(failure))
        case error:
            return Rejected(seq, Failure(INTERNAL, f"internal error: {type(error).__name__}"))


def _resolved(seq: int, value: Value) -> Resolved | Rejected:
    try:
        return Resolved(seq, value, about(value))
    except Exception as error:  # a value without an end
        logger.error("an operation has a result that can't be told: %s", where(error))
        return Rejected(seq, Failure(INTERNAL, f"internal error: {type(error).__name__}"))
