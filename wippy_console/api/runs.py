"""Runs: found, started, waited for, and what people do to them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from wippy_console import permissions
from wippy_console.api.callers import key_of
from wippy_console.api.problems import within
from wippy_console.api.shapes import Body, Cursor, Json, Limit, Moment, PageOf, Text, payloads
from wippy_console.models import Decision, Run, Vote
from wippy_console.services import decisions, questions, runs, states
from wippy_console.services.runs import Page, Started, Wanted

router = Router()

MOST_SECONDS = 60
"""So long a request waits at most for the end of a run."""


class State(Schema):
    """How a run stands; `key` is a state of the console's lists, the rest applies to some of them."""

    key: str
    reason: str = ""
    call: str = ""
    attempt: int = 0
    error: str = ""
    next_at: datetime | None = None
    until: datetime | None = None
    queue: str = ""


class RunOut(Schema):
    """A run as lists have it."""

    run_id: str
    workflow_id: str
    pid: str
    entry: str
    status: str
    state: State
    client: str
    started_at: datetime
    closed_at: datetime | None
    started_by: str
    parent_run_id: str
    keys: dict[str, Any]
    summary: str


class RunWhole(RunOut):
    """A run with its values, masked as its entry says; `cut` has the bytes of values that are kept in part."""

    worker: str
    task_queue: str
    input: Json = None
    result: Json = None
    failure: Json = None
    cut: dict[str, int]
    asks: list[str]


class Filters(Schema):
    """Empty ones want all; those that are set add up."""

    text: Annotated[Text, Field(max_length=2000)] = ""
    workflow_id: Annotated[Text, Field(max_length=1000)] = ""
    status: list[Literal[states.FILTERS]] = []  # type: ignore[valid-type]
    entry: Annotated[Text, Field(max_length=500)] = ""
    client: Annotated[Text, Field(max_length=500)] = ""
    parent_run_id: Annotated[Text, Field(max_length=64)] = ""
    started_by: Annotated[Text, Field(max_length=150)] = ""
    key: Annotated[list[Annotated[Text, Field(max_length=500, pattern="^[^=]+=")]], Field(max_length=20)] = []
    waiting: bool = False
    started_from: Moment | None = None
    started_to: Moment | None = None
    closed_from: Moment | None = None
    closed_to: Moment | None = None
    cursor: Cursor = ""
    limit: Limit = 50


class StartIn(Body):
    """What to start; `worker` may be left out where the entry names one or only one is near it."""

    entry: Annotated[Text, Field(max_length=500)]
    args: Annotated[list[Json], Field(max_length=100)] = []
    workflow_id: Text = ""
    worker: Text = ""


class Paging(Schema):
    """Which page."""

    cursor: Cursor = ""
    limit: Limit = 50


class Reason(Body):
    """Why."""

    reason: Annotated[Text, Field(max_length=2000)] = ""


class SignalIn(Body):
    """A message: as the run's entry declares its topic, or `raw` past what it declares (another right).

    `payload` is the one argument of the message, or left out; `label` chooses among answers of one topic.
    """

    topic: Annotated[Text, Field(min_length=1, max_length=500)]
    payload: Json = None
    reason: Annotated[Text, Field(max_length=2000)] = ""
    label: Annotated[Text, Field(max_length=200)] = ""
    raw: bool = False


class Done(Schema):
    """What came of it: a decision by its id, or a vote that counts when enough others agree."""

    id: str
    state: Literal["pending", "sent", "failed", "counted"]
    verdict: Json = None


class Outcome(Schema):
    """How a run ended; `running` when it has not yet."""

    run_id: str
    status: str
    result: Json = None
    failure: Json = None


@router.get("", response=PageOf[RunOut], summary="List runs")
def index(request: HttpRequest, filters: Query[Filters]) -> Any:
    """Newest first."""
    permissions.require(request.user, permissions.VIEW_RUN)
    return _page(runs.search(request.user, _wanted(filters), before=filters.cursor, limit=filters.limit))


@router.post("", response={201: RunWhole}, summary="Start a run")
def start(request: HttpRequest, response: HttpResponse, body: StartIn) -> Any:
    """The same `Idempotency-Key` starts no second one, whatever dies in between."""
    key = key_of(request)
    with within("args", 0):
        started = runs.start(request.user, body.entry, body.worker, body.args, body.workflow_id, key=key)
    return begun(request, response, started)


@router.get("/{run}", response=RunWhole, summary="Get a run", url_name="run")
def get(request: HttpRequest, run: str) -> Any:
    """`run` is a run id, or a workflow id or pid for its newest run."""
    return whole(found(request, run))


