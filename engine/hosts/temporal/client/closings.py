"""Closings: how a run ended, read from the last event of its history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType, RetryState
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistoryEventFilterType
from temporalio.converter import DataConverter

from engine.errors import Failure
from engine.hosts.temporal.wire import failures, payloads
from engine.steps import Exited, Value

COMPLETED = "completed"
FAILED = "failed"
CANCELED = "canceled"
TERMINATED = "terminated"
TIMED_OUT = "timed_out"
CONTINUED = "continued"


@dataclass(frozen=True, slots=True)
class Closed:
    """The end of one run. `status` is completed, failed, canceled, terminated, timed_out or continued.

    `successor` is the run id of the run that goes on in its place (continued, retried, cron), or "": only an end
    without a successor is an EXIT. `failure` is None exactly when the status is completed or continued.
    """

    workflow_id: str
    run_id: str
    status: str
    at: datetime
    value: Value = None
    failure: Failure | None = None
    successor: str = ""

    def exited(self, pid: str) -> Exited:
        """The event for whoever watches the pid."""
        return Exited(pid, int(self.at.timestamp() * 1_000_000_000), self.value, self.failure)


async def read_closing(
    event: HistoryEvent, workflow_id: str, run_id: str, converter: DataConverter = DataConverter.default
) -> Closed | None:
    """The closing that a history's last event tells of, or None when the run is open."""
    reader = _READERS.get(event.event_type)
    if reader is None:
        return None
    status, attributes, failure = reader(event)
    if status == FAILED:
        failure = failures.from_exception(await converter.decode_failure(attributes.failure))
    value = await _value(attributes.result, converter) if status == COMPLETED else None
    at = event.event_time.ToDatetime(tzinfo=UTC)
    successor = getattr(attributes, "new_execution_run_id", "")
    return Closed(workflow_id, run_id, status, at, value, failure, successor)


async def fetch_closing(client: Client, workflow_id: str, run_id: str) -> Closed | None:
    """The closing of a run as Temporal knows it, or None while it is open; RPCError when it is not known."""
    handle = client.get_workflow_handle(workflow_id, run_id=run_id)
    async for event in handle.fetch_history_events(
        event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT, skip_archival=True
    ):
        return await read_closing(event, workflow_id, run_id, client.data_converter)
    return None


async def _value(result: Payloads, converter: DataConverter) -> Value:
    if not result.payloads:
        return None
    items = list(result.payloads)
    if converter.payload_codec is not None:
        items = await converter.payload_codec.decode(items)
    return payloads.decode(items[0])


Reading = tuple[str, Any, Failure | None]


def _timed_out(event: HistoryEvent) -> Reading:
    attributes = event.workflow_execution_timed_out_event_attributes
    state = RetryState.Name(attributes.retry_state)
    failure = Failure(
        "Timeout", "workflow timed out", retryable=False, details={"timeout_type": "workflow", "_retry_state": state}
    )
    return TIMED_OUT, attributes, failure


_READERS: dict[int, Callable[[HistoryEvent], Reading]] = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: lambda event: (
        COMPLETED,
        event.workflow_execution_completed_event_attributes,
        None,
    ),
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: lambda event: (
        FAILED,
        event.workflow_execution_failed_event_attributes,
        None,
    ),
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: lambda event: (
        CANCELED,
        event.workflow_execution_canceled_event_attributes,
        failures.canceled(),
    ),
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: lambda event: (
        TERMINATED,
        event.workflow_execution_terminated_event_attributes,
        failures.terminated(),
    ),
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: _timed_out,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: lambda event: (
        CONTINUED,
        event.workflow_execution_continued_as_new_event_attributes,
        None,
    ),
}
