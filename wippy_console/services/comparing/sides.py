"""What can be compared: runs that one may see, and histories that one opened from files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.api.history.v1 import HistoryEvent

from wippy_console.database.storable import storable_text
from wippy_console.models import ImportedHistory, Run
from wippy_console.services import imported, runs, secrets, timeline
from wippy_console.services.comparing.aligning import MOST, Pair, Prints
from wippy_console.services.errors import NotFoundError
from wippy_console.services.timeline import Row, Timeline

FILE = "file:"
"""Begins the name of a history from a file; a run's name is its run id."""
_RECENT = 8
_STEPS = ("workflow", "activity", "local", "timer", "child", "external", "signal", "update", "exit")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. `run` or `file` is what it is of."""

    name: str
    drawn: Timeline
    events: Sequence[HistoryEvent]
    run: Run | None = None
    file: ImportedHistory | None = None

    @property
    def rows(self) -> list[Row]:
        """Its steps, without the engine's own, in the order in which they were asked for."""
        found = [row for row in self.drawn.rows if row.kind in _STEPS and not row.own and row.id > 0]
        return sorted(found, key=lambda row: row.id)[:MOST]

    @property
    def is_cut(self) -> bool:
        """Whether it has more steps than are compared."""
        return len(self.drawn.rows) > MOST and len(self.rows) == MOST

    @property
    def about(self) -> Any:
        """What has its workflow id, entry and status."""
        return self.run or self.file

    @property
    def prints(self) -> Prints:
        """What inputs and results are known by, whole, however long they are."""
        by_id = {event.event_id: event for event in self.events}
        return {row.id: _prints(row, by_id) for row in self.rows}


def side(user: Any, name: str) -> Side:
    """By its name, or by any id of a run; NotFoundError, Refused when its history is gone, Unavailable."""
    if name.startswith(FILE):
        number = name.removeprefix(FILE)
        if not number.isdecimal() or len(number) > 18:
            raise NotFoundError("There is no such imported history.")
        file = imported.get(user, int(number))
        events = imported.events(file)
        return Side(name, timeline.of_events(events), events, file=file)
    known = storable_text(name)
    run = runs.visible(user).filter(pk=known).first() or runs.by_pid(user, known)
    return Side(run.pk, timeline.rows(run, user), list(secrets.history(run, user).events), run=run)


def candidates(user: Any, run: Run) -> list[tuple[str, Run]]:
    """Runs that one likely means to compare with, each once, with what it is to this one."""
    chain = runs.chain_of(user, run)
    alike = runs.visible(user).filter(entry_id=run.entry_id).exclude(pk=run.pk).defer("input", "result", "failure")
    newest = alike.order_by("-started_at", "-run_id")
    found: list[tuple[str, Run | None]] = [
        ("The run before it", chain.previous),
        ("The run after it", chain.next),
        ("The last that completed", newest.filter(status=Run.Status.COMPLETED).first()),
        *(("Of the same entry", each) for each in newest[:_RECENT]),
    ]
    seen: dict[str, tuple[str, Run]] = {}
    for word, each in found:
        if each is not None:
            seen.setdefault(each.pk, (word, each))
    return list(seen.values())


def opened(a: Side, b: Side, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs with their values."""
    left = {row.id: row for row in timeline.opened_among(a.events, [pair.a for pair in pairs if pair.a])}
    right = {row.id: row for row in timeline.opened_among(b.events, [pair.b for pair in pairs if pair.b])}
    return [Pair(pair.index, pair.a and left[pair.a.id], pair.b and right[pair.b.id], pair.differs) for pair in pairs]


def _prints(row: Row, by_id: dict[int, HistoryEvent]) -> tuple[bytes, bytes]:
    events = [by_id[each.id] for each in row.events if each.id in by_id]
    given = [_field(event, "input") for event in events[:1]]
    made = [_field(event, name) for event in events for name in ("result", "details") if event is not events[0]]
    if row.kind in ("local", "exit", "update"):
        made = [_field(event, name) for event in events for name in ("result", "details")]
    return _digest(given), b"" if row.failure else _digest(made)


def _field(event: HistoryEvent, name: str) -> bytes:
    which = event.WhichOneof("attributes")
    attributes: Any = getattr(event, which) if which else event
    known = attributes.DESCRIPTOR.fields_by_name.get(name)
    if known is None or known.message_type is None:
        return b""
    if known.message_type.GetOptions().map_entry:
        found: Any = getattr(attributes, name)
        return b"".join(payload for key in found if key == "result" for payload in _payloads(found[key]))
    return bytes(getattr(attributes, name).SerializeToString(deterministic=True))


def _payloads(found: Any) -> list[bytes]:
    return [bytes(each.data) for each in found.payloads]


def _digest(parts: Sequence[bytes]) -> bytes:
    return hashlib.sha256(b"\0".join(parts)).digest() if any(parts) else b""
