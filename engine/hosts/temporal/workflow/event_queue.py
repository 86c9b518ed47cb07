"""What an activation brought, in the order in which a run gets it.

Callbacks only put things here, so that whatever goes wrong while reading them fails the task of the run
(an exception in an asyncio callback would only be logged).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from temporalio.exceptions import FailureError

from engine.errors import UnitFailed
from engine.hosts.temporal.wire import failures, payloads
from engine.steps import CancelRequested, Event, Exited, Message, Rejected, Resolved, Value

Task = asyncio.Task[Any]
OPERATIONAL = (FailureError, UnitFailed, asyncio.CancelledError)


class EventQueue:
    """Queues of one run, taken one batch at a time."""

    def __init__(self) -> None:
        self._completions: list[Callable[[], Event]] = []
        self._signals: list[Event] = []
        self._cancels: list[Event] = []
        self._exits: list[Callable[[], Event]] = []
        self._updates: list[Event] = []
        self._alone: deque[Callable[[], Event | None]] = deque()
        self._bug: BaseException | None = None

    def __bool__(self) -> bool:
        return self._together() or self.any_alone() or self._bug is not None

    def any_alone(self) -> bool:
        """Whether a local activity waits for its turn."""
        return bool(self._alone)

    def completed(self, seq: int, task: Task) -> None:
        """The command `seq` is done; a value of a payload is decoded."""
        self._completions.append(lambda: outcome(seq, task))

    def completed_alone(self, seq: int, task: Task) -> None:
        """A local activity is done.

        Each is a step of its own: a replay may see in one activation what came in two.
        """
        self._alone.append(lambda: outcome(seq, task))

    async def alone(self, local_activity: Task) -> Any:
        """The result of a local activity, in its turn; for those that are not the whole of a command."""
        await self.turn(local_activity)
        return local_activity.result()

    async def turn(self, local_activity: Task) -> None:
        """Wait until a local activity is done and has its turn."""
        turn = asyncio.get_running_loop().create_future()
        local_activity.add_done_callback(lambda _: self._alone.append(lambda: _give(turn)))
        await turn

    def answered(self, event: Resolved | Rejected) -> None:
        """This host answered a command at once."""
        self._completions.append(lambda: event)

    def unheard(self, task: Task) -> None:
        """What no command waits for is done: if it failed by a bug, `check` raises that."""
        error = None if task.cancelled() else task.exception()
        if not isinstance(error, OPERATIONAL):
            self._bug = self._bug or error

    def check(self) -> None:
        """Raise a bug that nobody heard of, so that it fails the task of the run."""
        if self._bug is not None:
            raise self._bug

    def message(self, message: Message) -> None:
        """A signal came."""
        self._signals.append(message)

    def signals(self) -> int:
        """How many messages wait for the next batch."""
        return len(self._signals)

    def startup(self, messages: Sequence[Message]) -> None:
        """Messages that come before all signals, those that came already included."""
        self._signals[:0] = messages

    def cancel(self, event: CancelRequested) -> None:
        """Somebody asked the run to stop."""
        self._cancels.append(event)

    def exited(self, pid: str, at: int, task: Task) -> None:
        """A child ended."""
        self._exits.append(lambda: _exit(pid, at, task))

    def update(self, message: Message) -> None:
        """An update came."""
        self._updates.append(message)

    def take(self) -> list[Event]:
        """The next batch: completions, signals, cancels, child exits, updates; or one local activity.

        Empty when it only let something of ours go on.
        """
        self.check()
        if not self._together():
            return self.take_alone()
        events = [read() for read in self._completions] + self._signals + self._cancels
        events += [read() for read in self._exits] + self._updates
        for queue in (self._completions, self._signals, self._cancels, self._exits, self._updates):
            queue.clear()
        return events

    def take_alone(self) -> list[Event]:
        """The next local activity, if there is one."""
        event = self._alone.popleft()() if self._alone else None
        return [event] if event else []

    def messages(self) -> tuple[Message, ...]:
        """The signals and updates that the run did not get yet."""
        return tuple(event for event in self._signals + self._updates if isinstance(event, Message))

    def _together(self) -> bool:
        return bool(self._completions or self._signals or self._cancels or self._exits or self._updates)


def outcome(seq: int, task: Task) -> Resolved | Rejected:
    """How the command ended; an exception that is a bug and no failure is raised."""
    try:
        return Resolved(seq, _value(task.result()))
    except OPERATIONAL as error:
        return Rejected(seq, failures.from_exception(error))


def _exit(pid: str, at: int, task: Task) -> Exited:
    try:
        return Exited(pid, at, _value(task.result()))
    except OPERATIONAL as error:
        return Exited(pid, at, failure=failures.from_exception(error))


def _give(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)


def _value(result: Any) -> Value:
    return payloads.decode(result.payload) if hasattr(result, "payload") else result
