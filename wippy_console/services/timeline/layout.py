"""Which rows a page draws: filters applied, loops as one, the middle of very many left out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from wippy_console.services.timeline.values import Loop, Row, Timeline

SHOWN = 100
"""More rows than this are cut in the middle: the two ends come first."""

NO_TITLES: Mapping[str, str] = MappingProxyType({})

FEWEST_LISTED = 1
"""So many rows of each loop are listed within it, more where there are few loops: `SHOWN` of all together."""


def lay_out(timeline: Timeline, wanted: Mapping[str, str], titles: Mapping[str, str] = NO_TITLES) -> dict[str, Any]:
    """The rows and loops to draw, in their order, with None where `hidden` ones are left out."""
    entries = folded(timeline, wanted, titles)
    hidden = max(0, len(entries) - SHOWN)
    if hidden:
        entries = [*entries[: SHOWN // 2], None, *entries[-SHOWN // 2 :]]
    kinds = sorted({row.kind for row in timeline.rows})
    loops = sum(isinstance(entry, Loop) for entry in entries)
    listed = f":{max(FEWEST_LISTED, SHOWN // max(loops, 1))}"
    return {"rows": entries, "hidden": hidden, "kinds": kinds, "total": len(timeline.rows), "listed": listed}


def folded(
    timeline: Timeline, wanted: Mapping[str, str], titles: Mapping[str, str] = NO_TITLES
) -> list[Row | Loop | None]:
    """The rows that pass; those of a loop as one, unless filters look for single ones; the newest first on demand."""
    shown = kept(timeline, wanted, titles)
    found: list[Row | Loop | None] = list(shown)
    if not any(wanted.get(name) for name in ("find", "kind", "only")):
        loops = {each.first: each for each in timeline.loops}
        found = [loops.get(row.id, row) for row in shown if row.loop in (0, row.id)]
    return found


def kept(timeline: Timeline, wanted: Mapping[str, str], titles: Mapping[str, str] = NO_TITLES) -> list[Row]:
    """The rows that pass the filters, in the order that is wanted."""
    found = [row for row in timeline.rows if is_shown(row, wanted, titles.get(row.label, ""))]
    return found[::-1] if wanted.get("order") == "desc" else found


def is_shown(row: Row, wanted: Mapping[str, str], title: str = "") -> bool:
    """Whether a row passes: `kind`, `only` (failed, pending), `find` (part of its texts); with `own` also own steps.

    static/timeline/outline.js decides the same.
    """
    if row.own and not wanted.get("own"):
        return False
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
    return passes and (not text or text in f"{title} {row.label} {row.summary} {row.sender}".casefold())
