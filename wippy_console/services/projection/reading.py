"""Read facts from a run's history: how it began, how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import (
    HistoryEvent,
    MarkerRecordedEventAttributes,
    WorkflowExecutionStartedEventAttributes,
)

from engine.contracts.catalog import Catalog
from engine.errors import Failure
from engine.hosts.temporal.client.closings import CANCELED, CONTINUED, TERMINATED, Closed, read_closing
from engine.hosts.temporal.settings import reference, task_queue
from engine.hosts.temporal.wire import headers, payloads
from engine.hosts.temporal.wire.lookups import RESOLVE, Resolution
from engine.pids import Pid
from wippy_console.models import Run
from wippy_console.services import accounts, histories
from wippy_console.services.projection.facts import Began, Ended, Ref

LOCAL = "core_local_activity"
NODE = "wippy node "
"""How the identity of a node's clients begins."""
USER_MEMO = "wippy-user"
"""Of a start in the console: the name of the user."""


def beginning(catalog: Catalog, ref: Ref, events: Sequence[HistoryEvent]) -> Began:
    """How a run began, by its first event; those after it tell the program of a run that another client started."""
    first = events[0]
    event = first.workflow_execution_started_event_attributes
    fields = event.header.fields
    resolved = None if headers.PROGRAM in fields else _resolved(events)
    reset = _reset(events)
    return Began(
        ref=ref,
        entry_id=event.workflow_type.name,
        started_at=moment((reset or first).event_time),
        worker=worker_of(catalog, ref.client, event.task_queue.name) or _named_worker(catalog, ref.client, fields),
        task_queue=event.task_queue.name,
        program=resolved.digest if resolved else headers.text(fields, headers.PROGRAM),
        registry_version=(resolved.version if resolved else headers.number(fields, headers.VERSION)) or None,
        input=_values(event.input.payloads),
        parent_workflow_id=event.parent_workflow_execution.workflow_id,
        parent_run_id=event.parent_workflow_execution.run_id,
        starter=_starter(event),
        spawner=_spawner(event),
        starts_at=_starts_at(first),
        first_run_id=event.first_execution_run_id,
        previous_run_id=_reset_from(reset) or event.continued_execution_run_id,
    )


def _reset(events: Iterable[HistoryEvent]) -> HistoryEvent | None:
    """The event with which a run that was reset leaves the history of the one before, and begins; None of others."""
    found = None
    for event in events:
        cause = event.workflow_task_failed_event_attributes.cause
        if cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW:
            found = event
    return found


def _reset_from(reset: HistoryEvent | None) -> str:
    """The run whose history this one begins with, "" for one that was not reset."""
    return reset.workflow_task_failed_event_attributes.base_run_id if reset else ""


def _resolved(events: Iterable[HistoryEvent]) -> Resolution | None:
    """What the run itself asked for and recorded; a child's program is asked for by its parent, later."""
    for event in events:
        marker = event.marker_recorded_event_attributes
        if marker.marker_name == LOCAL and _activity_type(marker) == RESOLVE:
            found = marker.details["result"].payloads if "result" in marker.details else ()
            return Resolution.decode(found[0]) if found else None
    return None


def _activity_type(marker: MarkerRecordedEventAttributes) -> str:
    about = _values(marker.details["data"].payloads) if "data" in marker.details else ()
    return str(about[0].get("activity_type", "")) if about and isinstance(about[0], Mapping) else ""


def _starter(event: WorkflowExecutionStartedEventAttributes) -> str:
    """The user who started it in the console, whose requests are made as that user's. Any client writes memos."""
    if event.continued_execution_run_id or event.parent_workflow_execution.workflow_id:
        return ""
    name = payloads.decode(event.memo.fields[USER_MEMO]) if USER_MEMO in event.memo.fields else None
    if not isinstance(name, str) or not name or "\0" in name:  # no column holds it
        return ""
    return name if event.identity == accounts.identity_of(name) else ""


def _spawner(event: WorkflowExecutionStartedEventAttributes) -> str:
    """The process or function that spawned it; a run that did is its parent."""
    parent = headers.text(event.header.fields, headers.PARENT)
    is_unit = Pid.parse(parent) is not None and not event.parent_workflow_execution.workflow_id
    return parent if is_unit and not event.continued_execution_run_id else ""


def _starts_at(first: HistoryEvent) -> datetime | None:
    """When the first task comes, if later than the start: a delay, or the next time of a cron schedule."""
    backoff = first.workflow_execution_started_event_attributes.first_workflow_task_backoff.ToTimedelta()
    return moment(first.event_time) + backoff if backoff else None


async def ending(catalog: Catalog, ref: Ref, events: Sequence[HistoryEvent]) -> Ended | None:
    """How a run ended, by its whole history, which goes into the archive; None while it is open."""
    closed = await read_closing(events[-1], ref.workflow_id, ref.run_id)
    if closed is None:
        return None
    return Ended(
        began=beginning(catalog, ref, events),
        status=Run.Status.CONTINUED_AS_NEW if closed.status == CONTINUED else closed.status,
        closed_at=closed.at,
        history_length=len(events),
        result=closed.value,
        failure=_by_whom(closed, events),
        new_run_id=closed.successor,
        history=await asyncio.to_thread(histories.packed, events),
    )


def _by_whom(closed: Closed, events: Sequence[HistoryEvent]) -> Failure | None:
    """The failure; of a run that somebody ended, from whichever client, with `by` and `reason` in its details."""
    if closed.failure is None or closed.status not in (CANCELED, TERMINATED):
        return closed.failure
    asked = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
    newest = (each for each in reversed(events) if each.event_type == asked)
    last = events[-1] if closed.status == TERMINATED else next(newest, None)
    if last is None:
        return closed.failure
    ended = last.workflow_execution_terminated_event_attributes
    canceled = last.workflow_execution_cancel_requested_event_attributes
    told = {"by": ended.identity or canceled.identity, "reason": ended.reason or canceled.cause}
    return replace(closed.failure, details={name: text for name, text in told.items() if text})


def worker_of(catalog: Catalog, client: str, queue: str) -> str:
    """The temporal.worker entry that serves the queue by that client, or ""."""
    for entry in catalog.entries("temporal.worker"):
        if reference(entry, "client") == client and task_queue(entry, catalog.entry(client)) == queue:
            return entry.id
    return ""


def _named_worker(catalog: Catalog, client: str, fields: headers.Headers) -> str:
    """The worker that the start of a run on another queue was meant for, or "": other installations have their own."""
    name = headers.text(fields, headers.WORKER)
    entry = catalog.entry(name) if name else None
    return name if entry is not None and reference(entry, "client") == client else ""


def moment(stamp: Timestamp) -> datetime:
    """A time of Temporal's, which is UTC."""
    return stamp.ToDatetime(tzinfo=UTC)


def _values(items: Iterable[Payload]) -> tuple[Any, ...]:
    return tuple(payloads.decode(item) for item in items)