@router.get("/{run}/result", response={200: Outcome, 202: Outcome}, summary="Wait for the end of a run")
def result(request: HttpRequest, run: str, seconds: Annotated[float, Query(ge=0, le=MOST_SECONDS)] = 20) -> Any:
    """200 with how it ended, or 202 when it has not after so many seconds: ask again. It follows runs that go on."""
    row = runs.ended(request.user, found(request, run), seconds)
    if row is None:
        return Status(202, {"run_id": run, "status": "running"})
    return {"run_id": row.run_id, "status": row.status, "result": row.result, "failure": row.failure}


@router.get("/{run}/children", response=PageOf[RunOut], summary="List the children of a run")
def children(request: HttpRequest, run: str, filters: Query[Paging]) -> Any:
    """The runs that it started and that the caller may see, newest first."""
    wanted = Wanted(parent=found(request, run).run_id)
    return _page(runs.search(request.user, wanted, before=filters.cursor, limit=filters.limit))


@router.post("/{run}/signals", response=Done, summary="Send a run a message")
def signal(request: HttpRequest, run: str, body: SignalIn) -> Any:
    """It answers the question that waits for the topic, if one does, by the rules of the console."""
    row, key = found(request, run), key_of(request)
    payload = payloads(body)
    if body.raw:
        return done(decisions.send_raw(request.user, row, body.topic, *payload, reason=body.reason, key=key))
    given = decisions.send(request.user, row, body.topic, *payload, reason=body.reason, label=body.label, key=key)
    return done(given)


@router.post("/{run}/cancel", response=Done, summary="Ask a run to stop")
def cancel(request: HttpRequest, run: str, body: Reason) -> Any:
    """Its code is told, and may clean up."""
    key = key_of(request)
    return done(decisions.cancel(request.user, found(request, run), body.reason, key=key))


@router.post("/{run}/terminate", response=Done, summary="End a run now")
def terminate(request: HttpRequest, run: str, body: Reason) -> Any:
    """Its code is not told. The reason is required."""
    key = key_of(request)
    return done(decisions.terminate(request.user, found(request, run), body.reason, key=key))


@router.get("/{run}/history", response=Any, summary="Download the history of a run")
def history(request: HttpRequest, run: str) -> StreamingHttpResponse:
    """As Temporal's JSON, which its replayers read; values that the entry masks are masked."""
    return StreamingHttpResponse(runs.history_file(found(request, run), request.user), content_type="application/json")


def found(request: HttpRequest, run: str) -> Run:
    """The run that an address names; NotFoundError."""
    permissions.require(request.user, permissions.VIEW_RUN)
    return runs.by_pid(request.user, run)


def begun(request: HttpRequest, response: HttpResponse, started: Started) -> Status[dict[str, Any]]:
    """The answer to a start."""
    response["Location"] = reverse("api-v1:run", args=(started.run_id,))
    return Status(201, whole(runs.get(request.user, started.workflow_id, started.run_id)))


def _page(page: Page) -> dict[str, Any]:
    asking, unserved = questions.asked_by(page.rows), states.unserved(page.rows)
    items = [out(run, asking.get(run.run_id, []), run.run_id in unserved) for run in page.rows]
    return {"items": items, "next": page.next_cursor}


def _wanted(filters: Filters) -> Wanted:
    return Wanted(
        text=filters.text,
        workflow_id=filters.workflow_id,
        statuses=tuple(filters.status),
        entry=filters.entry,
        client=filters.client,
        parent=filters.parent_run_id,
        by=filters.started_by,
        keys=tuple(filters.key),
        waiting=filters.waiting,
        started_from=filters.started_from,
        started_to=filters.started_to,
        closed_from=filters.closed_from,
        closed_to=filters.closed_to,
    )


def done(made: Decision | Vote) -> dict[str, Any]:
    """What came of it, for an answer."""
    if isinstance(made, Vote):
        return {"id": str(made.pk), "state": "counted"}
    return {"id": str(made.pk), "state": made.state, "verdict": made.verdict}


def out(run: Run, asks: list[str], is_unserved: bool) -> dict[str, Any]:
    """The run as lists have it."""
    return {
        "run_id": run.run_id,
        "workflow_id": run.workflow_id,
        "pid": run.pid,
        "entry": run.entry_id,
        "status": run.status,
        "state": states.of(run, asks=bool(asks), unserved=is_unserved).to_json(),
        "client": run.client,
        "started_at": run.started_at,
        "closed_at": run.closed_at,
        "started_by": run.started_by.get_username() if run.started_by else "",
        "parent_run_id": run.parent_run_id,
        "keys": run.keys or {},
        "summary": run.summary,
    }


def whole(run: Run) -> dict[str, Any]:
    """The run with its values."""
    asks = questions.asked_by([run]).get(run.run_id, [])
    more = {name: getattr(run, name) for name in ("worker", "task_queue", "input", "result", "failure", "cut")}
    return {**out(run, asks, run.run_id in states.unserved([run])), **more, "asks": asks}
