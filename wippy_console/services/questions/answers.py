"""Whether a question is answered, by whom, and why nobody can answer it any more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.formats import date_format

from wippy_console.models import Decision, Question, Run
from wippy_console.services.errors import Conflict, NotFoundError, RunEnded
from wippy_console.services.questions.matching import question_for

ANSWERING = (Decision.State.PENDING, Decision.State.SENT)
"""A decision in one of these states answers its question, even before the run has taken it."""


def answered() -> Exists:
    """The condition that a question is answered, for queries of questions."""
    return Exists(Decision.objects.filter(question=OuterRef("pk"), state__in=ANSWERING))


def answer_of(question: Question) -> Decision | None:
    """The decision that answers the question, sent or on its way."""
    return answer_among(question.decisions.all(), question)


def answer_among(decisions: Iterable[Decision], question: Question) -> Decision | None:
    """The same among decisions of the run that were read before."""
    return next((each for each in decisions if each.question_id == question.pk and each.state in ANSWERING), None)


def open_questions(run: Run) -> list[Question]:
    """What the run waits for now."""
    return list(run.questions.filter(closed_at__isnull=True).prefetch_related("decisions__user"))


def chosen(run: Run, topic: str, question_id: int | None) -> Question:
    """The question named by the form, else the open one, that a message on the topic answers now.

    NotFoundError; Conflict when it is over, or takes no such message.
    """
    questions = open_questions(run) if question_id is None else [_named(run, question_id)]
    question = question_for(topic, run, questions)
    if question is None:
        refuse_ended(run)
        raise Conflict(f"The run does not wait for {topic!r} now.")
    _refuse_over(question, run)
    return question


def _named(run: Run, question_id: int) -> Question:
    question = run.questions.filter(pk=question_id).first()
    if question is None:
        raise NotFoundError(f"Run {run.run_id} never asked question {question_id}.")
    _refuse_over(question, run)
    return question


def _refuse_over(question: Question, run: Run) -> None:
    """Raise Conflict, naming the winner, the expiry or the end, when nobody can answer any more."""
    refuse_answered(question)
    if why := why_over(question, run):
        raise Conflict(why)


def refuse_answered(question: Question) -> None:
    """Raise Conflict naming who answered, and what."""
    answer = answer_of(question)
    if answer is not None:
        raise Conflict(why_answered(answer))


def refuse_ended(run: Run) -> None:
    """Raise RunEnded, saying when and how."""
    if why := why_ended(run):
        raise RunEnded(why)


def why_over(question: Question, run: Run) -> str:
    """Why nobody can answer any more, in words; "" while somebody can."""
    why = why_expired(question) or why_ended(run)
    if not why and question.closed_at is not None:
        return f"The run stopped waiting for this at {_spoken(question.closed_at)}."
    return why


def why_answered(answer: Decision) -> str:
    """The winner in words."""
    who, when = answer.user.get_username(), _spoken(answer.created_at)
    return f"{who} already answered: {answer.label or answer.topic}, at {when}."


def why_expired(question: Question) -> str:
    """When the time to answer ended, in words; "" while there is time."""
    if question.deadline is None or not is_expired(question):
        return ""
    return f"The time to answer ended at {_spoken(question.deadline)}."


def is_expired(question: Question) -> bool:
    """Whether the time to answer ended before the question was closed."""
    end = question.closed_at or timezone.now()
    return question.deadline is not None and end >= question.deadline


def why_ended(run: Run) -> str:
    """When the run ended, in words; "" while it is open."""
    if run.is_open:
        return ""
    when = f" at {_spoken(run.closed_at)}" if run.closed_at else ""
    return f"The run has ended ({run.get_status_display().lower()}){when}."


def _spoken(at: datetime) -> str:
    """The moment in the viewer's zone, with the zone."""
    return date_format(timezone.localtime(at), "Y-m-d H:i:s T")
