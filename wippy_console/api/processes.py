"""Processes: found, spawned, sent messages, ended. A pid holds braces, bars and slashes: bodies and queries have it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from engine.durations import SECOND
from wippy_console.api.callers import key_of
from wippy_console.api.problems import within
from wippy_console.api.shapes import Body, Cursor, Json, Limit, PageOf, Text, payloads
from wippy_console.models import Process
from wippy_console.services import processes
from wippy_console.services.processes import Detail, Wanted

router = Router()

PidText = Annotated[Text, Field(min_length=1, max_length=2000)]
Why = Annotated[Text, Field(max_length=2000)]


class Doing(Schema):
    """What a process waits for outside of its node."""

    text: str
    since: datetime


class ProcessOut(Schema):
    """A process, or a long call of a function, as lists have it.

    `state` is idle or busy; of one that has ended completed, failed, canceled or terminated. `operations` counts what
    it does outside, of which `doing` has the oldest.
    """

    pid: str
    entry: str
    host: str
    node: str
    kind: str
    state: str
    parent: str
    names: list[str]
    mailbox: int
    mailbox_limit: int
    operations: int
    doing: list[Doing]
    started_at: datetime
    ended_at: datetime | None


class ProcessWhole(ProcessOut):
    """A process with its relatives, the first of `child_count` children among them.

    `stale` says why this is what was last written, and not what its node sees now. Values are masked as its entry says.
    """

    links: list[str]
    watchers: list[str]
    service: str
    children: list[str]
    child_count: int
    result: Json = None
    failure: Json = None
    stale: str


class Filters(Schema):
    """Empty ones want all; those that are set add up. `under` is the pid of the parent."""

    text: Annotated[Text, Field(max_length=500)] = ""
    node: Annotated[Text, Field(max_length=100)] = ""
    host: Annotated[Text, Field(max_length=500)] = ""
    under: Annotated[Text, Field(max_length=2000)] = ""
    full: bool = False
    doing: bool = False
    ended: bool = False
    cursor: Cursor = ""
    limit: Limit = 50


class SpawnIn(Body):
    """What to spawn, and where: the only host near the entry and any node, unless they are named."""

    entry: Annotated[Text, Field(max_length=500)]
    args: Annotated[list[Json], Field(max_length=100)] = []
    host: Annotated[Text, Field(max_length=500)] = ""
    node: Annotated[Text, Field(max_length=100)] = ""
    name: Text = ""


class Spawned(Schema):
    """Where it lives."""

    pid: str


class MessageIn(Body):
    """A message; `payload` is its one value, or left out."""

    pid: PidText
    topic: Text
    payload: Json = None


class EndIn(Body):
    """Which to end, and why."""

    pid: PidText
    reason: Why = ""


@router.get("", response=PageOf[ProcessOut], summary="List processes")
def index(request: HttpRequest, filters: Query[Filters]) -> Any:
    """Those that run, the newest first; with `doing` those with operations under way, the longest first.

    With `ended` those that have ended and are kept for a day, the latest first.
    """
    given = filters.model_dump(exclude={"cursor", "limit", "ended"})
    wanted = Wanted(**given, has_ended=filters.ended)
    rows, after = processes.listed(request.user, wanted, after=filters.cursor, limit=filters.limit)
    return {"items": [_out(each) for each in rows], "next": after}


@router.get("/one", response=ProcessWhole, summary="Get a process", url_name="process")
def get(request: HttpRequest, pid: PidText) -> Any:
    """As its node sees it now, or how it ended. Percent-encode the pid: `?pid=%7Bnode%40app%3Ahost%7C0x1%7D`."""
    return _whole(processes.describe(request.user, pid, also_ended=True))


@router.post("", response={201: Spawned}, summary="Spawn a process")
def spawn(request: HttpRequest, response: HttpResponse, body: SpawnIn) -> Any:
    """With a `name` that a living process has, that one is answered, and none is spawned.

    The same `Idempotency-Key` spawns no second one. When the first answer was lost, since the console died or was not
    sure (503), a repeat is a 409: look for the process by its entry, or give it a name to ask with again.
    """
    key = str(key_of(request))
    with within("args", 0):
        pid = processes.spawn(request.user, body.entry, body.host, body.args, name=body.name, node=body.node, key=key)
    response["Location"] = f"{reverse('api-v1:process')}?{urlencode({'pid': pid})}"
    return Status(201, {"pid": pid})


@router.post("/message", response={204: None}, summary="Send a process a message")
def message(request: HttpRequest, body: MessageIn) -> Any:
    """204 when it lies in the mailbox.

    The same `Idempotency-Key` sends no second one: a repeat whose first answer was lost is a 409.
    """
    payload = payloads(body)
    processes.message(request.user, body.pid, body.topic, *payload, key=str(key_of(request)))
    return Status(204, None)


@router.post("/cancel", response={202: None}, summary="Ask a process to stop")
def cancel(request: HttpRequest, body: EndIn) -> Any:
    """Its code is told, and does what it wants then. A repeat whose first answer was lost is a 409."""
    processes.cancel(request.user, body.pid, body.reason, key=str(key_of(request)))
    return Status(202, None)


@router.post("/terminate", response={204: None}, summary="End a process now")
def terminate(request: HttpRequest, body: EndIn) -> Any:
    """Its code is not told. The reason is required. A repeat whose first answer was lost is a 409."""
    processes.terminate(request.user, body.pid, body.reason, key=str(key_of(request)))
    return Status(204, None)


def _out(row: Process) -> dict[str, Any]:
    same = (
        "pid",
        "kind",
        "state",
        "parent",
        "names",
        "mailbox",
        "mailbox_limit",
        "operations",
        "started_at",
        "ended_at",
    )
    return {
        **{name: getattr(row, name) for name in same},
        "entry": row.entry_id,
        "host": row.host_id,
        "node": row.node_id,
        "doing": [{**each, "since": datetime.fromtimestamp(each["since"] / SECOND, UTC)} for each in row.doing],
    }


def _whole(found: Detail) -> dict[str, Any]:
    row = found.process
    return {
        **_out(row),
        "links": row.links,
        "watchers": found.watchers,
        "service": found.service,
        "children": [each.pid for each in found.children],
        "child_count": found.child_count,
        "result": row.result,
        "failure": row.failure,
        "stale": found.stale,
    }
