"""What runs ask of whom: the inbox, its badge and the labels in lists. One query serves a whole page."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from wippy_console import permissions
from wippy_console.models import Question, QuestionRole, Revision, Run
from wippy_console.services.errors import NotFoundError
from wippy_console.services.questions.answers import answered
from wippy_console.services.questions.matching import labels_of
from wippy_console.services.questions.signals import declared

MOST_ASKED = 1000

_META = (
    Revision.objects.filter(
        entry_id=OuterRef("run__entry_id"),
        deleted=False,
        version_id__lte=Coalesce(OuterRef("run__registry_version"), Value(2**62)),
    )
    .order_by("-version_id")
    .values("meta")[:1]
)
"""What the run's entry said when the run began, or says now when that is not known."""


def open_for(user: Any) -> QuerySet[Question]:
    """The questions that wait for an answer which the user may give; the nearest deadline first.

    One that was answered is not open any more, even before the run has taken the answer.
    """
    waiting = _allowed(user).filter(closed_at=None, run__status=Run.Status.RUNNING)
    return waiting.exclude(answered()).order_by(F("deadline").asc(nulls_last=True), "opened_at", "pk")


def done_for(user: Any) -> QuerySet[Question]:
    """The questions that were answered or went away, of those that the user might have answered; newest first."""
    rows = _allowed(user).exclude(~answered(), closed_at=None)
    return rows.prefetch_related("decisions__user").order_by(F("closed_at").desc(nulls_first=True), "-pk")


def get(user: Any, question_id: int) -> Question:
    """The question, open or not, when the user may answer it or may see runs; NotFoundError."""
    rows = Question.objects.select_related("run").prefetch_related("roles")
    found = rows.filter(pk=question_id).first() if permissions.allows(user, permissions.VIEW_RUN) else None
    if found is None:
        raise NotFoundError("There is no such question.")
    return found


def labelled(rows: QuerySet[Question], limit: int) -> list[Any]:
    """The first questions, each with `labels`: those of the declared signals that answer it; one query for all."""
    found: list[Any] = list(rows.annotate(meta=Subquery(_META))[:limit])
    for question in found:
        question.labels = labels_of(question, declared(question.meta or {}))
    return found


def asking() -> QuerySet[Question, Any]:
    """The ids of the runs that ask something now, for queries of runs."""
    return Question.objects.filter(closed_at=None).values("run_id")


def asked_by(runs: Collection[Run]) -> dict[str, list[str]]:
    """What the runs ask now, by run id: labels in the order of the questions. One query; silent runs are left out."""
    waiting = Question.objects.filter(run__in=runs, closed_at=None).select_related("run")
    found: dict[str, list[str]] = {}
    for question in labelled(waiting.defer("run__input", "run__result", "run__failure").order_by("pk"), MOST_ASKED):
        found.setdefault(question.run_id, []).extend(question.labels or [question.channel or "an answer"])
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
