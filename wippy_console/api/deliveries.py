"""What other systems sent to `/hooks/`, and what became of it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Query, Router, Schema
from pydantic import Field

from wippy_console import permissions
from wippy_console.api.callers import key_of
from wippy_console.api.shapes import Cursor, Limit, Moment, Nothing, PageOf, Text
from wippy_console.models import Delivery
from wippy_console.services.hooks import listing, redelivering, shown

router = Router()

State = Literal["open", "waiting", "done", "failed", "refused"]
Act = Literal["call", "start", "signal"]
Pair = tuple[str, str]


class DeliveryOut(Schema):
    """One request. `state`: `open` while it is under way, `waiting` for a run or for Temporal, `refused` when nothing
    was done for it; `problem` says why it waits, failed or was refused, and `times` how many of the kind were refused.

    `entry` declares the `route`; `act` is what it does. `status` is that of the answer; `sender_id` what the route's id
    header said. `due_at` is when it is tried again, `expires_at` until when it waits for a run, `took` seconds.
    `again_of` is the delivery that it repeats, `by` who asked for that.
    """

    id: str
    received_at: datetime
    entry: str
    route: str
    act: Act
    method: str
    path: str
    source: str
    size: int
    sender_id: str
    state: State
    problem: str
    times: int
    tries: int
    status: int | None
    took: float | None
    due_at: datetime | None
    expires_at: datetime | None
    workflow_id: str
    run_id: str
    again_of: str
    by: str


class Content(Schema):
    """A body as text, with dots in place of what the entry masks; "" where `note` says why there is none."""

    text: str
    note: str
    is_json: bool
    is_cut: bool


class DeliveryWhole(DeliveryOut):
    """The same with what was sent and answered. Headers that authenticate are not kept."""

    query: list[Pair]
    headers: list[Pair]
    params: dict[str, str]
    body: Content
    answer_headers: list[Pair]
    answer: Content


class Filters(Schema):
    """Empty ones want all; those that are set add up. `id` is of a delivery, its sender's, or of a workflow."""

    state: Literal["", "open", "waiting", "done", "failed", "refused"] = ""
    act: Literal["", "call", "start", "signal"] = ""
    entry: Annotated[Text, Field(max_length=500)] = ""
    source: Annotated[Text, Field(max_length=45)] = ""
    id: Annotated[Text, Field(max_length=1000)] = ""
    since: Moment | None = None
    until: Moment | None = None
    cursor: Cursor = ""
    limit: Limit = 50


@router.get("", response=PageOf[DeliveryOut], summary="List deliveries of webhooks")
def list_deliveries(request: HttpRequest, filters: Query[Filters]) -> Any:
    """What other systems sent to `/hooks/`, newest first."""
    permissions.require(request.user, permissions.VIEW_DELIVERY)
    same = {name: getattr(filters, name) for name in ("state", "act", "source", "since", "until")}
    wanted = listing.Filters(endpoint=filters.entry, text=filters.id, **same)
    page = listing.page(request.user, wanted, filters.cursor, filters.limit)
    return {"items": [_told(each) for each in page.rows], "next": page.next}


@router.get("/{uuid:delivery}", response=DeliveryWhole, url_name="delivery", summary="Get a delivery of a webhook")
def get_delivery(request: HttpRequest, delivery: uuid.UUID) -> Any:
    """With its body and its answer."""
    permissions.require(request.user, permissions.VIEW_DELIVERY)
    return _whole(listing.get(request.user, delivery))


@router.post("/{uuid:delivery}/redeliver", response={201: DeliveryWhole}, summary="Deliver again")
def redeliver(request: HttpRequest, response: HttpResponse, delivery: uuid.UUID, body: Nothing) -> Any:
    """Do once more what it wanted, as another delivery; its sender proves nothing for that. Calls take the right to
    call functions, starts and signals those to start and signal runs.
    """
    permissions.require(request.user, permissions.VIEW_DELIVERY)
    again = redelivering.redeliver(request.user, listing.get(request.user, delivery), key_of(request))
    response["Location"] = reverse("api-v1:delivery", args=[again.pk])
    return _whole(again)


def _told(delivery: Delivery) -> dict[str, Any]:
    same = (
        "received_at", "route", "act", "method", "path", "source", "size", "sender_id", "state", "problem", "times",
        "tries", "status", "took", "due_at", "expires_at", "workflow_id", "run_id",
    )  # fmt: skip
    return {
        **{name: getattr(delivery, name) for name in same},
        "id": str(delivery.pk),
        "entry": delivery.endpoint,
        "again_of": str(delivery.again_of_id or ""),
        "by": delivery.by.get_username() if delivery.by else "",
    }


def _whole(delivery: Delivery) -> dict[str, Any]:
    return {
        **_told(delivery),
        "query": delivery.query,
        "headers": shown.headers(delivery.headers),
        "params": delivery.params,
        "body": shown.body(delivery),
        "answer_headers": shown.headers(delivery.answer_headers),
        "answer": shown.answer(delivery),
    }
