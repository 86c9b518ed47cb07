"""One look at the rows: what is due is done, each in a transaction of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.contrib.auth.models import User
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import Q
from django.utils import timezone

from wippy_console.models import Question, QuestionRole
from wippy_console.models.decisions import IS_OPEN, WILL_ESCALATE
from wippy_console.services import accounts, audit, decisions, feed, notifications, questions
from wippy_console.services.errors import NoVerdict, Refused, Unavailable

logger = logging.getLogger(__name__)

_NOTED = {"escalated": audit.ESCALATE, "released": audit.RELEASE}
AT_ONCE = 100
"""Of each kind in one tick: the next ones wait a second."""

_HAS_NO_HOLDER = Q(assignee__in=User.objects.filter(is_active=False).values("pk"))
"""Its assignee may not sign in. No join: an UPDATE that waited for another looks at the row's own columns again."""


def tick(now: datetime | None = None) -> None:
    """Do what is due: escalate, let claims lapse, give answers that the due date gives, tell who has to answer."""
    at = now or timezone.now()
    _each(WILL_ESCALATE & Q(escalates_at__lte=at), "escalates_at", escalate)
    _each(IS_OPEN & Q(lapses_at__lte=at), "lapses_at", lapse)
    _each(IS_OPEN & _HAS_NO_HOLDER, "assignee_id", lapse)
    _each(IS_OPEN & Q(answers_at__lte=at), "answers_at", answer)
    _each(IS_OPEN & Q(alerts_at__lte=at), "alerts_at", remind)


def escalate(question: Question) -> None:
    """Ask the group that the author named as well; once."""
    group = questions.escalation_of(question)
    with transaction.atomic():
        mine = Question.objects.filter(WILL_ESCALATE, pk=question.pk).update(escalated_at=timezone.now())
        if not mine:
            return
        if group:
            QuestionRole.objects.get_or_create(question=question, role=group, user="")
        notifications.tell("escalated", question=question, fact=f"escalated:{question.run_id}:{question.key}")
        _tell(question, "escalated", to=group)


def lapse(question: Question) -> None:
    """Nobody has it any more: whoever took it did not answer in time, or may not sign in now."""
    user = question.assignee
    with transaction.atomic():
        due = Q(lapses_at__lte=timezone.now()) | _HAS_NO_HOLDER
        mine = Question.objects.filter(IS_OPEN, due, pk=question.pk, assignee=user)
        if mine.update(assignee=None, assigned_at=None, lapses_at=None):
            why = "did not answer in time" if user is not None and user.is_active else "can't sign in any more"
            _tell(question, "released", text=f"{user.get_username()} {why}" if user is not None else "")


def remind(question: Question) -> None:
    """Tell that it is due soon, and later that it is overdue; each once for one date."""
    is_over = question.nearest_at <= timezone.now()
    kind, then = ("overdue", None) if is_over else ("due_soon", question.nearest_at)
    with transaction.atomic():
        mine = Question.objects.filter(IS_OPEN, pk=question.pk, alerts_at=question.alerts_at).update(alerts_at=then)
        if mine:
            fact = f"{kind}:{question.run_id}:{question.key}:{question.nearest_at:%Y%m%d%H%M%S}"
            notifications.tell(kind, question=question, fact=fact)


def answer(question: Question) -> None:
    """Give the answer that the author declared for the due date; what was refused once is not tried for ever."""
    try:
        decisions.answer_by_clock(question)
    except Unavailable:
        raise
    except Refused as refusal:
        logger.warning("question %s got no answer at its due date: %s", question.pk, refusal)
        left = {name: value for name, value in question.options.items() if name != "default"}
        Question.objects.filter(IS_OPEN, pk=question.pk).update(options=left, answers_at=None)


def _tell(question: Question, action: str, **more: str) -> None:
    data = {"question": question.pk, "action": action, "user": accounts.CLOCK, **more}
    audit.append(_NOTED[action], accounts.CLOCK, run=question.run, question=question, data=more)
    feed.append(feed.QUESTION, run=question.run, data=data)


def _each(due: Q, order: str, act: Callable[[Question], None]) -> None:
    rows = Question.objects.filter(due).select_related("run", "assignee").order_by(order)
    away = set[str]()
    for question in rows[:AT_ONCE]:
        if question.run.client in away:
            continue
        try:
            act(question)
        except (DatabaseError, InterfaceError):
            raise
        except NoVerdict:
            pass  # it is asked again by itself
        except Unavailable as unavailable:
            away.add(question.run.client)
            logger.warning("question %s: %s", question.pk, unavailable)
        except Refused as refusal:
            logger.info("question %s: %s", question.pk, refusal)
        except Exception:  # one that fails must not keep the others from it
            logger.exception("the clock could not go on with question %s", question.pk)
