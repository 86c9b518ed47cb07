"""Lists of decisions, of all runs that the user may see decisions of: in pages by key, newest first."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from wippy_console import permissions
from wippy_console.models import Decision
from wippy_console.services import cursors, grants
from wippy_console.services.decisions.journal import shown_payload
from wippy_console.services.errors import NotFoundError, Refused

ACTIONS = ("signal", "cancel", "terminate", "reset")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which are wanted; empty fields want all. Times are from the first until before the last."""

    run_id: str = ""
    question: int | None = None
    user: str = ""
    action: str = ""
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some decisions, and where the next page begins ("" for nowhere)."""

    rows: list[Decision] = field(default_factory=list)
    next: str = ""


def visible(user: Any) -> QuerySet[Decision]:
    """Those on runs of the namespaces where the right to see decisions counts."""
    rows = Decision.objects.select_related("run", "user")
    return grants.narrowed(rows, user, permissions.VIEW_DECISION, namespace="run__namespace")


def listed(user: Any, wanted: Wanted, *, before: str = "", limit: int = 50) -> Page:
    """A page of them; Refused for a cursor that is none."""
    rows = visible(user).filter(**_conditions(wanted)).order_by("-created_at", "-id")
    if before:
        at, pk = _place(before)
        rows = rows.filter(created_at__lte=at).filter(Q(created_at__lt=at) | Q(pk__lt=pk))
    found = list(rows[: limit + 1])
    if len(found) <= limit:
        return Page(found)
    last = found[limit - 1]
    return Page(found[:limit], cursors.made(last.created_at.isoformat(), str(last.pk)))


def one(user: Any, decision_id: uuid.UUID) -> Decision:
    """The decision; NotFoundError."""
    found = visible(user).filter(pk=decision_id).first()
    if found is None:
        raise NotFoundError("There is no such decision.")
    return found


def told_payload(decision: Decision) -> Any:
    """Its payload as it may be shown: one that waits to be sent holds its secrets still."""
    return shown_payload(decision) if decision.state == Decision.State.PENDING else decision.payload


def _conditions(wanted: Wanted) -> dict[str, Any]:
    given = {
        "run_id": wanted.run_id,
        "question_id": wanted.question,
        "user__username": wanted.user,
        "action": wanted.action,
        "state": wanted.state,
        "created_at__gte": wanted.since,
        "created_at__lt": wanted.until,
    }
    return {name: value for name, value in given.items() if value}


def _place(cursor: str) -> tuple[datetime, uuid.UUID]:
    at, pk = cursors.place_of(cursor, 2)
    try:
        return cursors.moment_of(at), uuid.UUID(pk)
    except ValueError:
        raise Refused(cursors.DAMAGED) from None
