"""Whether a run still waits for an answer, and who was faster when it does not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

from wippy_console.models import Decision, Question, Run
from wippy_console.services.decisions.values import Button
from wippy_console.services.errors import Conflict, NotFoundError

INBOX = ""


def open_questions(run: Run) -> list[Question]:
    """What the run waits for now."""
    return list(run.questions.filter(closed_at__isnull=True).prefetch_related("decisions__user"))


def question_of(button: Button, questions: Iterable[Question]) -> Question | None:
    """The open question that the button answers: a listener of its topic takes the message before the inbox does."""
    by_channel = {question.channel: question for question in questions}
    return by_channel.get(button.topic) or by_channel.get(INBOX)


def chosen(run: Run, button: Button, question_id: int | None) -> Question:
    """The question named by the form (or the open one) that this button may answer; Conflict when it is over."""
    if question_id is None:
        question = question_of(button, open_questions(run))
    else:
        question = run.questions.filter(pk=question_id).first()
        if question is None:
            raise NotFoundError(f"Run {run.run_id} never asked question {question_id}.")
    if question is None or question.channel not in (INBOX, button.topic):
        raise Conflict(ended(run) or f"The run does not wait for {button.topic!r} now.")
    refuse_over(question, run)
    return question


def refuse_over(question: Question, run: Run) -> None:
    """Raise Conflict, naming the winner, the expiry or the end, when nobody can answer any more."""
    refuse_answered(question)
    if over(question, run):
        raise Conflict(over(question, run))


def over(question: Question, run: Run) -> str:
    """Why nobody can answer any more, in words; "" while somebody can."""
    why = expired(question) or ended(run)
    if not why and question.closed_at is not None:
        return f"The run stopped waiting for this at {spoken(question.closed_at)}."
    return why


def refuse_answered(question: Question) -> None:
    """Raise Conflict naming who answered, and what."""
    answer = answer_of(question)
    if answer is not None:
        raise Conflict(answered(answer))


def answer_of(question: Question) -> Decision | None:
    """The decision that stands on the question, sent or on its way."""
    standing = [item for item in question.decisions.all() if item.state != Decision.State.FAILED]
    return standing[0] if standing else None


def answered(answer: Decision) -> str:
    """The winner in words."""
    who, when = answer.user.get_username(), spoken(answer.created_at)
    return f"{who} already answered: {answer.label or answer.topic}, at {when}."


def expired(question: Question) -> str:
    """When the time to answer ended, in words; "" while there is time."""
    end = question.closed_at or timezone.now()
    if question.deadline is None or end < question.deadline:
        return ""
    return f"The time to answer ended at {spoken(question.deadline)}."


def ended(run: Run) -> str:
    """When the run ended, in words; "" while it is open."""
    if run.is_open:
        return ""
    when = f" at {spoken(run.closed_at)}" if run.closed_at else ""
    return f"The run has ended ({run.get_status_display().lower()}){when}."


def spoken(at: datetime) -> str:
    """The moment in the viewer's zone, with the zone."""
    return date_format(timezone.localtime(at), "Y-m-d H:i:s T")
