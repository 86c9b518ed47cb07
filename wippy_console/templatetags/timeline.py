"""Pictures of timeline rows: SVG whose lengths are percents, so that no inline style is needed."""

from __future__ import annotations

import json
from datetime import datetime

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import now

from wippy_console.services.timeline import Axis, Loop, Row
from wippy_console.templatetags import console, looks

register = template.Library()
MIDDLE = "50%"
"""The vertical middle of a row's picture, however high it is."""

MODULES = sorted(path.name for path in (settings.STATICFILES_DIRS[0] / "timeline").glob("*.js"))

CAPS = {
    "completed": "check",
    "failed": "x",
    "timed_out": "alarm-clock",
    "canceled": "ban",
    "terminated": "x",
    "fired": "check",
}


@register.filter
def epoch(at: datetime) -> int:
    """Milliseconds since 1970, as JavaScript counts."""
    return int(at.timestamp() * 1000)


@register.simple_tag
def timeline_modules() -> list[str]:
    """The addresses of the timeline's modules, to be fetched at once and not one after the other as they are found."""
    return [static(f"timeline/{name}") for name in MODULES]


@register.simple_tag
def timeline_looks() -> str:
    """The icons, words and tones of kinds and states, for the browser that draws rows itself."""
    families = {name: looks.FAMILIES[family] for name, family in (("kinds", "kind"), ("states", "row"))}
    return json.dumps(
        {
            name: {key: [each.icon, each.word, each.tone] for key, each in found.items()}
            for name, found in families.items()
        }
    )


@register.filter
def row_look(row: Row | Loop) -> looks.Look:
    """A row's state; a question that waits is not just waiting, it waits for a person."""
    if row.kind == "question":
        return looks.Look("hand", "Waiting" if row.is_open else "Answered", "wait")
    if row.kind == "timer" and row.is_open:
        return looks.Look("timer", "Ticking", "run")
    return looks.find("row", row.state)


@register.simple_tag
def row_status(row: Row | Loop) -> SafeString:
    """A row's state as icon, word and colour."""
    return console.status(row_look(row))


@register.simple_tag
def row_tone(row: Row | Loop) -> str:
    """The colour of a row's bar: by its end, else by its kind."""
    if row.kind in ("signal", "update", "question"):
        return "wait"
    return row_look(row).tone


@register.simple_tag
def row_icon(row: Row | Loop) -> SafeString:
    """The icon of a row's kind, with the kind as a word for screen readers and on hover."""
    look = looks.find("kind", row.kind)
    return format_html(
        '<span class="tl-kind" title="{}">{}<span class="sr">{}</span></span>',
        look.word,
        console.icon(look.icon),
        look.word,
    )


@register.simple_tag
def row_picture(row: Row | Loop, axis: Axis) -> SafeString:
    """The row's bar, diamond or hollow bar on the axis; decoration, since the words beside it say the same."""
    parts = diamond(row, axis) if row.is_moment else bars(row, axis)
    return format_html('<svg class="tl-track" aria-hidden="true" focusable="false">{}</svg>', joined(parts))


def joined(parts: list[SafeString]) -> SafeString:
    """The parts one after the other."""
    return format_html_join("", "{}", ((part,) for part in parts))


def bars(row: Row | Loop, axis: Axis) -> list[SafeString]:
    """Pale while queued, solid while at work, dashed to now while open, and a cap at the end."""
    end = row.end or (now() if axis.is_open else axis.ended)
    begun = row.started or (end if row.state == "scheduled" else row.start)
    parts = [line("tl-queued", axis, row.start, begun)] if begun > row.start else []
    if row.state != "scheduled":
        parts.append(line(shape(row), axis, begun, end, follows=row.is_open))
    if row.kind == "timer":
        parts.append(line("tl-hole", axis, begun, end, follows=row.is_open))
    return [*parts, cap(row, axis)] if row.end else parts


def shape(row: Row | Loop) -> str:
    """The class of a row's main line."""
    if row.kind == "timer":
        return "tl-bar tl-timer"
    return "tl-bar tl-pending" if row.is_open else "tl-bar"


def line(kind: str, axis: Axis, begin: datetime, end: datetime, *, follows: bool = False) -> SafeString:
    """One stroke; `data-b` "now" makes timeline.js move its end."""
    return format_html(
        '<line class="{}" y1="{y}" y2="{y}" x1="{}%" x2="{}%" data-a="{}" data-b="{}"/>',
        kind, axis.at(begin), axis.at(end), epoch(begin), "now" if follows else epoch(end), y=MIDDLE,
    )  # fmt: skip


def cap(row: Row | Loop, axis: Axis) -> SafeString:
    """A round end with an icon for how it went."""
    if row.state not in CAPS or row.end is None:
        return SafeString()
    return format_html(
        '<svg class="tl-cap" x="{}%" y="{}" data-a="{}" overflow="visible"><circle r="7"/>'
        '<use href="{}#{}" x="-4.5" y="-4.5" width="9" height="9"/></svg>',
        axis.at(row.end), MIDDLE, epoch(row.end), static("icons.svg"), CAPS[row.state],
    )  # fmt: skip


def diamond(row: Row | Loop, axis: Axis) -> list[SafeString]:
    """A moment."""
    return [
        format_html(
            '<svg class="tl-diamond" x="{}%" y="{}" data-a="{}" overflow="visible"><path d="M0-7 7 0 0 7-7 0z"/></svg>',
            axis.at(row.start), MIDDLE, epoch(row.start),
        )
    ]  # fmt: skip
