"""The timeline as JSON data: what the browser draws, in the words and looks of the page's own templates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone

from wippy_console.models import Run
from wippy_console.services.timeline import Axis, Changes, Loop, Row, Timeline
from wippy_console.templatetags import looks
from wippy_console.templatetags.timeline import row_look, row_tone

LONGEST = 200
"""Characters of a text in a row; the row's detail has all of it."""


def head(run: Run, drawn: Timeline) -> dict[str, Any]:
    """Everything but the rows; times in milliseconds since 1970."""
    axis = Axis.of(drawn)
    return {
        "events": drawn.events_total,
        "open": run.is_open,
        "began": ms(drawn.began),
        "ended": ms(drawn.ended),
        "now": ms(timezone.now()),
        "state": state(run),
        "knots": [[round(offset), round(percent, 3)] for offset, percent in axis.knots],
        "gaps": [[round(low, 3), round(high, 3), round(seconds, 3)] for low, high, seconds in axis.gaps],
    }


def state(run: Run) -> dict[str, Any]:
    """How the run stands, by the one rule of `states`."""
    found = looks.state_of(run)
    look = looks.RUN[found.key]
    text = f"attempt {found.attempt}: {found.error}" if found.attempt else found.reason or found.error
    return {
        "key": found.key,
        "word": look.word,
        "icon": look.icon,
        "tone": look.tone,
        "text": cut(text),
        "next": ms(found.next_at or found.until),
    }


def changes(found: Changes, titles: Mapping[str, str]) -> dict[str, Any]:
    """What a reader has to put in place of what it has."""
    rows = [row(each, titles) for each in found.rows] + [loop(each, titles) for each in found.loops]
    return {"cursor": found.cursor, "whole": found.whole, "rows": [*map(said, rows)], "gone": []}


def whole(drawn: Timeline, titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """All rows and loops of a timeline."""
    return [said(row(each, titles)) for each in drawn.rows] + [said(loop(each, titles)) for each in drawn.loops]


def said(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value}


def loop(found: Loop, titles: Mapping[str, str]) -> dict[str, Any]:
    """A loop as the row that stands for it."""
    return {
        "id": f"L{found.first}",
        "kind": "loop",
        "label": cut(titles.get(found.label) or found.label),
        "summary": cut(found.summary),
        "state": found.state,
        "word": looks.find("row", found.state).word,
        "tone": row_tone(found),
        "icon": looks.find("kind", found.kind).icon,
        "start": ms(found.start),
        "started": ms(found.started),
        "end": ms(found.end),
        "order": found.members[0].order,
        "count": found.count,
        "failed": found.failed,
        "running": found.running,
        "min": rounded(found.shortest),
        "median": rounded(found.median),
        "max": rounded(found.longest),
    }


def rounded(milliseconds: float | None) -> int | None:
    """Whole milliseconds."""
    return None if milliseconds is None else round(milliseconds)


def row(found: Row, titles: Mapping[str, str]) -> dict[str, Any]:
    """One of them."""
    look = row_look(found)
    return {
        "id": found.id,
        "kind": found.kind,
        "lane": "human" if found.lane == "human" else "",
        "label": cut(titles.get(found.label) or found.label),
        "entry": cut(found.label) if titles.get(found.label) else "",
        "summary": cut(found.summary),
        "state": found.state,
        "word": look.word,
        "tone": row_tone(found),
        "icon": looks.find("kind", found.kind).icon,
        "attempt": found.attempt if found.attempt > 1 else 0,
        "start": ms(found.start),
        "started": ms(found.started),
        "end": ms(found.end),
        "deadline": ms(found.deadline),
        "from": cut(found.sender),
        "failure": cut(found.failure.message) if found.failure else "",
        "child": list(found.child) if found.child else None,
        "href": href(found),
        "loop": f"L{found.loop}" if found.loop else "",
        "own": found.own,
        "order": found.order,
    }


def href(found: Row) -> str:
    """The page of what the row is about, "" for what has none of its own."""
    if found.question is not None:
        return reverse("question", args=(found.question.pk,))
    if found.kind == "child" and found.child and all(found.child):
        return reverse("run", args=found.child)
    return ""


def ms(at: datetime | None) -> int | None:
    """A moment in milliseconds since 1970."""
    return None if at is None else int(at.timestamp() * 1000)


def cut(text: str) -> str:
    """A text that is not longer than a row can show."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
