"""What a row says it did, beside its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wippy_console.services import summaries
from wippy_console.services.timeline.drafts import Draft

Tell = Callable[[str, Sequence[Any] | None], str]
"""The line of a call by what is called and its arguments."""


def plain(_label: str, arguments: Sequence[Any] | None) -> str:
    """By the arguments alone."""
    return summaries.telling(arguments)


def summary(draft: Draft, tell: Tell) -> str:
    """The row's line: what its arguments tell, and which other run it is about."""
    match draft.kind:
        case "activity" | "update" | "signal":
            return tell(draft.label, draft.input)
        case "workflow":
            return tell(draft.label, draft.input) if draft.input else ""
        case "local" | "exit":  # the marker has no arguments
            return "" if draft.output is None else summaries.telling([draft.output])
        case "child" | "external":
            other = draft.child[0] if draft.child else ""
            return " · ".join(filter(None, [tell(draft.label, draft.input), other]))
        case _:
            return ""
