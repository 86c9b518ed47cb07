"""Reads `meta.notify`: whom an author wants to be told of what, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STARTER, ASSIGNEE, CANDIDATES = "starter", "assignee", "candidates"
ASKED, DUE_SOON, OVERDUE, ESCALATED = "asked", "due_soon", "overdue", "escalated"
ASSIGNED, MENTIONED, FAILED, EXIT = "assigned", "mentioned", "failed", "exit"
TEST = "test"

KINDS: dict[str, str] = {
    ASKED: "A question that I may answer is asked",
    ASSIGNED: "A question is given to me",
    MENTIONED: "Somebody mentions me in a comment",
    DUE_SOON: "A question that I may answer is due soon",
    OVERDUE: "A question that I may answer is overdue",
    ESCALATED: "A question that I may answer was escalated",
    FAILED: "A run that I started failed",
    EXIT: "A run that I started ended",
}
"""What people are told of, in words of the page of preferences."""

OF_RUNS = (FAILED, EXIT)
METHODS = ("email", "chat", "webhook", "browser")
_USUAL_OF_RUNS, _USUAL_OF_QUESTIONS = (STARTER,), (CANDIDATES,)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of it; without `how` it is each receiver's own choice."""

    who: tuple[str, ...]
    how: tuple[str, ...]


def rules_for(kind: str, declared: Any) -> list[Rule]:
    """The rules that speak of the kind. Left out, `when` is asked, and `who` the candidates, of runs the starter."""
    items = declared if isinstance(declared, list | tuple) else [declared]
    usual = _USUAL_OF_RUNS if kind in OF_RUNS else _USUAL_OF_QUESTIONS
    return [
        Rule(_texts(item, "who") or usual, tuple(each for each in _texts(item, "how") if each in METHODS))
        for item in items
        if isinstance(item, Mapping) and kind in (_texts(item, "when") or (ASKED,))
    ]


def _texts(item: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = item.get(name)
    listed = found if isinstance(found, list | tuple) else [found]
    return tuple(each for each in listed if isinstance(each, str) and each)
