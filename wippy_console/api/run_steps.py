"""The steps of runs: their timeline, where they can be reset to, and what they answer to queries and updates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field

from wippy_console import permissions
from wippy_console.api.callers import key_of
from wippy_console.api.problems import within
from wippy_console.api.runs import Done, Paging, done, found
from wippy_console.api.shapes import Body, Json, PageOf, Text, payloads
from wippy_console.models import Run
from wippy_console.services import cursors, decisions, resetting, timeline
from wippy_console.services.diagnosis import by_name
from wippy_console.services.errors import Refused
from wippy_console.services.resetting import Plan
from wippy_console.services.timeline import Row

router = Router()

SHOWN = 50
"""So many steps of each kind a plan lists; `more` says how many there are beside them."""

Name = Annotated[Text, Path(max_length=500)]


class StepOut(Schema):
    """A step: the event with which it began, and what came of it; `event_id` of a question is 0.

    `start` is when it was scheduled, `started` when work began, `end` null while it goes on. `deadline` is a timer's or
    question's, or when a call that failed is tried next. `run_id` is that of a child, "" while it is unknown.
    """

    event_id: int
    kind: str
    label: str
    summary: str
    state: str
    start: datetime
    started: datetime | None
    end: datetime | None
    deadline: datetime | None
    attempt: int
    failure: str
    sender: str
    workflow_id: str
    run_id: str
    question_id: int | None
    decision_id: str


class ResetPoints(Schema):
    """Steps to go back to: the first, and the newest ones. `likely` is the last that failed, else the last."""

    items: list[StepOut]
    likely: int


class PlanOut(Schema):
    """What a reset to a step does.

    `event_id` is the workflow task that is carried out anew. `repeated` came after it: code may ask for it again;
    `cut_short` was under way at that point, and is made again; `children` from after it go on running, `kept` ones
    from before stay children; `signals` and `updates` after it are sent again, or left out. `ends_run_id` is the open
    run that ends with the reset, "" for none. `seen` names all that, for the reset.
    """

    event_id: int
    at: datetime
    ends_run_id: str
    has_effects: bool
    repeated: list[StepOut]
    cut_short: list[StepOut]
    children: list[StepOut]
    kept: list[StepOut]
    signals: list[StepOut]
    updates: list[StepOut]
    more: dict[str, int]
    seen: str


class ResetIn(Body):
    """To which step, why, and whether signals and updates after it are sent again.

    `seen` is that of the plan that was looked at: 409 when things changed since; left out, none was.
    """

    event_id: Annotated[int, Field(ge=1, le=10**9)]
    reason: Annotated[Text, Field(max_length=2000)]
    signals: bool = True
    updates: bool = True
    seen: Annotated[Text, Field(max_length=200)] = ""


class ResetDone(Schema):
    """The decision, and the run that goes on; `run_id` is "" while Temporal has not told it."""

    id: str
    state: str
    run_id: str


class Offered(Schema):
    """A query that the run's worker knows."""

    name: str
    description: str


class QueryIn(Body):
    """The arguments."""

    args: Annotated[list[Json], Field(max_length=100)] = []


class QueryOut(Schema):
    """What was answered; of one that is longer than 64 KB `value` is `{"cut": true, ...}`. `size` is in bytes."""

    value: Json
    size: int


class UpdateIn(Body):
    """The one argument of the update, or none; `label` chooses among answers of one topic."""

    payload: Json = None
    reason: Annotated[Text, Field(max_length=2000)] = ""
    label: Annotated[Text, Field(max_length=200)] = ""


@router.get("/{run}/timeline", response=PageOf[StepOut], summary="List the steps of a run")
def steps(request: HttpRequest, run: str, filters: Query[Paging]) -> Any:
    """As the timeline draws them, the oldest first: calls, timers, children, signals, updates, questions."""
    rows = timeline.rows(found(request, run), request.user).rows
    if filters.cursor:
        after = _place(filters.cursor)
        rows = [row for row in rows if (row.order, row.id) > after]
    listed, more = rows[: filters.limit], rows[filters.limit :]
    last = listed[-1:] if more else []
    return {"items": [_step(row) for row in listed], "next": "".join(_cursor(row) for row in last)}


@router.get("/{run}/reset-points", response=ResetPoints, summary="List steps to reset a run to")
def reset_points(request: HttpRequest, run: str) -> Any:
    """Any other event of the history may be named as well."""
    rows = resetting.choices(request.user, _resettable(request, run))
    return {"items": [_step(row) for row in rows], "likely": resetting.likely(rows)}


