"""Read facts from a run's history: how it began, how it ended."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from engine.contracts.catalog import Catalog
from engine.hosts.temporal.client.closings import CONTINUED, read_closing
from engine.hosts.temporal.settings import reference, task_queue
from engine.hosts.temporal.wire import headers, payloads
from wippy_console.models import Run
from wippy_console.services.projection.facts import Began, Ended, Ref


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
        starts_at=_starts_at(first),
    )


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
        began=beginning(catalog, ref, events[0]),
        status=Run.Status.CONTINUED_AS_NEW if closed.status == CONTINUED else closed.status,
        closed_at=closed.at,
        history_length=len(events),
        result=closed.value,
        failure=closed.failure,
        new_run_id=closed.successor,
        history=await asyncio.to_thread(archive, ref.workflow_id, events),
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


def moment(stamp: Timestamp) -> datetime:
    """A time of Temporal's, which is UTC."""
    return stamp.ToDatetime(tzinfo=UTC)


def _values(items: Iterable[Payload]) -> tuple[Any, ...]:
    return tuple(payloads.decode(item) for item in items)
