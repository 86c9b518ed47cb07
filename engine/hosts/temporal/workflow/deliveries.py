"""Messages and lifecycle control that a run sends: to workflows as signals, to processes through a node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import FailureError

from engine.errors import NOT_FOUND, UNAVAILABLE, Failure, UnitFailed, not_found
from engine.hosts.temporal.wire import failures, headers, payloads
from engine.hosts.temporal.wire.bounds import MAX_NAME, Pending, longer_than
from engine.hosts.temporal.wire.requests import Order
from engine.hosts.temporal.workflow.budget import TaskBudget
from engine.hosts.temporal.workflow.event_queue import EventQueue
from engine.hosts.temporal.workflow.routing import Elsewhere
from engine.steps import Value

DELIVERY_TIMEOUT = timedelta(seconds=30)
# A node that does not take the delivery by then is gone, and its processes with it.
NODE_ANSWERS_WITHIN = timedelta(seconds=10)


class Deliveries:
    """The outgoing messages of one run; those to one destination go one after the other, in order."""

    def __init__(self, events: EventQueue, budget: TaskBudget, pid: str) -> None:
        self._events = events
        self._budget = budget
        self._pid = pid
        self._locks: dict[str, asyncio.Lock] = {}
        self._pending = Pending("signals and cancel requests")

    def encoded(self, dest: str, topic: str, values: tuple[Value, ...]) -> list[Payload]:
        """The payloads of a message; raises UnitFailed when they can't be sent."""
        result = payloads.encode_all(values, f"signal {topic} to {dest}")
        self._budget.spend(sum(payload.ByteSize() for payload in result), f"signal {topic} to {dest}")
        return result

    async def signal(self, workflow_id: str, topic: str, arguments: list[Payload]) -> bool:
        """Signal a workflow of this namespace; NotFound when it is missing or finished."""
        _refuse_long(workflow_id)
        async with self._lock(workflow_id), self._signalling():
            with headers.outgoing(headers.pack({headers.SENDER: self._pid})):
                handle: workflow.ExternalWorkflowHandle[Any] = workflow.get_external_workflow_handle(workflow_id)
                await _external(workflow_id, handle.signal(topic, args=payloads.raw(arguments)))
        return True

    async def cancel(self, workflow_id: str, reason: str) -> bool:
        """Request the cancellation of a workflow of this namespace."""
        _refuse_long(workflow_id)
        async with self._lock(workflow_id), self._signalling():
            handle: workflow.ExternalWorkflowHandle[Any] = workflow.get_external_workflow_handle(workflow_id)
            await _external(workflow_id, handle.cancel(reason=reason))
        return True

    async def through_node(self, to: Elsewhere, order: Order) -> bool:
        """Have a node deliver, once: the delivery is recorded and no replay repeats it."""
        return await self.deliver(to, order, self.packed(order))

    def packed(self, order: Order, beside: int = 0) -> Payload:
        """The order as it travels, with room taken for it and for so many bytes beside; raises UnitFailed."""
        what = f"{order.name} to {order.subject}"
        payload = order.encode(what)
        self._budget.spend(payload.ByteSize() + beside, what)
        return payload

    async def deliver(self, to: Elsewhere, order: Order, payload: Payload) -> bool:
        """Have a node deliver the packed order, in its turn."""
        async with self._lock(order.subject):
            try:
                await self._deliver(to, order.name, payload)
            except FailureError as error:
                raise UnitFailed(_of_delivery(error, order.subject)) from error
        return True

    async def _deliver(self, to: Elsewhere, activity: str, payload: Payload) -> None:
        """By this worker's node, which knows the way to all others."""
        try:
            await self._events.alone(_by_worker(activity, payload))
        except FailureError as error:  # a local activity's failure comes without an ActivityError around it
            if not to.fallback or failures.from_exception(error).kind != NOT_FOUND:
                raise
            await _by_node(to.fallback, activity, payload)

    @asynccontextmanager
    async def _signalling(self) -> AsyncIterator[None]:
        self._pending.enter()
        try:
            yield
        finally:
            self._pending.leave()

    def _lock(self, key: str) -> asyncio.Lock:
        return self._locks.setdefault(key, asyncio.Lock())


def _refuse_long(workflow_id: str) -> None:
    """An id that no workflow can have is that of none."""
    if longer_than(workflow_id, MAX_NAME):
        raise UnitFailed(not_found(f"workflow '{workflow_id[:40]}...' not found"))


async def _external(workflow_id: str, request: Any) -> None:
    try:
        await request
    except FailureError as error:
        message = str(error)
        if "not found" in message.lower():
            raise UnitFailed(not_found(f"workflow '{workflow_id}' not found")) from error
        raise UnitFailed(Failure(UNAVAILABLE, message, retryable=True)) from error


def _by_worker(activity: str, payload: Payload) -> workflow.ActivityHandle[Any]:
    return workflow.start_local_activity(
        activity,
        RawValue(payload),
        start_to_close_timeout=DELIVERY_TIMEOUT,
        retry_policy=RetryPolicy(maximum_attempts=3),
    )


def _by_node(queue: str, activity: str, payload: Payload) -> workflow.ActivityHandle[Any]:
    return workflow.start_activity(
        activity,
        RawValue(payload),
        task_queue=queue,
        start_to_close_timeout=DELIVERY_TIMEOUT,
        schedule_to_start_timeout=NODE_ANSWERS_WITHIN,
        retry_policy=RetryPolicy(maximum_attempts=3),
    )


def _of_delivery(error: FailureError, dest: str) -> Failure:
    failure = failures.from_exception(error)
    if failure.details.get("timeout_type") == "schedule_to_start":
        return Failure(NOT_FOUND, f"{dest} not found: its node does not answer", retryable=False)
    return failure
