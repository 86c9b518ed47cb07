"""What people decided and did: decisions with what became of them, and the audit with its chain."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from wippy_console import permissions
from wippy_console.api.shapes import Cursor, Json, Limit, Moment, PageOf, Text
from wippy_console.models import AuditRow, Decision
from wippy_console.services import audit, decisions
from wippy_console.services.decisions import Wanted

made, done = Router(), Router()
"""Of decisions, and of the audit."""

State = Literal["pending", "sent", "failed"]
Id = Annotated[int, Field(ge=1, lt=2**63)]
Name = Annotated[Text, Field(max_length=400)]


class DecisionOut(Schema):
    """An answer, raw signal or update, cancel, terminate or reset; `by` is a user, or the address of a guest.

    `pending`: kept, and sent as soon as Temporal answers; `failed`: `error` says why. `verdict` is what the run says to
    an update, or of a reset its `run_id`. `event_id` is the event of the run's history that it became. Of a reset the
    payload has its options.
    """

    id: str
    action: str
    state: State
    by: str
    token: str
    run_id: str
    workflow_id: str
    entry: str
    question_id: int | None
    topic: str
    label: str
    payload: Json = None
    reason: str
    via: Literal["signal", "update"]
    verdict: Json = None
    error: str
    created_at: datetime
    completed_at: datetime | None
    event_id: int | None


class AuditOut(Schema):
    """A deed. `hash` covers the row and `previous`, the hash of the row before; `data` names a `token`."""

    id: int
    at: datetime
    user: str
    action: str
    entry: str
    workflow_id: str
    run_id: str
    question_id: int | None
    decision_id: str
    event_id: int | None
    label: str
    outcome: str
    data: Json
    previous: str
    hash: str


class DecisionFilters(Schema):
    """Empty ones want all; those that are set add up."""

    run_id: Annotated[Text, Field(max_length=64)] = ""
    question: Id | None = None
    user: Name = ""
    action: Literal["", *decisions.ACTIONS] = ""  # type: ignore[valid-type]
    state: Literal["", "pending", "sent", "failed"] = ""
    since: Moment | None = None
    until: Moment | None = None
    cursor: Cursor = ""
    limit: Limit = 50


class AuditFilters(Schema):
    """Empty ones want all; those that are set add up. `run` is a run id, or a workflow id; `label` any part of one."""

    user: Name = ""
    action: Literal["", *audit.ACTIONS] = ""  # type: ignore[valid-type]
    entry: Annotated[Text, Field(max_length=500)] = ""
    run: Annotated[Text, Field(max_length=1000)] = ""
    label: Annotated[Text, Field(max_length=500)] = ""
    outcome: Annotated[Text, Field(max_length=30)] = ""
    since: Moment | None = None
    until: Moment | None = None
    cursor: Annotated[str, Field(pattern="^[0-9]{0,18}$", description="`next` of the page before")] = ""
    limit: Limit = 50


@made.get("", response=PageOf[DecisionOut], summary="List decisions")
def list_decisions(request: HttpRequest, filters: Query[DecisionFilters]) -> Any:
    """What people decided on runs, newest first."""
    permissions.require(request.user, permissions.VIEW_DECISION)
    names = ("run_id", "question", "user", "action", "state", "since", "until")
    wanted = Wanted(**{name: getattr(filters, name) for name in names})
    page = decisions.listed(request.user, wanted, before=filters.cursor, limit=filters.limit)
    return {"items": [_decision(each) for each in page.rows], "next": page.next}


@made.get("/{uuid:decision}", response=DecisionOut, summary="Get a decision")
def get_decision(request: HttpRequest, decision: uuid.UUID) -> Any:
    """By the id that answers, signals, cancels and resets give: what became of it."""
    permissions.require(request.user, permissions.VIEW_DECISION)
    return _decision(decisions.one(request.user, decision))


@done.get("", response=PageOf[AuditOut], summary="List the audit")
def list_audit(request: HttpRequest, filters: Query[AuditFilters]) -> Any:
    """What people did, newest first; what concerns no namespace is there for who may see everything."""
    permissions.require(request.user, permissions.VIEW_DECISION)
    names = ("user", "action", "entry", "run", "label", "outcome", "since", "until")
    wanted = audit.Filters(**{name: getattr(filters, name) for name in names})
    page = audit.page(request.user, wanted, int(filters.cursor or 0), filters.limit)
    return {"items": [_row(each) for each in page.rows], "next": str(page.older) if page.older else ""}


def _decision(decision: Decision) -> dict[str, Any]:
    same = (
        "action", "state", "token", "run_id", "question_id", "topic", "label", "reason", "via", "verdict", "error",
        "created_at", "completed_at", "event_id",
    )  # fmt: skip
    return {
        **{name: getattr(decision, name) for name in same},
        "id": str(decision.pk),
        "by": decision.who,
        "workflow_id": decision.run.workflow_id,
        "entry": decision.run.entry_id,
        "payload": decisions.told_payload(decision),
    }


def _row(row: AuditRow) -> dict[str, Any]:
    same = ("id", "at", "user", "action", "workflow_id", "run_id", "question_id", "label", "outcome", "data")
    event = getattr(row, "event_id", None)  # the page adds it
    return {
        **{name: getattr(row, name) for name in (*same, "previous", "hash")},
        "entry": row.entry_id,
        "decision_id": str(row.decision_id or ""),
        "event_id": event,
    }
