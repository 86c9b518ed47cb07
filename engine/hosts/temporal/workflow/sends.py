"""Messages that a run sends within a step and does not wait for (docs/lua.md#process-messages).

They leave one after the other for each receiver. A name, and a workflow that the run never heard of, are sent to by a
command instead, which waits: only a look there can tell whether somebody is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from temporalio import workflow

from engine.errors import LIMIT_EXCEEDED, Failure, UnitFailed
from engine.hosts.logs import write_log
from engine.hosts.temporal.wire import failures
from engine.hosts.temporal.wire.bounds import Pending
from engine.hosts.temporal.wire.requests import Send
from engine.hosts.temporal.workflow.deliveries import Deliveries
from engine.hosts.temporal.workflow.event_queue import OPERATIONAL, EventQueue
from engine.hosts.temporal.workflow.routing import Elsewhere, Routing, Update, Workflow
from engine.hosts.temporal.workflow.updates import Updates
from engine.pids import Pid
from engine.steps import Log, Message, Value

Delivery = Coroutine[Any, Any, object]

MAX_KNOWN = 1000
MAX_TO_ITSELF = 10_000
MAX_UNDER_WAY = 1000
# The marker of a delivery that failed, with its stack (measured: 2,320); those of one task leave in one message.
MARKER = 2400


class Acquaintances:
    """Pids that a run heard from or started: at least until lately, somebody was there."""

    def __init__(self) -> None:
        self._pids: dict[str, None] = {}

    def __contains__(self, pid: str) -> bool:
        return pid in self._pids

    def met(self, pid: str) -> None:
        """Heard of it; the oldest are forgotten beyond a thousand."""
        self._pids.pop(pid, None)
        self._pids[pid] = None
        if len(self._pids) > MAX_KNOWN:
            del self._pids[next(iter(self._pids))]

    def gone(self, pid: str) -> None:
        """It ended."""
        self._pids.pop(pid, None)


class Sends:
    """The messages of one run that are on their way."""

    def __init__(
        self,
        routing: Routing,
        events: EventQueue,
        deliveries: Deliveries,
        updates: Updates,
        known: Acquaintances,
        pid: str,
        entry_id: str,
    ) -> None:
        self._routing = routing
        self._events = events
        self._deliveries = deliveries
        self._updates = updates
        self._known = known
        self._pid = pid
        self._entry_id = entry_id
        self._pending = Pending("messages", MAX_UNDER_WAY)
        self._under_way: dict[asyncio.Task[None], None] = {}

    def all_left(self) -> bool:
        """Whether none is on its way."""
        return not self._under_way

    async def settled(self) -> None:
        """Wait until those that are on their way now have left."""
        for task in list(self._under_way):
            await task

    def now(self, dest: str, topic: str, values: Sequence[Value]) -> Failure | bool:
        """`SendNow`: False for a name, and for a workflow that the run does not know."""
        try:
            return self._sent(dest, topic, tuple(values))
        except UnitFailed as error:
            return error.failure

    def _sent(self, dest: str, topic: str, values: tuple[Value, ...]) -> bool:
        match self._routing.destination(dest):
            case Update(update_id):
                self._updates.reply(update_id, topic, values)
            case Workflow(workflow_id) if workflow_id == workflow.info().workflow_id:
                self._to_itself(Message(topic, values, self._pid))
            case Workflow(workflow_id) if dest in self._known:
                self._let_go(dest, topic, lambda: self._signal(workflow_id, dest, topic, values))
            case Elsewhere() as to if (pid := Pid.parse(dest)) is not None and pid.node:
                self._let_go(dest, topic, lambda: self._through_node(to, Send(dest, topic, values, self._pid)))
            case _:
                return False
        return True

    def _to_itself(self, message: Message) -> None:
        if self._events.signals() >= MAX_TO_ITSELF:
            text = f"{MAX_TO_ITSELF} messages wait to be given to this run, which is the limit"
            raise UnitFailed(Failure(LIMIT_EXCEEDED, text, retryable=False))
        self._events.message(message)

    def _signal(self, workflow_id: str, dest: str, topic: str, values: tuple[Value, ...]) -> Delivery:
        arguments = self._deliveries.encoded(dest, topic, values)
        return self._deliveries.signal(workflow_id, topic, arguments)

    def _through_node(self, to: Elsewhere, send: Send) -> Delivery:
        return self._deliveries.deliver(to, send, self._deliveries.packed(send, MARKER))

    def _let_go(self, dest: str, topic: str, prepare: Callable[[], Delivery]) -> None:
        self._pending.enter()
        try:
            delivery = prepare()
        except UnitFailed:
            self._pending.leave()
            raise
        task = asyncio.get_running_loop().create_task(self._leave(dest, topic, delivery))
        self._under_way[task] = None
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._pending.leave()
        del self._under_way[task]
        self._events.unheard(task)

    async def _leave(self, dest: str, topic: str, delivery: Delivery) -> None:
        try:
            await delivery
        except OPERATIONAL as error:
            if isinstance(error, asyncio.CancelledError):
                raise
            self._lost(dest, topic, failures.from_exception(error))

    def _lost(self, dest: str, topic: str, failure: Failure) -> None:
        """Nobody waits for it any more: the log says it, once."""
        if not workflow.unsafe.is_replaying():
            fields = {"dest": dest, "topic": topic, "kind": failure.kind}
            text = f"a message was not delivered: {failure.message}"
            write_log(Log("warn", text, fields, "process"), self._pid, self._entry_id)
