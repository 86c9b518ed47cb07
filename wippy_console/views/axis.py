"""Where a timeline's rows lie on the picture: idle gaps collapse, so that seconds stay visible beside days."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.utils import timezone

from wippy_console.services.timeline import Row, Timeline

GAP_SHARE = 0.1
"""How much of the picture a collapsed gap takes."""

LONG_GAP = 4.0
"""A stretch without any event collapses when it is longer than so many times everything else together."""

SHOWN = 400
"""More rows than this are cut in the middle: the two ends come first."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A piecewise linear map from time to percent: `knots` are (milliseconds since `began`, percent)."""

    began: datetime
    ended: datetime
    is_open: bool
    knots: list[tuple[float, float]]
    gaps: list[tuple[float, float, float]]
    """Collapsed stretches as (left percent, right percent, seconds)."""

    @classmethod
    def of(cls, timeline: Timeline) -> Axis:
        """The axis over all moments at which something happened."""
        ended = timeline.ended or max(timezone.now(), timeline.began + timedelta(milliseconds=1))
        moments = sorted({0.0, milliseconds(ended - timeline.began), *offsets(timeline)})
        knots, gaps = scale(moments)
        return cls(timeline.began, ended, timeline.ended is None, knots, gaps)

    def at(self, moment: datetime) -> float:
        """The percent at which `moment` lies."""
        return interpolate(self.knots, milliseconds(moment - self.began))

    def knots_json(self) -> str:
        """The knots for timeline.js, which lays the picture out anew as time goes on."""
        return json.dumps(self.knots)

    def ticks(self) -> list[tuple[float, float]]:
        """A few labels as (percent, seconds since the beginning)."""
        outside = [each for each in (0, 25, 50, 75, 100) if not any(low < each < high for low, high, _ in self.gaps)]
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


def scale(moments: list[float]) -> tuple[list[tuple[float, float]], list[tuple[float, float, float]]]:
    """Knots and collapsed gaps for sorted moments."""
    steps = [(a, b) for a, b in pairwise(moments) if b > a]
    total = sum(b - a for a, b in steps) or 1.0
    long = {(a, b) for a, b in steps if b - a > LONG_GAP * (total - (b - a)) and len(steps) > 1}
    long = long or crowded(steps, total)
    short = sum(b - a for a, b in steps if (a, b) not in long) or 1.0
    room = 100 * (1 - GAP_SHARE * len(long))
    knots, gaps, percent = [(0.0, 0.0)], [], 0.0
    for a, b in steps:
        width = 100 * GAP_SHARE if (a, b) in long else room * (b - a) / short
        if (a, b) in long:
            gaps.append((percent, percent + width, (b - a) / 1000))
        percent += width
        knots.append((b, percent))
    return knots, gaps


def crowded(steps: list[tuple[float, float]], total: float) -> set[tuple[float, float]]:
    """The few stretches that fill nearly everything together, as a run of several long sleeps has them."""
    longest = sorted(steps, key=lambda step: step[0] - step[1])[:4]
    for count in range(2, len(longest) + 1):
        chosen = longest[:count]
        span = sum(b - a for a, b in chosen)
        if len(steps) > count and span > LONG_GAP * (total - span) and chosen[-1][1] - chosen[-1][0] > total * 0.1:
            return set(chosen)
    return set()


def interpolate(knots: list[tuple[float, float]], offset: float) -> float:
    """The percent of an offset."""
    for (a, low), (b, high) in pairwise(knots):
        if offset <= b:
            return round(low + (high - low) * max(0.0, offset - a) / (b - a), 3)
    return 100.0


def invert(knots: list[tuple[float, float]], percent: float) -> float:
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
