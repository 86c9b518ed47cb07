"""Questions: what runs ask of people. The inbox and its badge share one queryset."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet

from wippy_console import permissions
from wippy_console.models import Decision, Question, QuestionRole, Run
from wippy_console.services.errors import NotFoundError

ANSWERED = [Decision.State.PENDING, Decision.State.SENT]


def open_for(user: Any) -> QuerySet[Question]:
    """The questions that wait for an answer which the user may give; the nearest deadline first.

    One that was answered is not open any more, even before the run has taken the answer.
    """
    waiting = _allowed(user).filter(closed_at=None, run__status=Run.Status.RUNNING)
    return waiting.exclude(_answered()).order_by(F("deadline").asc(nulls_last=True), "opened_at", "pk")


def done_for(user: Any) -> QuerySet[Question]:
    """The questions that were answered or went away, of those that the user might have answered; newest first."""
    rows = _allowed(user).exclude(~_answered(), closed_at=None)
    return rows.prefetch_related("decisions__user").order_by(F("closed_at").desc(nulls_first=True), "-pk")


def get(user: Any, question_id: int) -> Question:
    """The question, open or not, when the user may answer it or may see runs; NotFoundError."""
    rows = Question.objects.select_related("run").prefetch_related("roles")
    found = rows.filter(pk=question_id).first() if permissions.allows(user, permissions.VIEW_RUN) else None
    if found is None:
        raise NotFoundError("There is no such question.")
    return found


def _allowed(user: Any) -> QuerySet[Question]:
    """The questions whose answer the user has the right and one of the roles to give."""
    rows = Question.objects.select_related("run").prefetch_related("roles")
    if not permissions.allows(user, permissions.SIGNAL_RUN):
        return rows.none()
    if user.is_superuser:
        return rows
    names = ["", *permissions.role_names(user)]
    return rows.filter(Exists(QuestionRole.objects.filter(question=OuterRef("pk"), role__in=names)))


def _answered() -> Exists:
    return Exists(Decision.objects.filter(question=OuterRef("pk"), state__in=ANSWERED))
