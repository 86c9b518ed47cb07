"""Two runs beside each other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse

from wippy_console import permissions
from wippy_console.services import comparing, imported
from wippy_console.services.comparing import FILE, Pair, Side
from wippy_console.services.timeline import Row
from wippy_console.views.differences import Line, unified
from wippy_console.views.pages import choice, needs, number, page

PAGE = 100
LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A pair, and the lines in which its values differ."""

    pair: Pair
    inputs: list[Line]
    outputs: list[Line]


@needs(permissions.VIEW_RUN)
def show(request: HttpRequest) -> HttpResponse:
    """The comparison, or what to compare with."""
    names = [request.GET.get(name, "").strip() for name in ("a", "b")]
    context: dict[str, Any] = {"files": imported.listed(request.user)}
    if not names[0]:
        return page(request, "compare/choose.html", context)
    a = comparing.side(request.user, names[0])
    if not names[1]:
        alike = comparing.candidates(request.user, a.run) if a.run else []
        return page(request, "compare/choose.html", {**context, "a": a, "candidates": alike})
    b = comparing.side(request.user, names[1])
    return page(request, "compare/compare.html", compared(request, a, b))


def compared(request: HttpRequest, a: Side, b: Side) -> dict[str, Any]:
    """The steps of both, a page of them, with what differs."""
    pairs = comparing.align(a.rows, b.rows, a.prints, b.prints)
    first = comparing.first_difference(pairs)
    only = choice(request, "only", ("", "different"))
    listed = [pair for pair in pairs if pair.differs] if only else pairs
    after = number(request.GET.get("after")) or 0
    some = comparing.opened(a, b, listed[after : after + PAGE])
    return {
        "a": a,
        "b": b,
        "same_entry": a.about.entry_id == b.about.entry_id,
        "rows": [shown(pair) for pair in some],
        "first": first,
        "first_page": first.index // PAGE * PAGE if first else 0,
        "only": only,
        "total": len(pairs),
        "different": sum(bool(pair.differs) for pair in pairs),
        "previous": max(0, after - PAGE) if after else None,
        "next": after + PAGE if after + PAGE < len(listed) else None,
        "file": FILE,
    }


def shown(pair: Pair) -> Shown:
    """The pair with the lines that differ."""
    if pair.a is None or pair.b is None or not pair.differs:
        return Shown(pair, [], [])
    if pair.row.kind == "workflow":
        return Shown(pair, unified(text(pair.a.input), text(pair.b.input)), [])
    inputs = unified(text(pair.a.input), text(pair.b.input)) if "input" in pair.differs else []
    return Shown(pair, inputs, unified(outcome(pair.a), outcome(pair.b)))


def outcome(row: Row) -> str:
    """What came of it, in lines."""
    if row.failure:
        return f"{row.failure.kind}: {row.failure.message}"
    return "" if row.output is None else text(row.output)


def text(value: Any) -> str:
    """A value in lines; a long one is cut."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=str)[:LONGEST]
