"""The timeline of a run: one row per head event, its followers drawn into the same row.

`rows` is all of it, without values; `row`, `page` and `opened` open parts, `chronicle` pages through the events, and
`since` tells what a reader does not have.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from temporalio.api.history.v1 import HistoryEvent

from wippy_console.models import Run
from wippy_console.services.errors import NotFoundError, Unavailable
from wippy_console.services.timeline import assembly, changes, opening
from wippy_console.services.timeline.axis import Axis
from wippy_console.services.timeline.changes import Changes
from wippy_console.services.timeline.chronicle import Chronicle, chronicle
from wippy_console.services.timeline.details import event_head, event_json
from wippy_console.services.timeline.drafts import moment
from wippy_console.services.timeline.failures import read_failure
from wippy_console.services.timeline.known import Known
from wippy_console.services.timeline.layout import folded, kept, lay_out
from wippy_console.services.timeline.looking import Look, look
from wippy_console.services.timeline.opening import Page, opened, opened_among, page
from wippy_console.services.timeline.payloads import Part
from wippy_console.services.timeline.values import EventRef, Loop, Row, Timeline

__all__ = [
    "Axis", "Changes", "Chronicle", "EventRef", "Loop", "Page", "Part", "Row", "Timeline", "chronicle", "event_head",
    "event_json", "event_payload", "folded", "kept", "lay_out", "moment", "of_events", "opened", "opened_among",
    "page", "read_failure", "row", "rows", "since",
]  # fmt: skip


def rows(run: Run, user: Any = None, *, known: bool = False) -> Timeline:
    """The run's timeline as the user may see it (None: nobody in particular); NotFoundError, Unavailable.

    With `known` it is, while Temporal is away, what this process read before, if it did (`Timeline.away`).
    """
    return assembly.assemble(run, _looked(run, user, known))


def since(run: Run, user: Any, after: str) -> tuple[Timeline, Changes]:
    """The same, and what of it changed since the cursor `after` of an earlier look."""
    seen = _looked(run, user, known=False)
    found = assembly.assemble(run, seen)
    return found, changes.since(found, after, sees=seen.sees)


def _looked(run: Run, user: Any, known: bool) -> Look:
    seen = look(run, user)
    if seen.away and not known:
        raise Unavailable(seen.away)
    return seen


def row(run: Run, user: Any, row_id: int) -> Row:
    """One row with its values; NotFoundError."""
    found = next((each for each in rows(run, user).rows if each.id == row_id), None)
    if found is None:
        raise NotFoundError(f"The run has no row {row_id}.")
    return opened(run, user, [found])[0]


def of_events(events: Iterable[HistoryEvent]) -> Timeline:
    """The timeline of a history alone, which may be any: no run of ours, no Temporal, no database. ValueError: none."""
    known = Known()
    listed = list(events)
    if not listed:
        raise ValueError("a history has at least one event")
    known.read(listed)
    return assembly.timeline(known, {}, moment(listed[0].event_time), moment(listed[-1].event_time))


def event_payload(run: Run, event_id: int, user: Any = None) -> dict[str, Any]:
    """One history event as JSON data with its payloads decoded, each cut at 64 kB; NotFoundError."""
    return event_json(opening.event(run, user, event_id))
