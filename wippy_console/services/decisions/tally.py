"""How the votes on a question stand."""

from __future__ import annotations

from dataclasses import dataclass

from wippy_console.models import Question
from wippy_console.services import questions
from wippy_console.services.decisions.voting import needed_for


@dataclass(frozen=True, slots=True)
class Tally:
    """An answer that is counted, with the votes that it has and needs."""

    label: str
    tone: str
    given: int
    needed: int


def tally(question: Question) -> list[Tally]:
    """The answers that votes are counted for, in their order; none where the first answer decides."""
    signals, votes = questions.of(question), list(question.votes.all())
    counted = [(signal, needed_for(signal, signals)) for signal in signals]
    return [
        Tally(signal.label, signal.tone, sum(vote.index == signal.index for vote in votes), needed)
        for signal, needed in counted
        if needed
    ]
