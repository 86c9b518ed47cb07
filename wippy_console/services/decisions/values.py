"""A declared signal, as one user sees it on one run."""

from __future__ import annotations

from dataclasses import dataclass

from wippy_console.models import Question
from wippy_console.services.questions import Signal


@dataclass(frozen=True, slots=True)
class Button:
    """A signal with the open question that it would answer now; `why_not` says why the user can't send it."""

    signal: Signal
    question: Question | None = None
    why_not: str = ""

    @property
    def enabled(self) -> bool:
        """Whether the user can send it now."""
        return not self.why_not
