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
from wippy_console.services.questions.signals import Signal, of, signals_of

ANSWERING = (Decision.State.PENDING, Decision.State.SENT)
"""A decision in one of these states answers its question, even before the run has taken it."""


def answered() -> Exists:
    """The condition that somebody answered a question in the console, for queries of questions."""
    return Exists(Decision.objects.filter(question=OuterRef("pk"), state__in=ANSWERING))


def answer_of(question: Question) -> Decision | None:
    """The decision that answers the question, sent or on its way."""
    return answer_among(question.decisions.all(), question)


def answer_among(decisions: Iterable[Decision], question: Question) -> Decision | None:
    """The same among decisions of the run that were read before."""
    return next((each for each in decisions if each.question_id == question.pk and each.state in ANSWERING), None)


def answers_among(decisions: Iterable[Decision]) -> dict[int, Decision]:
    """The same of all questions, by their keys."""
    found: dict[int, Decision] = {}
    for each in decisions:
        if each.question_id is not None and each.state in ANSWERING:
            found.setdefault(each.question_id, each)
    return found


def open_questions(run: Run) -> list[Question]:
    """What the run waits for now."""
    return list(run.questions.filter(closed_at__isnull=True).prefetch_related("decisions__user"))


def chosen(run: Run, index: int, question_id: int | None) -> tuple[Question, Signal]:
    """The question named by the form, else the open one, that takes the answer of that index now, and that answer.

    NotFoundError; Conflict when it is over, or has no such answer.
    """
    open_now = open_questions(run) if question_id is None else _asked_by(run, question_id)
    found = [(each, signal) for each in open_now for signal in of(each) if signal.index == index]
    known = [signal for _, signal in found] or [signal for signal in signals_of(run) if signal.index == index]
    if not known:
        raise NotFoundError(f"{run.entry_id} declares no signal number {index}.")
    if not found or question_for(found[0][1].topic, run, [found[0][0]]) is None:
        refuse_ended(run)
        raise Conflict(f"The run does not wait for {known[0].topic!r} now.")
    refuse_over(found[0][0], run)
    return found[0]


def asked_anew(run: Run, question_id: int | None) -> list[Question]:
    """What the run asks now if it refused the answer to that question: the form for that one may be sent again."""
    refused = Decision.objects.filter(
        question=question_id, question__closed_at__isnull=False, run=run, via="update", state=Decision.State.FAILED
    )
    return open_questions(run) if question_id is not None and run.is_open and refused.exists() else []


def _asked_by(run: Run, question_id: int) -> list[Question]:
    return asked_anew(run, question_id) or [_named(run, question_id)]


def _named(run: Run, question_id: int) -> Question:
    question = run.questions.filter(pk=question_id).first()
    if question is None:
        raise NotFoundError(f"Run {run.run_id} never asked question {question_id}.")
    refuse_over(question, run)
    return question


def refuse_over(question: Question, run: Run) -> None:
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
    """Raise RunEnded, saying when and how, and what became of what it asked last."""
    if why := why_ended(run):
        last = run.questions.exclude(closed_at=None).order_by("-closed_at", "-pk").first()
        raise RunEnded(f"{why} {why_answered(answer)}" if last and (answer := answer_of(last)) else why)


def why_over(question: Question, run: Run) -> str:
    """Why nobody can answer any more, in words; "" while somebody can."""
    if question.closed_at is not None:
        return outcome_of(question)
    return why_expired(question) or why_ended(run)


def why_deaf(question: Question, run: Run) -> str:
    """Why the run takes no answer to it any more, whoever gave one, in words; "" while it may."""
    why = why_expired(question) or why_ended(run)
    if why or question.closed_at is None:
        return why
    return f"The run stopped waiting for this at {_spoken(question.closed_at)}."


def outcome_of(question: Question) -> str:
    """How it ended, in words; "" while it is open."""
    answer = answer_of(question)
    if answer is not None and question.outcome in (Question.Outcome.ANSWERED, Question.Outcome.DEFAULTED):
        return why_answered(answer)
    if question.closed_at is None:
        return ""
    when = _spoken(question.closed_at)
    match question.outcome:
        case Question.Outcome.EXPIRED:
            return f"The time to answer ended at {_spoken(question.deadline or question.closed_at)}."
        case Question.Outcome.ELSEWHERE:
            return f"Another client answered at {when}."
        case Question.Outcome.WITHDRAWN:
            return f"{question.outcome_text or 'The run stopped waiting for this.'} ({when})"
        case _:
            return f"The run stopped waiting for this at {when}."


def why_answered(answer: Decision) -> str:
    """The winner in words."""
    who, when = answer.guest or answer.user.get_username(), _spoken(answer.created_at)
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
