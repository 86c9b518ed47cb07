"""What is known of a run's history, folded: kept by each web process, and read on from where it ends."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from temporalio.api.history.v1 import HistoryEvent

from wippy_console.services import secrets
from wippy_console.services.timeline import telling
from wippy_console.services.timeline.fold import Fold
from wippy_console.services.timeline.loops import loop
from wippy_console.services.timeline.telling import Tell
from wippy_console.services.timeline.values import Loop, Row

KEPT_EVENTS = 200_000
"""Events of all kept folds together; a folded event takes about 500 bytes."""

RUN_COSTS = 20
"""What a run costs beside its events, counted in events."""


class Known:
    """The rows of a run so far, of events as `shown` has them; at `read_at` Temporal knew no more. Hold `lock` while
    reading or asking.
    """

    def __init__(self, tell: Tell = telling.plain, shown: secrets.Shown | None = None) -> None:
        self.lock = threading.RLock()
        self.shown = shown
        self.pieces = 0
        self.read_at: datetime | None = None
        self.fold = Fold(tell, light=True)
        self._rows: dict[int, Row] = {}
        self._loops: dict[int, Loop] = {}
        self._begun: list[tuple[datetime, int]] = []
        self._timers: list[int] = []

    @property
    def last_event_id(self) -> int:
        """The newest event that was read."""
        return self.fold.last_event_id

    def read(self, events: Iterable[HistoryEvent]) -> None:
        """Take the next events; those that are known are passed over."""
        last = self.fold.last_event_id
        new = [event for event in events if event.event_id > last]
        self.pieces += bool(new)
        self.fold.read(self.shown.more(new) if self.shown else new)
        touched: set[int] = set()
        for row_id in self.fold.changed:
            draft = self.fold.drafts[row_id]
            if row_id not in self._rows:
                self._begun.append((draft.events[0].at, row_id))
                self._timers += [row_id] if draft.kind == "timer" else []
            self._rows[row_id] = draft.row()
            touched.add(draft.loop)
        self.fold.changed.clear()
        for first in touched - {0}:
            self._loops[first] = loop(self._rows[each] for each in self.fold.stretches.loops[first])

    def rows(self) -> dict[int, Row]:
        """The rows by id, without what server and database add; do not change it."""
        return self._rows

    def timers(self) -> list[Row]:
        """The rows of timers."""
        return [self._rows[row_id] for row_id in self._timers]

    def loops(self) -> list[Loop]:
        """The loops, in their order."""
        return [self._loops[first] for first in self.fold.stretches.loops]

    def place(self, at: datetime, row: Row) -> Row:
        """A row that no event began, with its place among the others."""
        index = bisect_right(self._begun, (at, 10**12))
        return replace(row, order=(self._begun[index - 1][1] if index else 0) + 0.5)


@dataclass(slots=True)
class _Kept:
    stamp: Hashable
    known: Known
    cost: int = RUN_COSTS


class Shelf:
    """What is known, by key, least recently used dropped first; another `stamp` is another history."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._cost = 0

    def get(self, key: Hashable, stamp: Hashable) -> Known | None:
        """What is known, None when that is nothing, or no longer right."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.stamp != stamp:
                return None
            self._kept.move_to_end(key)
            return kept.known

    def put(self, key: Hashable, stamp: Hashable, known: Known) -> None:
        """Keep it; what is too much then goes."""
        with self._lock:
            self._drop(key)
            self._kept[key] = kept = _Kept(stamp, known, RUN_COSTS + known.last_event_id)
            self._cost += kept.cost
            while len(self._kept) > 1 and self._cost > KEPT_EVENTS:
                self._drop(next(iter(self._kept)))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._cost = 0

    def _drop(self, key: Hashable) -> None:
        if key in self._kept:
            self._cost -= self._kept.pop(key).cost


shelf = Shelf()
