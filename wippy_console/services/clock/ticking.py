"""One look at the rows: what is due is done, each in a transaction of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import Q
from django.utils import timezone

from wippy_console.models import Question, QuestionRole
from wippy_console.models.decisions import IS_OPEN, WILL_ESCALATE
from wippy_console.services import accounts, audit, decisions, feed, questions
from wippy_console.services.errors import Refused, Unavailable

logger = logging.getLogger(__name__)

_NOTED = {"escalated": audit.ESCALATE, "released": audit.RELEASE}
AT_ONCE = 100
"""Of each kind in one tick: the next ones wait a second."""


def tick(now: datetime | None = None) -> None:
    """Do what is due: escalate, let claims lapse, give answers that the due date gives."""
    at = now or timezone.now()
    _each(WILL_ESCALATE & Q(escalates_at__lte=at), "escalates_at", escalate)
    _each(IS_OPEN & (Q(lapses_at__lte=at) | Q(assignee__is_active=False)), "id", lapse)
    _each(IS_OPEN & Q(due_at__lte=at, options__has_key="default"), "due_at", answer)


def escalate(question: Question) -> None:
    """Ask the group that the author named as well; once."""
    group = questions.escalation_of(question)
    with transaction.atomic():
        mine = Question.objects.filter(WILL_ESCALATE, pk=question.pk).update(escalated_at=timezone.now())
        if not mine:
            return
        if group:
            QuestionRole.objects.get_or_create(question=question, role=group, user="")
        _tell(question, "escalated", to=group)


def lapse(question: Question) -> None:
    """Nobody has it any more: whoever took it did not answer in time, or may not sign in now."""
    with transaction.atomic():
        due = Q(lapses_at__lte=timezone.now()) | Q(assignee__is_active=False)
        mine = Question.objects.filter(IS_OPEN, due, pk=question.pk)
        name = question.assignee.get_username() if question.assignee else ""
        if mine.update(assignee=None, assigned_at=None, lapses_at=None):
            _tell(question, "released", text=f"{name} did not answer in time" if name else "")


def answer(question: Question) -> None:
    """Give the answer that the author declared for the due date; what was refused once is not tried for ever."""
    try:
        decisions.answer_by_clock(question)
    except Unavailable:
        raise
    except Refused as refusal:
        logger.warning("question %s got no answer at its due date: %s", question.pk, refusal)
        left = {name: value for name, value in question.options.items() if name != "default"}
        Question.objects.filter(pk=question.pk).update(options=left)


def _tell(question: Question, action: str, **more: str) -> None:
    data = {"question": question.pk, "action": action, "user": accounts.CLOCK, **more}
    audit.append(_NOTED[action], accounts.CLOCK, run=question.run, question=question, data=more)
    feed.append(feed.QUESTION, run=question.run, data=data)


def _each(due: Q, order: str, act: Callable[[Question], None]) -> None:
    rows = Question.objects.filter(due).select_related("run", "assignee").order_by(order)
    for question in rows[:AT_ONCE]:
        try:
            act(question)
        except (DatabaseError, InterfaceError, Unavailable):
            raise
        except Refused as refusal:
            logger.info("question %s: %s", question.pk, refusal)
        except Exception:  # one that fails must not keep the others from it
            logger.exception("the clock could not go on with question %s", question.pk)
