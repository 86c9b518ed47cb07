"""Loops: neighbouring rows of one kind and label. Pure, and append-only: what was a loop stays one."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from wippy_console.services.timeline.values import Loop, Row

FEWEST = 4
"""Fewer rows in a row are shown one by one."""

TIMER = "timer"

Key = tuple[str, str]
"""Kind and label."""


class Stretches:
    """Takes rows one by one as they begin. `loops` are the ids of each loop's rows by the first of them.

    One timer between two rows of a loop belongs to it: that is how code waits between tries.
    """

    def __init__(self) -> None:
        self.loops: dict[int, list[int]] = {}
        self._key: Key | None = None
        self._ids: list[int] = []
        self._rows = 0
        self._pause: tuple[int, Key] | None = None

    @property
    def first(self) -> int:
        """The id of the first row of the stretch that goes on."""
        return self._ids[0]

    def add(self, row_id: int, key: Key | None) -> list[int]:
        """The rows that are in a loop from now on; one without a key is in none, and ends the one before."""
        if key is None or key != self._key:
            self._begin(row_id, key)
            return []
        before = [self._pause[0]] if self._pause else []
        self._ids += [*before, row_id]
        self._rows, self._pause = self._rows + 1, None
        if self._rows == FEWEST:
            self.loops[self._ids[0]] = self._ids
            return list(self._ids)
        return [*before, row_id] if self._rows > FEWEST else []

    def _begin(self, row_id: int, key: Key | None) -> None:
        """Another row: the stretch may go on after a pause, any else is the first of another one."""
        pause, may_pause = self._pause, self._key is not None and self._key[0] != TIMER
        if key is not None and key[0] == TIMER and pause is None and may_pause:
            self._pause = (row_id, key)
            return
        self._ids = [pause[0], row_id] if pause is not None and pause[1] == key else [row_id]
        self._key, self._rows, self._pause = key, len(self._ids), None


def loop(found: Iterable[Row]) -> Loop:
    """The loop of some rows, with how they went."""
    members = tuple(found)
    rows = [row for row in members if (row.kind, row.label) == (members[0].kind, members[0].label)]
    took = sorted(1000 * each.seconds for each in rows if each.seconds is not None)
    return Loop(
        first=rows[0].id,
        members=members,
        count=len(rows),
        failed=sum(each.state in ("failed", "timed_out", "terminated") for each in rows),
        running=sum(each.is_open for each in rows),
        shortest=took[0] if took else None,
        median=median(took) if took else None,
        longest=took[-1] if took else None,
        touched=max(each.touched for each in members),
    )
