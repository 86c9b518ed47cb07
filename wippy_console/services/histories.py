"""Histories of runs: from the archive when the run is closed, else live from Temporal.

A history only grows, so what was read once is kept in memory and only newer events are fetched: a page that
follows a long run costs one small request per look.
"""

from __future__ import annotations

import gzip
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryReverseRequest,
)
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from wippy_console.models import HistoryArchive, Run
from wippy_console.services import temporal
from wippy_console.services.errors import NotFoundError

CACHED_EVENTS = 50_000
"""How many events the cache holds together, newest used first..."""

CACHED_BYTES = 64 * 1024 * 1024
"""...and how many bytes, as they are sent; in memory they take about thrice as much."""

LONGEST_SECONDS = 60.0
"""What all pages of a history may take together; each of them, settings.TEMPORAL_PATIENCE."""


@dataclass(slots=True)
class _Kept:
    events: list[HistoryEvent]
    size: int


class _Cache:
    """Events by run id, least recently used dropped first; safe from any thread."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._events = self._bytes = 0

    def get(self, run_id: str) -> list[HistoryEvent]:
        """What is known of the run; do not change it."""
        with self._lock:
            kept = self._runs.get(run_id)
            if kept is None:
                return []
            self._runs.move_to_end(run_id)
            return kept.events

    def put(self, run_id: str, events: list[HistoryEvent]) -> None:
        """Keep the longer of what is known and what is new."""
        with self._lock:
            known = self._runs.get(run_id)
            have = len(known.events) if known else 0
            if len(events) >= have:
                size = (known.size if known else 0) + sum(event.ByteSize() for event in events[have:])
                self._drop(run_id)
                self._runs[run_id] = _Kept(events, size)
                self._count(1, self._runs[run_id])
            self._runs.move_to_end(run_id)
            while len(self._runs) > 1 and (self._events > CACHED_EVENTS or self._bytes > CACHED_BYTES):
                self._drop(next(iter(self._runs)))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._runs.clear()
            self._events = self._bytes = 0

    def _drop(self, run_id: str) -> None:
        if run_id in self._runs:
            self._count(-1, self._runs.pop(run_id))

    def _count(self, sign: int, kept: _Kept) -> None:
        self._events += sign * len(kept.events)
        self._bytes += sign * kept.size


cache = _Cache()


def read(run: Run) -> WorkflowHistory:
    """Its whole history; NotFoundError when retention removed it, Unavailable."""
    if run.is_open:
        return WorkflowHistory(run.workflow_id, _live(run))
    return WorkflowHistory(run.workflow_id, _archived(run) or _live(run))


def since(run: Run, after: int) -> list[HistoryEvent]:
    """Those with ids over `after`, oldest first; NotFoundError, Unavailable.

    Whoever has kept what came before does not need it read again.
    """
    if after and run.is_open and not cache.get(run.run_id):
        return newest(run, after)
    events = read(run).events
    return list(events[bisect_right(events, after, key=lambda event: event.event_id) :])


def newest(run: Run, after: int = 0) -> list[HistoryEvent]:
    """The events with ids over `after`, oldest first, straight from Temporal."""
    client = temporal.client(run.client)
    try:
        return temporal.run(_tail(client, run, after), timeout=LONGEST_SECONDS)
    except RPCError as error:
        raise _translated(run, error) from error


def describe(run: Run) -> DescribeWorkflowExecutionResponse:
    """What Temporal knows of the run now; NotFoundError, Unavailable."""
    handle = temporal.client(run.client).get_workflow_handle(run.workflow_id, run_id=run.run_id)
    try:
        return temporal.run(handle.describe(), settings.TEMPORAL_PATIENCE).raw_description
    except RPCError as error:
        raise _translated(run, error) from error


def _live(run: Run) -> list[HistoryEvent]:
    known = cache.get(run.run_id)
    fresh = newest(run, known[-1].event_id if known else 0)
    if known and not fresh:
        return known
    events = known + fresh
    cache.put(run.run_id, events)
    return events


def _archived(run: Run) -> list[HistoryEvent]:
    """The archived events, [] when there is no archive (yet)."""
    archive = HistoryArchive.objects.filter(pk=run.pk).first()
    if archive is None:
        return []
    known = cache.get(run.run_id)
    if len(known) == archive.events:
        return known
    events = unpacked(bytes(archive.content))
    cache.put(run.run_id, events)
    return events


def packed(events: Iterable[HistoryEvent]) -> bytes:
    """An archive's content: Temporal's History message, compressed; reads in 3 microseconds an event, JSON in 400."""
    return gzip.compress(History(events=events).SerializeToString(), 5, mtime=0)


def unpacked(content: bytes) -> list[HistoryEvent]:
    """Its events again; of older archives, too, which hold the message as JSON."""
    plain = gzip.decompress(content)
    if plain.startswith(b"{"):  # no message begins so: its first byte tells of a field
        return list(WorkflowHistory.from_json("", plain.decode()).events)
    return list(History.FromString(plain).events)


async def _tail(client: Client, run: Run, after: int) -> list[HistoryEvent]:
    """Page backwards from the newest event until `after`."""
    request, each = _backwards(client, run, 20 if after else 1000), timedelta(seconds=settings.TEMPORAL_PATIENCE)
    found: list[HistoryEvent] = []
    while True:
        page = await client.workflow_service.get_workflow_execution_history_reverse(request, timeout=each)
        fresh = [event for event in page.history.events if event.event_id > after]
        found += fresh
        if len(fresh) < len(page.history.events) or not page.next_page_token:
            return found[::-1]
        request.next_page_token, request.maximum_page_size = page.next_page_token, 1000


async def find(
    client: Client, run: Run, wanted: Callable[[HistoryEvent], bool], since: datetime
) -> HistoryEvent | None:
    """The newest wanted event that is not older than `since`, None when there is none."""
    request = _backwards(client, run, 20)
    while True:
        page = await client.workflow_service.get_workflow_execution_history_reverse(request)
        for event in page.history.events:
            if wanted(event):
                return event
            if event.event_time.ToDatetime(tzinfo=UTC) < since:
                return None
        if not page.next_page_token:
            return None
        request.next_page_token, request.maximum_page_size = page.next_page_token, 1000


def _backwards(client: Client, run: Run, size: int) -> GetWorkflowExecutionHistoryReverseRequest:
    return GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace,
        execution=WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id),
        maximum_page_size=size,
    )


def _translated(run: Run, error: RPCError) -> Exception:
    if error.status == RPCStatusCode.NOT_FOUND:
        return NotFoundError(f"Temporal no longer has the history of run {run.run_id}: its retention time is over.")
    return temporal.translated(error)
