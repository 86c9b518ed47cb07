"""Read facts from a run's history: how it began, how it ended."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure as FailureProto
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter

from engine.errors import TIMEOUT, Failure
from engine.host import Catalog
from engine.hosts.temporal import failures, headers, payloads
from engine.hosts.temporal.settings import reference, task_queue
from wippy_console.models import Run
from wippy_console.services.projection.facts import Began, Ended, Ref

CLOSINGS: dict[int, str] = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: Run.Status.COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: Run.Status.FAILED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: Run.Status.CANCELED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: Run.Status.TERMINATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: Run.Status.TIMED_OUT,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: Run.Status.CONTINUED_AS_NEW,
}


def beginning(catalog: Catalog, ref: Ref, first: HistoryEvent) -> Began:
    """How a run began, by its first event."""
    event = first.workflow_execution_started_event_attributes
    fields = event.header.fields
    return Began(
        ref=ref,
        entry_id=event.workflow_type.name,
        started_at=moment(first.event_time),
        worker=worker_of(catalog, ref.client, event.task_queue.name),
        task_queue=event.task_queue.name,
        program=headers.text(fields, headers.PROGRAM),
        registry_version=headers.number(fields, headers.VERSION) or None,
        input=_values(event.input.payloads),
        parent_workflow_id=event.parent_workflow_execution.workflow_id,
        parent_run_id=event.parent_workflow_execution.run_id,
    )


def ending(catalog: Catalog, ref: Ref, events: Sequence[HistoryEvent]) -> Ended | None:
    """How a run ended, by its whole history, which goes into the archive; None while it is open."""
    last = events[-1]
    status = CLOSINGS.get(last.event_type)
    if status is None:
        return None
    result, failure, new_run_id = _outcome(last)
    return Ended(
        began=beginning(catalog, ref, events[0]),
        status=status,
        closed_at=moment(last.event_time),
        history_length=len(events),
        result=result,
        failure=failure,
        new_run_id=new_run_id,
        history=archive(ref.workflow_id, events),
    )


def archive(workflow_id: str, events: Sequence[HistoryEvent]) -> bytes:
    """The archive's content; takes about 80 microseconds an event."""
    return gzip.compress(WorkflowHistory(workflow_id, events).to_json().encode(), 5)


def worker_of(catalog: Catalog, client: str, queue: str) -> str:
    """The temporal.worker entry that serves the queue by that client, or ""."""
    for entry in catalog.entries("temporal.worker"):
        if reference(entry, "client") == client and task_queue(entry, catalog.entry(client)) == queue:
            return entry.id
    return ""


def failure_of(proto: FailureProto) -> Failure:
    """The failure that Temporal's message tells of."""
    converter = DataConverter.default
    error = converter.failure_converter.from_failure(proto, converter.payload_converter)
    return failures.from_exception(error)


def moment(stamp: Timestamp) -> datetime:
    """A time of Temporal's, which is UTC."""
    return stamp.ToDatetime(tzinfo=UTC)


def _outcome(last: HistoryEvent) -> tuple[Any, Failure | None, str]:
    """Result, failure and the id of the run that goes on."""
    match CLOSINGS[last.event_type]:
        case Run.Status.COMPLETED:
            return _first(last.workflow_execution_completed_event_attributes.result.payloads), None, ""
        case Run.Status.FAILED:
            return None, failure_of(last.workflow_execution_failed_event_attributes.failure), ""
        case Run.Status.CANCELED:
            return None, failures.canceled(), ""
        case Run.Status.TERMINATED:
            return None, _terminated(last.workflow_execution_terminated_event_attributes.reason), ""
        case Run.Status.CONTINUED_AS_NEW:
            return None, None, last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        case _:
            return None, Failure(TIMEOUT, "workflow timed out", retryable=False), ""


def _terminated(reason: str) -> Failure:
    """The failure that watchers get, with the reason as a detail."""
    plain = failures.terminated()
    return Failure(plain.kind, plain.message, plain.retryable, {"reason": reason} if reason else {})


def _values(items: Iterable[Payload]) -> tuple[Any, ...]:
    return tuple(payloads.decode(item) for item in items)


def _first(items: Iterable[Payload]) -> Any:
    """A result: Lua's first value; several are a list."""
    values = _values(items)
    return values[0] if len(values) == 1 else list(values) or None
