"""Loops: neighbouring rows of one kind and label. Pure, and append-only: what was a loop stays one."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from wippy_console.services.timeline.values import Loop, Row

FEWEST = 4
"""Fewer rows in a row are shown one by one."""

Key = tuple[str, str]


class Stretches:
    """Takes rows one by one as they begin. `loops` are the ids of each loop's rows by the first of them."""

    def __init__(self) -> None:
        self.loops: dict[int, list[int]] = {}
        self._key: Key | None = None
        self._ids: list[int] = []

    @property
    def first(self) -> int:
        """The id of the first row of the stretch that goes on."""
        return self._ids[0]

    def add(self, row_id: int, key: Key | None) -> list[int]:
        """The rows that are in a loop from now on; one without a key is in none, and ends the one before."""
        if key is None or key != self._key:
            self._key, self._ids = key, [row_id]
            return []
        self._ids.append(row_id)
        if len(self._ids) == FEWEST:
            self.loops[self._ids[0]] = self._ids
            return list(self._ids)
        return [row_id] if len(self._ids) > FEWEST else []


def loop(members: Iterable[Row]) -> Loop:
    """The loop of some rows, with how they went."""
    rows = tuple(members)
    took = sorted(1000 * each.seconds for each in rows if each.seconds is not None)
    return Loop(
        first=rows[0].id,
        members=rows,
        failed=sum(each.state in ("failed", "timed_out", "terminated") for each in rows),
        running=sum(each.is_open for each in rows),
        shortest=took[0] if took else None,
        median=median(took) if took else None,
        longest=took[-1] if took else None,
        touched=max(each.touched for each in rows),
    )
