"""The events of a run in the order in which they were written, a page at a time, each with the row that it is in."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.api.history.v1 import HistoryEvent

from wippy_console.models import Run
from wippy_console.services import histories
from wippy_console.services.timeline import rules
from wippy_console.services.timeline.drafts import reference
from wippy_console.services.timeline.looking import look
from wippy_console.services.timeline.values import EventRef

PAGE = 100


@dataclass(frozen=True, slots=True)
class Noted:
    """An event; `row` is the id of the row that it is in and `label` what that is called, 0 and "" for none."""

    event: EventRef
    row: int = 0
    label: str = ""


@dataclass(frozen=True, slots=True)
class Chronicle:
    """A page of events. `before` and `after` are event ids to page on from, None at the ends.

    `total` counts all events, `found` those that match.
    """

    events: list[Noted]
    before: int | None
    after: int | None
    total: int
    found: int


def chronicle(
    run: Run,
    user: Any,
    *,
    after: int | None = None,
    before: int | None = None,
    newest: bool = False,
    size: int = PAGE,
    find: str = "",
) -> Chronicle:
    """The events that follow the one of id `after`, or come before `before`, in the order that is shown.

    `newest` shows the newest first; `find` is any part of an event's type or of what its row is called.
    NotFoundError, Unavailable. No values: any reader may see them.
    """
    rows = look(run, user).known
    every = list(histories.read(run).events)
    if newest:
        after, before = before, after
    with rows.lock:
        heads = {ref.id: row for row in rows.rows().values() for ref in row.events if ref.id > 1 or row.id == 1}
    matching = [event for event in every if _matches(event, heads.get(event.event_id), find)] if find else every
    begin, end = _place(matching, after, before, size, last=newest)
    found = [_noted(event, heads.get(event.event_id)) for event in matching[begin:end]]
    low = found[0].event.id if found and begin > 0 else None
    high = found[-1].event.id if found and end < len(matching) else None
    if newest:
        found, low, high = found[::-1], high, low
    return Chronicle(found, low, high, len(every), len(matching))


def _matches(event: HistoryEvent, row: Any, find: str) -> bool:
    text = f"{rules.title(rules.name(event.event_type))} {row.label if row is not None else ''}"
    return find.casefold().replace(" ", "") in text.casefold().replace(" ", "")


def _noted(event: HistoryEvent, row: Any) -> Noted:
    ref = reference(event, rules.name(event.event_type))
    return Noted(ref) if row is None else Noted(ref, row.id, row.label)


def _place(
    every: Sequence[HistoryEvent], after: int | None, before: int | None, size: int, *, last: bool
) -> tuple[int, int]:
    """Where the page begins and ends; without either id the first one, or the last one."""
    if before is not None or (after is None and last):
        end = len(every) if before is None else bisect_left(every, before, key=lambda event: event.event_id)
        return max(0, end - size), end
    begin = 0 if after is None else bisect_right(every, after, key=lambda event: event.event_id)
    return begin, min(len(every), begin + size)
