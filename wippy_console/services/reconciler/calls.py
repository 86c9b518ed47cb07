"""Calls of a run as Temporal has them under way: which keep failing, and which nobody takes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import PendingActivityState, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from engine.hosts.temporal.observations import FIRST_TOLD, Retrying
from wippy_console.services import states
from wippy_console.services.projection import RPC_TIMEOUT
from wippy_console.services.timeline import read_failure

MOST = 20


def retrying(run_id: str, pending: Iterable[PendingActivityInfo]) -> list[Retrying]:
    """Those that keep failing, the most often tried first."""
    failing = sorted((call for call in pending if call.attempt >= FIRST_TOLD), key=lambda call: -call.attempt)
    return [_retrying(run_id, call) for call in failing[:MOST]]


async def unserved(client: Client, pending: Iterable[PendingActivityInfo]) -> str:
    """Why nobody takes one of the calls, "" when they are taken; asks after the queue of the oldest one only."""
    oldest = min(
        (call for call in pending if _waits(call)), key=lambda call: call.scheduled_time.ToNanoseconds(), default=None
    )
    queue = oldest.activity_options.task_queue.name if oldest else ""
    if oldest is None or not queue or await is_served(client, queue, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY):
        return ""
    return f"{states.NOBODY} serves {states.QUEUE}{queue}{states.CALL}{oldest.activity_type.name}"


async def is_served(client: Client, queue: str, kind: TaskQueueType.ValueType) -> bool:
    """Whether a worker asked the queue for tasks of the kind during the last minutes."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
    )
    answer = await client.workflow_service.describe_task_queue(request, timeout=RPC_TIMEOUT)
    return bool(answer.pollers)


def _waits(call: PendingActivityInfo) -> bool:
    due = max(_moment(call.scheduled_time), _moment(call.next_attempt_schedule_time))
    waiting = call.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    return waiting and datetime.now(UTC) - due > states.TAKEN_EXPECTED


def _retrying(run_id: str, call: PendingActivityInfo) -> Retrying:
    return Retrying(
        run_id=run_id,
        call_id=call.activity_id,
        name=call.activity_type.name,
        attempt=call.attempt,
        failure=read_failure(call.last_failure) if call.HasField("last_failure") else None,
        next_at=_moment(call.next_attempt_schedule_time) if call.HasField("next_attempt_schedule_time") else None,
    )


def _moment(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)
