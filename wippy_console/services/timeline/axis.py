"""Where a timeline's rows lie on the picture: idle gaps collapse, so that seconds stay visible beside days."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.utils import timezone

from wippy_console.services.timeline.values import Row, Timeline

GAP_SHARE = 0.1
"""How much of the picture a collapsed gap takes."""

OPEN_SHARE = 0.25
"""How much a gap takes that lasts until now: there is what the run waits for."""

LONG_GAP = 3.0
"""A stretch without work collapses when it is longer than so many times all work together..."""

SHORTEST_GAP = 5000.0
"""...and than so many milliseconds."""

WAITING = ("workflow", "timer", "question")
"""Kinds of rows that are no work: a stretch with nothing else in it is idle."""

SHOWN = 400
"""More rows than this are cut in the middle: the two ends come first."""

Step = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """A piecewise linear map from time to percent: `knots` are (milliseconds since `began`, percent)."""

    began: datetime
    ended: datetime
    is_open: bool
    knots: list[Step]
    gaps: list[tuple[float, float, float]]
    """Collapsed stretches as (left percent, right percent, seconds)."""

    @classmethod
    def of(cls, timeline: Timeline) -> Axis:
        """The axis over all moments at which something happened."""
        ended = timeline.ended or max(timezone.now(), timeline.began + timedelta(milliseconds=1))
        whole = milliseconds(ended - timeline.began)
        moments = sorted({0.0, whole, *offsets(timeline)})
        steps = [(a, b) for a, b in pairwise(moments) if b <= whole]
        knots, gaps = scale(steps, collapsed(steps, working(timeline, whole)), lasts=timeline.ended is None)
        return cls(timeline.began, ended, timeline.ended is None, knots, gaps)

    def at(self, moment: datetime) -> float:
        """The percent at which `moment` lies."""
        return interpolate(self.knots, milliseconds(moment - self.began))

    def knots_json(self) -> str:
        """The knots for timeline.js, which lays the picture out anew as time goes on."""
        return json.dumps(self.knots)

    def bends(self) -> list[Step]:
        """The knots at which the scale changes, and both ends."""
        steps = list(pairwise(self.knots))
        bent = [
            b
            for (a, b), (_, c) in pairwise(steps)
            if abs((b[1] - a[1]) * (c[0] - b[0]) - (c[1] - b[1]) * (b[0] - a[0])) > 1e-6
        ]
        return [self.knots[0], *bent, self.knots[-1]] if steps else self.knots

    def ticks(self) -> list[tuple[float, float]]:
        """A few labels as (percent, seconds since the beginning)."""
        hidden = [(low, high) for low, high, _ in self.gaps]
        if self.is_open and len(self.knots) > 1:
            hidden.append((self.knots[-2][1], 100.1))  # the last step grows as time goes on
        outside = [each for each in (0, 25, 50, 75, 100) if not any(low < each < high for low, high in hidden)]
        return [(percent, invert(self.knots, percent) / 1000) for percent in outside]


def offsets(timeline: Timeline) -> Iterable[float]:
    """Each row's beginnings and ends, in milliseconds since the run began."""
    for row in timeline.rows:
        for moment in (row.start, row.started, row.end):
            if moment is not None:
                yield max(0.0, milliseconds(moment - timeline.began))


def milliseconds(span: timedelta) -> float:
    """A span as milliseconds."""
    return span.total_seconds() * 1000


def working(timeline: Timeline, whole: float) -> list[Step]:
    """When some work was going on, as (begin, end) in milliseconds; overlapping stretches stay as they are."""
    return [
        (milliseconds(row.start - timeline.began), milliseconds(row.end - timeline.began) if row.end else whole)
        for row in timeline.rows
        if row.kind not in WAITING
    ]


def collapsed(steps: list[Step], work: list[Step]) -> set[Step]:
    """The steps that are idle and so long that what happens around them could not be seen."""
    idle = {(a, b) for a, b in steps if not any(low < b and a < high for low, high in work)}
    worked = sum(b - a for a, b in steps if (a, b) not in idle)
    return {(a, b) for a, b in idle if b - a > max(SHORTEST_GAP, LONG_GAP * worked)} if len(steps) > 1 else set()


def scale(steps: list[Step], long: set[Step], *, lasts: bool) -> tuple[list[Step], list[tuple[float, float, float]]]:
    """Knots and collapsed gaps. `lasts`: the last step goes on until now."""
    shares = dict.fromkeys(long, GAP_SHARE)
    if lasts and steps and steps[-1] in long:
        shares[steps[-1]] = OPEN_SHARE
    crowd = max(1.0, sum(shares.values()) / 0.7)
    short = sum(b - a for a, b in steps if (a, b) not in long)
    room = 1.0 - sum(shares.values()) / crowd
    knots, gaps, percent = [(0.0, 0.0)], [], 0.0
    for a, b in steps:
        share = shares.get((a, b), 0.0) / crowd or room * (b - a) / (short or 1.0)
        if (a, b) in long:
            gaps.append((percent, percent + 100 * share, (b - a) / 1000))
        percent += 100 * share
        knots.append((b, percent))
    return full(knots), gaps


def full(knots: list[Step]) -> list[Step]:
    """The knots stretched to the whole picture, which collapsed gaps alone do not fill."""
    last = knots[-1][1] or 1.0
    return [(offset, 100 * percent / last) for offset, percent in knots]


def interpolate(knots: list[Step], offset: float) -> float:
    """The percent of an offset."""
    for (a, low), (b, high) in pairwise(knots):
        if offset <= b:
            return round(low + (high - low) * max(0.0, offset - a) / (b - a), 3)
    return 100.0


def invert(knots: list[Step], percent: float) -> float:
    """The offset that lies at a percent."""
    for (a, low), (b, high) in pairwise(knots):
        if percent <= high and high > low:
            return a + (b - a) * (percent - low) / (high - low)
    return knots[-1][0]


def lay_out(timeline: Timeline, wanted: Mapping[str, str]) -> dict[str, Any]:
    """The rows to draw: workflow tasks hidden unless they failed, filters applied, the middle of very many left out."""
    rows = [row for row in timeline.rows if is_shown(row, wanted)]
    hidden = 0
    if len(rows) > SHOWN and not wanted.get("all"):
        hidden = len(rows) - SHOWN
        rows = [*rows[: SHOWN // 2], None, *rows[-SHOWN // 2 :]]  # type: ignore[list-item]
    kinds = sorted({row.kind for row in timeline.rows})
    return {"rows": rows, "hidden": hidden, "kinds": kinds}


def is_shown(row: Row, wanted: Mapping[str, str]) -> bool:
    """Whether a row passes the filters: `kind`, `only` (failed, pending) and `find` (a part of its texts)."""
    if wanted.get("kind"):
        passes = row.kind == wanted["kind"]
    else:
        passes = row.kind != "task" or row.state in ("failed", "timed_out")
    match wanted.get("only"):
        case "failed":
            passes = passes and row.state in ("failed", "timed_out", "terminated")
        case "pending":
            passes = passes and row.is_open
    text = wanted.get("find", "").casefold()
    return passes and (not text or text in f"{row.label} {row.summary} {row.sender}".casefold())
