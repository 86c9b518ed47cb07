"""Where a timeline's rows lie on the picture: idle gaps collapse, so that seconds stay visible beside days."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nlargest
from itertools import pairwise, zip_longest

from django.utils import timezone

from wippy_console.services.timeline.values import Timeline

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

MOST_GAPS = 40
"""Of more collapsed stretches the longest ones: with so many, none of the others would be seen."""

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
        knots, gaps = scale(steps, collapsed(steps, merged(working(timeline, whole))), lasts=timeline.ended is None)
        return cls(timeline.began, ended, timeline.ended is None, knots, gaps)

    def at(self, moment: datetime) -> float:
        """The percent at which `moment` lies."""
        return interpolate(self.knots, milliseconds(moment - self.began))

    def knots_json(self) -> str:
        """The knots for timeline.js, which lays the picture out anew as time goes on."""
        return json.dumps(self.knots)

    def ticks(self) -> list[tuple[float, float]]:
        """A few labels as (percent, seconds since the beginning)."""
        hidden = [(low, high) for low, high, _ in self.gaps]
        places = (0, 25, 50, 75) if self.is_open else (0, 25, 50, 75, 100)  # the end of an open run is now
        outside = [each for each in places if not any(low < each < high for low, high in hidden)]
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


def merged(work: list[Step]) -> list[Step]:
    """The same time as stretches that do not touch, in order."""
    found: list[Step] = []
    for low, high in sorted(work):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        elif high > low:
            found.append((low, high))
    return found


def collapsed(steps: list[Step], work: list[Step]) -> set[Step]:
    """The steps that are idle and so long that what happens around them could not be seen."""
    idle, at = [], 0
    for a, b in steps:
        while at < len(work) and work[at][1] <= a:
            at += 1
        if at == len(work) or work[at][0] >= b:
            idle.append((a, b))
    worked = sum(b - a for a, b in steps) - sum(b - a for a, b in idle)
    long = [(a, b) for a, b in idle if b - a > max(SHORTEST_GAP, LONG_GAP * worked)] if len(steps) > 1 else []
    return set(nlargest(MOST_GAPS, long, key=lambda step: step[1] - step[0]))


def scale(steps: list[Step], long: set[Step], *, lasts: bool) -> tuple[list[Step], list[tuple[float, float, float]]]:
    """Knots where the scale changes, and collapsed gaps. `lasts`: the last step goes on until now."""
    shares = dict.fromkeys(long, GAP_SHARE)
    if lasts and steps and steps[-1] in long:
        shares[steps[-1]] = OPEN_SHARE
    crowd = max(1.0, sum(shares.values()) / 0.7)
    short = sum(b - a for a, b in steps if (a, b) not in long)
    room = 1.0 - sum(shares.values()) / crowd
    knots, gaps, percent = [(0.0, 0.0)], [], 0.0
    for (a, b), step in zip_longest(steps, steps[1:]):
        share = shares.get((a, b), 0.0) / crowd or room * (b - a) / (short or 1.0)
        if (a, b) in long:
            gaps.append((percent, percent + 100 * share, (b - a) / 1000))
        percent += 100 * share
        if step is None or (a, b) in long or step in long:
            knots.append((b, percent))
    return full(knots), gaps


def full(knots: list[Step]) -> list[Step]:
    """The knots stretched to the whole picture, which collapsed gaps alone do not fill."""
    last = knots[-1][1] or 1.0
    return [(offset, 100 * percent / last) for offset, percent in knots]


def interpolate(knots: list[Step], offset: float) -> float:
    """The percent of an offset."""
    index = bisect_left(knots, offset, key=lambda knot: knot[0])
    if index == len(knots):
        return 100.0
    (a, low), (b, high) = knots[max(index - 1, 0)], knots[index]
    return round(low + (high - low) * max(0.0, offset - a) / (b - a), 3) if b > a else round(high, 3)


def invert(knots: list[Step], percent: float) -> float:
    """The offset that lies at a percent."""
    for (a, low), (b, high) in pairwise(knots):
        if percent <= high and high > low:
            return a + (b - a) * (percent - low) / (high - low)
    return knots[-1][0]
