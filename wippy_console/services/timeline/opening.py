"""Opens parts of a timeline: one row with its values, a page of rows or of events; never reads more than that."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from temporalio.api.history.v1 import HistoryEvent

from wippy_console.models import Run
from wippy_console.services import histories
from wippy_console.services.errors import NotFoundError
from wippy_console.services.timeline.fold import Fold
from wippy_console.services.timeline.looking import look
from wippy_console.services.timeline.values import Row

PAGE = 100


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order that was asked for; `before` and `after` are row ids to page on from, None at the ends."""

    rows: list[Row]
    before: int | None
    after: int | None


def opened(run: Run, user: Any, rows: Iterable[Row]) -> list[Row]:
    """The rows with their arguments, results, and whole failures, read from their events."""
    wanted = list(rows)
    return opened_among(events(run, user, _events_of(wanted)), wanted)


def opened_among(known: Iterable[HistoryEvent], rows: Iterable[Row]) -> list[Row]:
    """The same from events that one has, which may be more than those of the rows."""
    wanted = list(rows)
    ids, fold = set(_events_of(wanted)), Fold()
    fold.read([each for each in known if each.event_id in ids])
    return [_opened(row, fold) for row in wanted]


def _events_of(rows: Iterable[Row]) -> list[int]:
    return sorted({event.id for row in rows for event in row.events})


def _opened(row: Row, fold: Fold) -> Row:
    draft = fold.drafts.get(row.id)
    if draft is None:
        return row
    is_later = row.failure is not None and (row.failure.stack or row.failure.details)  # no event tells of it yet
    failure = row.failure if is_later else draft.failure
    return replace(row, input=draft.input, output=draft.output, failure=failure)


def events(run: Run, user: Any, ids: Iterable[int]) -> list[HistoryEvent]:
    """The events of those ids, in their order, as the user may see them; NotFoundError, Unavailable."""
    known = look(run, user).known
    every = list(histories.read(run).events)
    found = [each for each in (_event(every, event_id) for event_id in sorted(set(ids))) if each is not None]
    with known.lock:
        return known.shown.again(found) if known.shown else found


def event(run: Run, user: Any, event_id: int) -> HistoryEvent:
    """One event as the user may see it; NotFoundError."""
    found = events(run, user, [event_id])
    if not found:
        raise NotFoundError(f"Run {run.run_id} has no event {event_id}.")
    return found[0]


def _event(known: Sequence[HistoryEvent], event_id: int) -> HistoryEvent | None:
    at = bisect_left(known, event_id, key=lambda each: each.event_id)
    return known[at] if at < len(known) and known[at].event_id == event_id else None


def page(shown: Sequence[Row], *, after: int | None, before: int | None, size: int = PAGE) -> Page:
    """The rows that follow the one of id `after`, or come before `before`; the first ones without either."""
    places = {row.id: index for index, row in enumerate(shown)}
    if before is not None:
        end = places.get(before, 0)
        begin = max(0, end - size)
    else:
        begin = places[after] + 1 if after in places else 0
        end = min(len(shown), begin + size)
    rows = list(shown[begin:end])
    first = rows[0].id if rows and begin > 0 else None
    last = rows[-1].id if rows and end < len(shown) else None
    return Page(rows, first, last)
