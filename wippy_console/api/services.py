"""Services that nodes keep running: listed, started, stopped."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from wippy_console.api.callers import key_of
from wippy_console.api.shapes import Cursor, Limit, Nothing, PageOf, Text
from wippy_console.models import Service
from wippy_console.services import processes

router = Router()

Acts = Literal["start", "stop", "restart"]


class ServiceOut(Schema):
    """A service on one node, or a worker or client of Temporal, which runs as long as its node (not `movable`).

    `state` is unknown, waiting (`error` says for what), starting, running, stopping, stopped, restarting, failed or
    exited.
    """

    id: int
    entry: str
    kind: str
    node: str
    state: str
    optional: bool
    movable: bool
    pid: str
    restarts: int
    error: str
    since: datetime
    next_attempt: datetime | None


class Filters(Schema):
    """Empty ones want all; those that are set add up."""

    entry: Annotated[Text, Field(max_length=500)] = ""
    node: Annotated[Text, Field(max_length=100)] = ""
    cursor: Cursor = ""
    limit: Limit = 50


@router.get("", response=PageOf[ServiceOut], summary="List services")
def index(request: HttpRequest, filters: Query[Filters]) -> Any:
    """The services of the nodes that are alive, by entry and node."""
    given = filters.model_dump(exclude={"cursor", "limit"})
    rows, after = processes.services_listed(request.user, **given, after=filters.cursor, limit=filters.limit)
    return {"items": [out(each) for each in rows], "next": after}


@router.get("/{int:service_id}", response=ServiceOut, summary="Get a service")
def get(request: HttpRequest, service_id: int) -> Any:
    """As its node wrote it last."""
    return out(processes.get_service(request.user, service_id))


@router.post("/{int:service_id}/{act}", response={202: ServiceOut}, summary="Start, stop or restart a service")
def move(request: HttpRequest, service_id: int, act: Acts, body: Nothing) -> Any:
    """Ask its node; 202 as soon as that has agreed, and its `state` tells the rest.

    Each key is asked once: a repeat whose first answer was lost is a 409, and moves nothing.
    """
    found = processes.get_service(request.user, service_id)
    processes.move_service(request.user, found, act, key=str(key_of(request)))
    return Status(202, out(processes.get_service(request.user, service_id)))


def out(service: Service) -> dict[str, Any]:
    """A service as lists have it."""
    same = ("id", "kind", "optional", "pid", "restarts", "error", "since", "next_attempt")
    return {
        **{name: getattr(service, name) for name in same},
        "entry": service.entry_id,
        "node": service.node_id,
        "state": service.shown_state,
        "movable": service.is_movable,
    }
