"""How a question ended that nobody answered in the console, as far as a step or the end of its run tells."""

from __future__ import annotations

from collections.abc import Container

from engine.hosts.temporal.observations import Observation
from wippy_console.models import Question, Run
from wippy_console.services.questions import answered_by

Outcome = tuple[str, str]
"""A `Question.Outcome` and a sentence."""

_ENDS = {
    Run.Status.COMPLETED: "The run completed without an answer.",
    Run.Status.FAILED: "The run failed.",
    Run.Status.CANCELED: "The run was canceled.",
    Run.Status.TERMINATED: "The run was terminated.",
    Run.Status.TIMED_OUT: "The run timed out.",
    Run.Status.CONTINUED_AS_NEW: "The run continued as a new one.",
}


def by_step(question: Question, seen: Observation, listened: Container[str]) -> Outcome | None:
    """How it ended in a step after which the run asks it no more; None where the run's end will tell."""
    if answered_by(seen.topics, question, listened):
        return Question.Outcome.ELSEWHERE, ""
    if question.deadline is not None and seen.at >= question.deadline:
        return Question.Outcome.EXPIRED, ""
    if seen.status == "closing" and not question.outcome:
        return None
    return Question.Outcome.WITHDRAWN, "The run went on another way."


def in_full(question: Question, outcome: Outcome) -> Outcome:
    """The same, of a question whose last answer the run took and refused: nobody else gave it."""
    if question.outcome_text and outcome[0] == Question.Outcome.ELSEWHERE:
        return Question.Outcome.WITHDRAWN, question.outcome_text
    return outcome


def by_end(question: Question, run: Run) -> Outcome:
    """How it ended with its run."""
    expired = run.status in (Run.Status.COMPLETED, Run.Status.FAILED) and _passed(question, run)
    return (Question.Outcome.EXPIRED, "") if expired else (Question.Outcome.WITHDRAWN, _ENDS[Run.Status(run.status)])


def _passed(question: Question, run: Run) -> bool:
    return question.deadline is not None and run.closed_at is not None and run.closed_at >= question.deadline
