"""The timeline of a run: one row per head event, its followers drawn into the same row."""

from __future__ import annotations

from typing import Any

from wippy_console.models import Run
from wippy_console.services import secrets
from wippy_console.services.errors import NotFoundError
from wippy_console.services.timeline.assembly import assemble
from wippy_console.services.timeline.axis import Axis, lay_out
from wippy_console.services.timeline.details import event_json
from wippy_console.services.timeline.failures import read_failure
from wippy_console.services.timeline.fold import Fold
from wippy_console.services.timeline.values import EventRef, Row, Timeline

__all__ = ["Axis", "EventRef", "Row", "Timeline", "event_json", "event_payload", "lay_out", "read_failure", "rows"]


def rows(run: Run, user: Any = None) -> Timeline:
    """The run's timeline as the user may see it (None: nobody in particular); NotFoundError, Unavailable."""
    fold = Fold()
    fold.read(secrets.history(run, user).events)
    if run.is_open:
        now = secrets.describe(run, user)
        task = now.pending_workflow_task if now.HasField("pending_workflow_task") else None
        fold.pending(now.pending_activities, task)
    return assemble(run, fold)


def event_payload(run: Run, event_id: int, user: Any = None) -> dict[str, Any]:
    """One history event as JSON data with its payloads decoded, each cut at 64 kB; NotFoundError."""
    events = secrets.history(run, user).events
    found = next((event for event in events if event.event_id == event_id), None)
    if found is None:
        raise NotFoundError(f"Run {run.run_id} has no event {event_id}.")
    return event_json(found)
