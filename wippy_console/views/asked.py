"""What rows and sections of questions show besides their own columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import timezone

from wippy_console.models import Question
from wippy_console.services import decisions, questions
from wippy_console.services.decisions import Button

FEW_FACTS = 3


def shown(rows: Iterable[Question], user: Any) -> list[Any]:
    """Questions with what a row says of each: who has it, a few values of the input, the votes, how it ended."""
    return [with_words(row, user) for row in rows]


def with_words(question: Any, user: Any) -> Any:
    """The same for one."""
    question.holder = questions.holder(question)
    question.is_mine = question.holder is not None and questions.has(user, question)
    question.meant_for = questions.meant_for(question)
    question.is_late = question.nearest_at <= timezone.now()
    question.facts = [] if question.run.cut.get("input") else facts(question.run.input)
    question.tally = decisions.tally(question) if question.is_open else []
    question.has_voted = question.is_open and any(vote.user_id == user.pk for vote in question.votes.all())
    question.answer = None if question.is_open else questions.answer_of(question)
    return question


def facts(given: Any) -> list[tuple[str, Any]]:
    """The first few plain values of an input, by name: what tells one question from the next."""
    first = given[0] if isinstance(given, list) and given else None
    if not isinstance(first, dict):
        return [] if first is None else [("", first)]
    plain = [(name, value) for name, value in first.items() if isinstance(value, str | int | float) and value != ""]
    return [(name, value) for name, value in plain if not isinstance(value, bool)][:FEW_FACTS]


def sections(buttons: Sequence[Button], user: Any) -> list[Any]:
    """The open questions that the buttons answer, each with what its section shows."""
    asked = {button.question.pk: button.question for button in buttons if button.question is not None}
    return [section(question, user, buttons) for question in asked.values()]


def section(question: Question, user: Any, buttons: Sequence[Button]) -> Any:
    """The question with all that its section shows: its buttons, votes, who is asked, and what happens otherwise."""
    found: Any = with_words(question, user)
    found.buttons = [each for each in buttons if each.question == question]
    found.meant_why = questions.meant_why(question) if found.meant_for else ""
    found.is_postponed = question.follow_up_at is not None and question.follow_up_at > timezone.now()
    found.fates = questions.fates(question) if question.is_open else []
    found.may_answer = question.is_open and questions.may_answer(user, question)
    found.said = question.comments.count()
    found.cast = list(question.votes.select_related("user"))
    found.asked_of = dict.fromkeys(row.role or row.user or "every operator" for row in question.roles.all())
    return found