@router.get("/{run}/reset-points/{int:event_id}", response=PlanOut, summary="See what a reset would do")
def plan(request: HttpRequest, run: str, event_id: int) -> Any:
    """Nothing is done; the reset takes the plan's `seen`."""
    return _plan(resetting.plan(request.user, _resettable(request, run), event_id))


@router.post("/{run}/reset", response={201: ResetDone}, summary="Reset a run to an earlier step")
def reset(request: HttpRequest, response: HttpResponse, run: str, body: ResetIn) -> Any:
    """It goes on as a new run from before that event. An open one ends with it, which takes the right to terminate."""
    key = key_of(request)
    made = resetting.reset(
        request.user,
        found(request, run),
        body.event_id,
        body.reason,
        signals=body.signals,
        updates=body.updates,
        seen=body.seen,
        key=key,
    )
    new = str(made.verdict.get("run_id") or "") if isinstance(made.verdict, dict) else ""
    if new:
        response["Location"] = reverse("api-v1:run", args=(new,))
    return Status(201, {"id": str(made.pk), "state": made.state, "run_id": new})


@router.get("/{run}/queries", response=list[Offered], summary="List the queries of a run")
def queries(request: HttpRequest, run: str) -> Any:
    """Those that its worker names and the caller may ask."""
    offered = by_name.offered(request.user, found(request, run))
    return [{"name": each.name, "description": each.description} for each in offered]


@router.post("/{run}/queries/{path:name}", response=QueryOut, summary="Query a run")
def query(request: HttpRequest, run: str, name: Name, body: QueryIn) -> Any:
    """It changes nothing. `state`, `pid` and `__stack_trace` are for all who see the run, others for who may signal it.

    Names may hold slashes. 503 says why nobody answers.
    """
    found_it = by_name.answer(request.user, found(request, run), name, body.args)
    return {"value": found_it.value, "size": found_it.size}


@router.post("/{run}/updates/{path:name}", response=Done, summary="Update a run")
def update(request: HttpRequest, run: str, name: Name, body: UpdateIn) -> Any:
    """The `verdict` is what the run answers; what it refuses is a 422 in its words.

    What the entry declares (`via: update`) goes by its schema and roles, and answers the question that waits for it;
    any other takes the right to send raw signals. 503 when the run has not answered within 10 seconds: the same request
    with the same `Idempotency-Key` asks for the answer again. Names may hold slashes.
    """
    row, key = found(request, run), key_of(request)
    payload = payloads(body)
    with within("payload"):
        made = decisions.update(request.user, row, name, *payload, reason=body.reason, label=body.label, key=key)
    return done(made)


def _resettable(request: HttpRequest, run: str) -> Run:
    row = found(request, run)
    permissions.require(request.user, permissions.RESET_RUN, row.namespace)
    return row


def _cursor(row: Row) -> str:
    return cursors.made(repr(float(row.order)), str(row.id))


def _place(cursor: str) -> tuple[float, int]:
    order, number = cursors.place_of(cursor, 2)
    try:
        return float(order), int(number)
    except ValueError:
        raise Refused(cursors.DAMAGED) from None


def _plan(found_plan: Plan) -> dict[str, Any]:
    current = found_plan.current
    lists: dict[str, Sequence[Row]] = {
        name: getattr(found_plan, name) for name in ("repeated", "cut_short", "children", "kept", "signals", "updates")
    }
    return {
        "event_id": found_plan.point,
        "at": found_plan.at,
        "ends_run_id": current.run_id if current.is_open else "",
        "has_effects": found_plan.has_effects,
        **{name: [_step(row) for row in rows[:SHOWN]] for name, rows in lists.items()},
        "more": {name: len(rows) - SHOWN for name, rows in lists.items() if len(rows) > SHOWN},
        "seen": found_plan.seen,
    }


def _step(row: Row) -> dict[str, Any]:
    same = ("kind", "label", "summary", "state", "start", "started", "end", "deadline", "attempt", "sender")
    workflow_id, run_id = row.child or ("", "")
    return {
        **{name: getattr(row, name) for name in same},
        "event_id": max(row.id, 0),
        "failure": row.failure.message if row.failure else "",
        "workflow_id": workflow_id,
        "run_id": run_id,
        "question_id": row.question.pk if row.question else None,
        "decision_id": str(row.decision.pk) if row.decision else "",
    }
