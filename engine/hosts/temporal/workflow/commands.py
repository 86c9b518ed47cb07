"""Carries out the commands of one run as commands of Temporal."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from temporalio import workflow

from engine.errors import LIMIT_EXCEEDED, Failure, UnitFailed, invalid
from engine.hosts.logs import write_log
from engine.hosts.temporal.wire import requests
from engine.hosts.temporal.wire.bounds import MAX_TIMERS
from engine.hosts.temporal.workflow.asks import WorkflowAsks
from engine.hosts.temporal.workflow.budget import TaskBudget
from engine.hosts.temporal.workflow.calls import Calls, Started
from engine.hosts.temporal.workflow.children import Children
from engine.hosts.temporal.workflow.deliveries import Deliveries
from engine.hosts.temporal.workflow.event_queue import EventQueue
from engine.hosts.temporal.workflow.routing import Elsewhere, Routing, Update, Workflow
from engine.hosts.temporal.workflow.sends import Acquaintances, Sends
from engine.hosts.temporal.workflow.updates import Updates
from engine.steps import (
    Ask,
    Call,
    CancelCall,
    CancelRequested,
    CancelTimer,
    Command,
    Control,
    Exec,
    Identity,
    Log,
    Message,
    Rejected,
    Resolved,
    Send,
    Spawn,
    StartTimer,
    Value,
)

REFUSED = {
    "monitor": "monitor is not supported in workflow context: child workflows are automatically monitored",
    "unmonitor": "unmonitor is not supported in workflow context: child workflows are automatically monitored",
    "link": "link is not supported in workflow context: Temporal doesn't support bidirectional linking",
    "unlink": "unlink is not supported in workflow context: Temporal doesn't support bidirectional linking",
}
NANOSECONDS = 1_000_000_000


@dataclass(slots=True)
class AwaitedChild:
    """A child of `exec`: its id once it has started, and the reason with which it is to stop."""

    workflow_id: str = ""
    cancel: str | None = None
    request: asyncio.Task[bool] | None = None


class WorkflowCommands:
    """The commands of one run that are under way."""

    def __init__(
        self,
        routing: Routing,
        events: EventQueue,
        budget: TaskBudget,
        updates: Updates,
        identity: Identity,
        entry_id: str,
        known: Acquaintances,
    ) -> None:
        self._pid = identity.pid
        self._kernel = identity.kernel
        self._entry_id = entry_id
        self._routing = routing
        self._events = events
        self._budget = budget
        self._updates = updates
        self._calls = Calls(routing, budget, identity)
        self._children = Children(routing, events, budget, identity)
        self._deliveries = Deliveries(events, budget, identity.pid)
        self._known = known
        self.sends = Sends(routing, events, self._deliveries, updates, known, identity.pid, entry_id)
        self._asks = WorkflowAsks(events, budget)
        self._running: dict[int, asyncio.Task[Any]] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._leaving: set[int] = set()
        self._awaited_children: dict[int, AwaitedChild] = {}

    def carry_out(self, command: Command) -> None:
        """Start the command; what it comes to arrives later, also when it is refused."""
        try:
            self._do(command)
        except UnitFailed as error:
            self._events.answered(Rejected(_seq(command), error.failure))

    def admit(self, commands: Sequence[Command]) -> None:
        """Raises LimitExceeded for more timers than a run may have, which the server would end by force.

        Runs begun with kernel 1 have no such limit.
        """
        if self._kernel < 2 or len(commands) + len(self._timers) <= MAX_TIMERS:
            return
        if sum(isinstance(each, StartTimer) for each in commands) + len(self._timers) > MAX_TIMERS:
            raise UnitFailed(Failure(LIMIT_EXCEEDED, f"more than {MAX_TIMERS} timers under way", retryable=False))

    def all_left(self) -> bool:
        """Whether no message, control or start is under way: a run may end only then, or they would be lost."""
        return not self._leaving and self.sends.all_left()

    def pass_on_cancel(self, reason: str) -> None:
        """The run was asked to stop: ask the children that it waits for as well (docs/lua.md#process-cancel)."""
        for child in self._awaited_children.values():
            child.cancel = reason
            if child.workflow_id:
                self._cancel_child(child)

    def _do(self, command: Command) -> None:
        match command:
            case Call() | Spawn() | Exec():
                self._start(command)
            case StartTimer() | CancelTimer() | CancelCall():
                self._wait_or_give_up(command)
            case Send():
                self._send(command)
            case Control():
                self._control(command)
            case Ask():
                self._begin(command.seq, self._asks.answer(command), leaving=False)
            case Log():
                self._log(command)
            case _:
                assert_never(command)

    def _start(self, command: Call | Spawn | Exec) -> None:
        match command:
            case Call(seq) if self._routing.entries.lacks(command.target):
                self._running[seq] = asyncio.get_running_loop().create_task(self._learned(command))
                self._running[seq].add_done_callback(self._events.unheard)
            case Call(seq):
                started = self._calls.start(command)
                self._running[seq] = started.handle
                started.handle.add_done_callback(lambda task: self._called(seq, task, started))
            case Spawn(seq):
                self._begin(seq, self._spawned(command), leaving=True)
            case Exec(seq):
                self._begin(seq, self._executed(command), leaving=False)
            case _:
                assert_never(command)

    async def _learned(self, call: Call) -> None:
        """Start a call once its target can be read, unless it was given up meanwhile."""
        await self._routing.entries.learn(call.target, self._events)
        del self._running[call.seq]
        self.carry_out(call)

    def _wait_or_give_up(self, command: StartTimer | CancelTimer | CancelCall) -> None:
        match command:
            case StartTimer(seq, duration):
                self._start_timer(seq, duration)
            case CancelTimer(seq):
                if (timer := self._timers.pop(seq, None)) is not None:
                    timer.cancel()
            case CancelCall(seq):
                if (task := self._running.pop(seq, None)) is not None:
                    task.cancel()
            case _:
                assert_never(command)

    def _start_timer(self, seq: int, duration: int) -> None:
        """A durable timer; none for zero (docs/pitfalls.md#a-sleep-of-zero)."""
        if duration <= 0:
            self._events.answered(Resolved(seq))
            return
        loop = asyncio.get_running_loop()
        self._timers[seq] = loop.call_later(duration / NANOSECONDS, self._fired, seq)

    def _send(self, command: Send) -> None:
        to = self._routing.destination(command.dest)
        match to:
            case Update(update_id):
                self._updates.reply(update_id, command.topic, command.payloads)
                self._events.answered(Resolved(command.seq, True))
            case Workflow(workflow_id) if workflow_id == workflow.info().workflow_id:
                self._events.message(Message(command.topic, command.payloads, self._pid))
                self._events.answered(Resolved(command.seq, True))
            case Workflow(workflow_id):
                arguments = self._deliveries.encoded(command.dest, command.topic, command.payloads)
                signal = self._deliveries.signal(workflow_id, command.topic, arguments)
                self._begin(command.seq, signal, leaving=True)
            case Elsewhere():
                self._begin(command.seq, self._through_node(to, command), leaving=True)
            case _:
                assert_never(to)

    async def _through_node(self, to: Elsewhere, command: Send) -> bool:
        """After what was sent before: a name may be that of a receiver whose pid was sent to."""
        await self.sends.settled()
        send = requests.Send(command.dest, command.topic, command.payloads, self._pid)
        return await self._deliveries.through_node(to, send)

    def _control(self, command: Control) -> None:
        """Cancel or terminate; a workflow can't do more than request the cancellation of another."""
        if command.verb in REFUSED:
            raise UnitFailed(invalid(REFUSED[command.verb]))
        to = self._routing.destination(command.dest)
        match to:
            case Workflow(workflow_id) if workflow_id == workflow.info().workflow_id:
                # Temporal takes no cancel of a run by itself.
                self._events.cancel(CancelRequested(self._pid, command.reason, workflow.time_ns()))
                self._events.answered(Resolved(command.seq, True))
                return
            case Workflow(workflow_id):
                delivery = self._deliveries.cancel(workflow_id, command.reason)
            case Elsewhere():
                order = requests.Cancel if command.verb == "cancel" else requests.Terminate
                delivery = self._deliveries.through_node(to, order(command.dest, command.reason, self._pid))
            case Update():
                raise UnitFailed(invalid("an update can't be controlled, only answered"))
            case _:
                assert_never(to)
        self._begin(command.seq, delivery, leaving=True)

    def _log(self, command: Log) -> None:
        """A line of the log, once."""
        if not workflow.unsafe.is_replaying():
            write_log(command, self._pid, self._entry_id)

    async def _spawned(self, command: Spawn) -> str:
        pid, child = await self._children.start(command)
        self._known.met(pid)
        child.add_done_callback(lambda task: self._exited(pid, task))
        return pid

    async def _executed(self, command: Exec) -> Value:
        awaited = self._awaited_children[command.seq] = AwaitedChild()
        try:
            _, child = await self._children.start(command)
            awaited.workflow_id = child.id
            if awaited.cancel is not None:
                self._cancel_child(awaited)
            return await child
        finally:
            del self._awaited_children[command.seq]

    def _cancel_child(self, child: AwaitedChild) -> None:
        request = self._deliveries.cancel(child.workflow_id, child.cancel or "")
        child.request = asyncio.get_running_loop().create_task(request)
        child.request.add_done_callback(self._events.unheard)

    def _begin(self, seq: int, work: Coroutine[Any, Any, Any], *, leaving: bool) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running[seq] = task
        if leaving:
            self._leaving.add(seq)
        task.add_done_callback(lambda task: self._done(seq, task))

    def _done(self, seq: int, task: asyncio.Task[Any]) -> None:
        self._events.unheard(task)  # a run that ends does not read what its commands came to
        self._leaving.discard(seq)
        if self._running.pop(seq, None) is not None:
            self._events.completed(seq, task)

    def _called(self, seq: int, task: asyncio.Task[Any], started: Started) -> None:
        """One callback for all of it: each is a turn of the loop."""
        _retrieve(task)
        started.ended()
        if started.local:
            self._budget.local_done(_size(task))
        if self._running.pop(seq, None) is not None:
            deliver = self._events.completed_alone if started.local else self._events.completed
            deliver(seq, task)

    def _exited(self, pid: str, task: asyncio.Task[Any]) -> None:
        _retrieve(task)
        self._known.gone(pid)
        self._events.exited(pid, workflow.time_ns(), task)

    def _fired(self, seq: int) -> None:
        if self._timers.pop(seq, None) is not None:
            self._events.answered(Resolved(seq))


def _seq(command: Command) -> int:
    return 0 if isinstance(command, Log) else command.seq


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Look at the exception, so that asyncio does not complain about one that nobody waits for any more."""
    if not task.cancelled():
        task.exception()


def _size(task: asyncio.Task[Any]) -> int:
    if task.cancelled() or task.exception() is not None:
        return 0
    result = task.result()
    return int(result.payload.ByteSize()) if hasattr(result, "payload") else 0
