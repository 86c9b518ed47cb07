"""Subscriptions to the feed: what happens is posted to an address, in order and at least once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from wippy_console.api.callers import token_of
from wippy_console.api.feed import KINDS, Id
from wippy_console.api.shapes import Body, Limit, PageOf, Text
from wippy_console.models import AccessToken, Subscription
from wippy_console.services import subscriptions
from wippy_console.services.errors import Refused
from wippy_console.services.subscriptions import Fields

router = Router()

Kinds = Annotated[list[Literal[KINDS]], Field(max_length=len(KINDS))]  # type: ignore[valid-type]
Namespaces = Annotated[list[Annotated[Text, Field(max_length=500)]], Field(max_length=50)]
Name = Annotated[Text, Field(min_length=1, max_length=100)]
Url = Annotated[Text, Field(min_length=1, max_length=2000)]
Entry = Annotated[Text, Field(max_length=500)]
RunName = Annotated[Text, Field(max_length=1000)]
Who = Annotated[Text, Field(max_length=150)]
Words = Annotated[Text, Field(max_length=2000)]


class Lost(Schema):
    """Ids of events that had left the feed before they were sent, when that was found."""

    first: int
    last: int
    at: datetime


class SubscriptionOut(Schema):
    """A subscription. `cursor` is the event up to which all is sent, or was not wanted.

    `state` is active, failing (tried again at `next_at`, `problem` says why) or paused: by somebody, or by itself, for
    the reason in `problem`. `test_problem` is what became of the test at `tested_at`; "" when it was taken.
    """

    id: int
    name: str
    owner: str
    token: str
    url: str
    kinds: list[str]
    namespaces: list[str]
    entry: str
    run: str
    user: str
    text: str
    state: str
    cursor: int
    problem: str
    tries: int
    next_at: datetime | None
    last_at: datetime | None
    lost: Lost | None
    tested_at: datetime | None
    test_problem: str
    created_at: datetime


class SubscriptionMade(SubscriptionOut):
    """With the secret that signs what is sent: told by this answer alone."""

    secret: str


class SubscriptionIn(Body):
    """What is sent where; empty filters want all, those that are set add up, as those of the feed do.

    `namespaces` are patterns (shop, or shop.* with all below it). `cursor` is the event after which it begins: 0 for
    all that the feed holds, the newest when it is left out. It sees what the token of the request may see, or by a
    session the token with the id `token`.
    """

    name: Name
    url: Url
    kinds: Kinds = []
    namespaces: Namespaces = []
    entry: Entry = ""
    run: RunName = ""
    user: Who = ""
    text: Words = ""
    cursor: Id | None = None
    token: Id | None = None


class SubscriptionChange(Body):
    """What is to be another; all that is left out stays."""

    name: Name | None = None
    url: Url | None = None
    kinds: Kinds | None = None
    namespaces: Namespaces | None = None
    entry: Entry | None = None
    run: RunName | None = None
    user: Who | None = None
    text: Words | None = None


class Redelivery(Body):
    """The event after which all is sent again, 0 for all that the feed holds."""

    cursor: Id


class Filters(Schema):
    """Empty ones want all."""

    state: Literal["", *Subscription.State.values] = ""  # type: ignore[valid-type]
    owner: Who = ""
    cursor: Annotated[str, Field(pattern="^[0-9]{0,18}$", description="`next` of the page before")] = ""
    limit: Limit = 50


@router.get("", response=PageOf[SubscriptionOut], summary="List subscriptions")
def index(request: HttpRequest, filters: Query[Filters]) -> Any:
    """Newest first: those of the token, or by a session one's own; administrators see everybody's."""
    place = int(filters.cursor or 0)
    by = {"state": filters.state, "owner": filters.owner, "before": place, "limit": filters.limit}
    page = subscriptions.page(request.user, token_of(request), **by)
    return {"items": [_out(request, row) for row in page.rows], "next": str(page.older) if page.older else ""}


@router.post("", response={201: SubscriptionMade}, summary="Subscribe to the feed")
def create(request: HttpRequest, response: HttpResponse, body: SubscriptionIn) -> Any:
    """From now on, or from `cursor`; docs/webhooks.md says what is posted and how a receiver checks its signature."""
    given = {name: getattr(body, name) for name in Fields.__dataclass_fields__}
    made = subscriptions.make(request.user, _token(request, body.token), Fields(**given), body.cursor)
    response["Location"] = reverse("api-v1:subscription", args=[made.row.pk])
    return Status(201, {**_out(request, made.row), "secret": made.secret})


@router.get("/{int:number}", response=SubscriptionOut, summary="Get a subscription", url_name="subscription")
def get(request: HttpRequest, number: int) -> Any:
    """Where it stands."""
    return _out(request, subscriptions.get(request.user, number, token_of(request)))


@router.patch("/{int:number}", response=SubscriptionOut, summary="Change a subscription")
def change(request: HttpRequest, number: int, body: SubscriptionChange) -> Any:
    """From now on it sends other events, or elsewhere; what it sends goes on where it was."""
    row = subscriptions.get(request.user, number, token_of(request))
    given = {name: getattr(row, name) for name in Fields.__dataclass_fields__}
    given |= {name: value for name in given if (value := getattr(body, name)) is not None}
    return _out(request, subscriptions.change(request.user, number, Fields(**given), token_of(request)))


@router.delete("/{int:number}", response={204: None}, summary="Delete a subscription")
def delete(request: HttpRequest, number: int) -> Any:
    """It is sent nothing any more."""
    subscriptions.delete(request.user, number, token_of(request))
    return Status(204, None)


@router.post("/{int:number}/pause", response=SubscriptionOut, summary="Pause a subscription")
def pause(request: HttpRequest, number: int) -> Any:
    """Nothing is sent until it is resumed, and nothing is left out then."""
    return _out(request, subscriptions.pause(request.user, number, token_of(request)))


@router.post("/{int:number}/resume", response=SubscriptionOut, summary="Resume a subscription")
def resume(request: HttpRequest, number: int) -> Any:
    """Go on where it stopped; one that fails is tried at once."""
    return _out(request, subscriptions.resume(request.user, number, token_of(request)))


@router.post("/{int:number}/redeliver", response=SubscriptionOut, summary="Send events again")
def redeliver(request: HttpRequest, number: int, body: Redelivery) -> Any:
    """All that came after `cursor`, with the same ids; one that is paused sends them when it is resumed."""
    return _out(request, subscriptions.redeliver(request.user, number, body.cursor, token_of(request)))


@router.post("/{int:number}/test", response={202: SubscriptionOut}, summary="Send a test")
def try_out(request: HttpRequest, number: int) -> Any:
    """A request without events and with `"test": true`, though it be paused; `tested_at` tells when it was sent."""
    return Status(202, _out(request, subscriptions.try_out(request.user, number, token_of(request))))


@router.post("/{int:number}/secret", response=SubscriptionMade, summary="Make another secret")
def new_secret(request: HttpRequest, number: int) -> Any:
    """The old one signs nothing any more."""
    made = subscriptions.new_secret(request.user, number, token_of(request))
    return {**_out(request, made.row), "secret": made.secret}


def _token(request: HttpRequest, wanted: int | None) -> AccessToken | None:
    """By which it sees the feed; a token stands for itself alone."""
    via = token_of(request)
    if via is not None:
        if wanted not in (None, via.pk):
            text = "A token subscribes by itself alone."
            raise Refused(text, {"token": [text]})
        return via
    found = {each.pk: each for each in subscriptions.tokens(request.user)}
    if wanted is not None and wanted not in found:
        text = "You have no such token that counts."
        raise Refused(text, {"token": [text]})
    return found[wanted] if wanted is not None else None


def _out(request: HttpRequest, row: Subscription) -> dict[str, Any]:
    same = (
        "name", "kinds", "namespaces", "entry", "run", "user", "text", "state", "cursor", "problem", "tries", "last_at",
        "tested_at", "test_problem", "created_at",
    )  # fmt: skip
    return {
        **{name: getattr(row, name) for name in same},
        "id": row.pk,
        "owner": row.owner.get_username(),
        "token": row.token.name,
        "url": row.url if subscriptions.may_change(request.user, row) else subscriptions.where(row),
        "next_at": row.next_at if row.state == Subscription.State.FAILING else None,
        "lost": row.lost or None,
    }
