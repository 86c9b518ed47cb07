"""What becomes of a question that nobody answers, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from wippy_console.models import Question
from wippy_console.services.questions.rights import escalation_of
from wippy_console.services.questions.signals import of


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens, or happened, at a time."""

    at: datetime
    text: str
    is_past: bool = False


def fates(question: Question) -> list[Fate]:
    """What happens to an open question by itself, the next first."""
    return sorted(_each(question), key=lambda fate: fate.at)


def _each(question: Question) -> Iterator[Fate]:
    group = escalation_of(question) or "others"
    if question.escalated_at is not None:
        yield Fate(question.escalated_at, f"{group} were asked as well, since nobody had answered", is_past=True)
    elif question.escalates_at is not None:
        yield Fate(question.escalates_at, f"{group} are asked as well")
    if question.due_at is not None:
        default = next((signal.label for signal in of(question) if signal.default), "")
        kept = default and "default" in question.options
        yield _answered(question.due_at, default) if kept else _due(question.due_at)
    if question.deadline is not None:
        yield Fate(question.deadline, "the run waits no longer and goes on by its own timer")
    if question.lapses_at is not None and question.assignee is not None:
        yield Fate(question.lapses_at, f"it is not {question.assignee.get_username()}'s any more")


def _answered(at: datetime, label: str) -> Fate:
    return Fate(at, f"“{label}” is answered by itself")


def _due(at: datetime) -> Fate:
    is_past = at <= timezone.now()
    return Fate(at, "it is overdue, and stays open" if is_past else "it is due, and stays open", is_past)
