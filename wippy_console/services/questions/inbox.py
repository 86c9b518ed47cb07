"""What runs ask of whom: the questions that a user may answer, and the labels in lists."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet

from wippy_console import permissions
from wippy_console.models import Question, QuestionRole, Run
from wippy_console.models.decisions import IN_ORDER, IS_OPEN
from wippy_console.services import accounts, grants, masking
from wippy_console.services.errors import NotFoundError
from wippy_console.services.questions.wording import asks_in_words

MOST_ASKED = 1000
MOST_NAMES = 100
LARGEST_ID = 2**63 - 1
"""What the database counts to; a longer number from an address names nothing."""


def open_for(user: Any) -> QuerySet[Question]:
    """The questions that wait for an answer which the user may give: by priority, then the nearest deadline first.

    One that was answered is not open any more, even before the run has taken the answer.
    """
    return allowed(user).filter(IS_OPEN).order_by(*IN_ORDER)


def may_answer(user: Any, question: Question) -> bool:
    """Whether the user is one of those who are asked."""
    return allowed(user).filter(pk=question.pk).exists()


def candidate_names(question: Question) -> list[str]:
    """The names of active users who are asked, for a form to suggest; up to `MOST_NAMES`, without those who may all."""
    rows = list(question.roles.all())
    people = User.objects.filter(is_active=True)
    if not any(not row.role and not row.user for row in rows):
        roles, names = [row.role for row in rows if row.role], [row.user for row in rows if row.user]
        people = people.filter(Q(groups__name__in=roles) | Q(username__in=names))
    found = people.filter(groups__permissions__codename=permissions.SIGNAL_RUN.rpartition(".")[2])
    return list(found.order_by("username").distinct().values_list("username", flat=True)[:MOST_NAMES])


def get(user: Any, question_id: int) -> Question:
    """The question, open or not, for whoever may see its run; NotFoundError."""
    found = several(user, [question_id])[0]
    masking.unveil(user, found.run)
    return found


def several(user: Any, ids: Sequence[int]) -> list[Question]:
    """The same of several, in their order, by one query; NotFoundError when one is not there."""
    rows = Question.objects.select_related("run", "run__started_by", "assignee").prefetch_related("roles", "votes")
    found = grants.narrowed(rows, user, permissions.VIEW_RUN).in_bulk([each for each in ids if each <= LARGEST_ID])
    if any(each not in found for each in ids):
        raise NotFoundError("There is no such question.")
    return [found[each] for each in ids]


def asking() -> QuerySet[Question, Any]:
    """The ids of the runs that ask something now, for queries of runs."""
    return Question.objects.filter(IS_OPEN).values("run_id")


def asked_by(runs: Collection[Run]) -> dict[str, list[str]]:
    """What the runs ask now, by run id, in the order of the questions. One query; silent runs are left out."""
    waiting = Question.objects.filter(run__in=runs, closed_at=None).only("run_id", "channel", "signals", "title")
    found: dict[str, list[str]] = {}
    for question in waiting.order_by("pk")[:MOST_ASKED]:
        found.setdefault(question.run_id, []).append(_asks(question))
    return found


def _asks(question: Question) -> str:
    known = question.title or question.labels
    return asks_in_words(question) if known else f"{question.channel or 'an answer'}?"


def allowed(user: Any) -> QuerySet[Question]:
    """The questions, open or not, whose answer the user has the right and one of the roles to give."""
    rows = grants.narrowed(Question.objects.select_related("run", "assignee"), user, permissions.SIGNAL_RUN)
    if permissions.scope(user, permissions.SIGNAL_RUN).nowhere:
        return rows
    if user.is_superuser:
        return rows
    names, name = [*permissions.role_names(user)], accounts.person(user).get_username()
    mine = Q(role="", user="") | Q(role__in=names) | Q(role="", user=name)
    return rows.filter(Exists(QuestionRole.objects.filter(mine, question=OuterRef("pk"))))
