"""The feed: what happened, in pages and as it happens."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from ninja import Header, Query, Router, Schema
from pydantic import Field

from wippy_console import permissions
from wippy_console.api import problems, streams
from wippy_console.api.shapes import Json, Limit, PageOf, Text
from wippy_console.services import feed, feed_pages, senders
from wippy_console.services.feed_pages import Wanted

router = Router()

Id = Annotated[int, Field(ge=0, lt=2**63)]
KINDS = tuple(feed.KINDS)


class Event(Schema):
    """A row of the feed; docs/events.md says what `data` holds, by kind."""

    id: int
    at: datetime
    kind: str
    run_id: str
    workflow_id: str
    entry: str
    pid: str
    node: str
    data: dict[str, Json]


class Events(PageOf[Event]):
    """`since` is behind all that was looked through: ask with it for what came later."""

    since: int


class Narrow(Schema):
    """Empty ones want all; those that are set add up. `run` is a run id, or a workflow id with its runs."""

    text: Annotated[Text, Field(max_length=2000)] = ""
    kind: list[Literal[KINDS]] = []  # type: ignore[valid-type]
    run: Annotated[Text, Field(max_length=1000)] = ""
    entry: Annotated[Text, Field(max_length=500)] = ""
    user: Annotated[Text, Field(max_length=150)] = ""


class Filters(Narrow):
    """With `since` the events after that id."""

    since: Id | None = None
    cursor: Annotated[str, Field(max_length=30, pattern="^([ab][0-9]{1,18})?$")] = ""
    limit: Limit = 100


class Following(Narrow):
    """Without `since` from now on."""

    since: Id | None = None


@router.get("", response=Events, summary="List events")
def index(request: HttpRequest, filters: Query[Filters]) -> Any:
    """Newest first; with `since`, what came after that id, oldest first and without a gap.

    A page may be empty and have a `next`: texts are looked for in 20,000 events at a time.
    """
    wanted, place = _wanted(filters), int(filters.cursor[1:] or 0)
    if filters.since is not None or filters.cursor.startswith("a"):
        since = place if filters.cursor.startswith("a") else filters.since or 0
        ahead = feed_pages.ahead(request.user, wanted, since, filters.limit)
        return {
            "items": map(feed.told, ahead.events),
            "next": f"a{ahead.cursor}" if ahead.more else "",
            "since": ahead.cursor,
        }
    head = feed.head()
    before = place if filters.cursor else head + 1
    page = feed_pages.page(request.user, wanted, before=before, limit=filters.limit)
    last = page.events[-1].id if page.more else page.floor + 1 if page.floor else 0
    return {"items": map(feed.told, page.events), "next": f"b{last}" if last else "", "since": head}


@router.get(
    "/events",
    response={200: None},
    summary="Follow the feed",
    openapi_extra={
        "responses": {
            200: {"description": "server-sent events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
        }
    },
)
def events(
    request: HttpRequest,
    filters: Query[Following],
    last_event_id: Annotated[Id | None, Header(alias="Last-Event-ID")] = None,
) -> HttpResponseBase:
    """Server-sent events (`text/event-stream`): `id` is the event's id, `event` its kind, `data` the event as JSON.

    They begin after `Last-Event-ID`, or `since`, or now, and nothing is left out. The first block has no data, but the
    id where it begins. A line of comment comes every 15 seconds. A stream may end at any time (after 2 MB, when the
    server restarts, when the token counts no more): come back with the last id.
    """
    permissions.require(request.user, permissions.VIEW_FEED)
    token = request.access_token  # type: ignore[attr-defined]
    address = senders.address(request.META)
    caller = streams.Caller(token.pk if token else None, address, "" if token else request.session.session_key or "")
    head = feed.head()
    since = last_event_id if last_event_id is not None else filters.since
    if since is not None and since > head:
        name, place = ("Last-Event-ID", "header") if last_event_id is not None else ("since", "query")
        message = f"The newest event is {head}: this id is of another database. Begin anew."
        return problems.answer(422, message, [{"in": place, "path": f"/{name}", "message": message}])
    if status := streams.crowded(caller):
        return problems.answer(status, "Too many streams are open.", headers={"Retry-After": "5"})
    stream = streams.opened(caller, _wanted(filters), head if since is None else since)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(stream.parts(), content_type="text/event-stream", headers=headers)


def _wanted(narrow: Narrow) -> Wanted:
    return Wanted(narrow.text, narrow.entry, narrow.run, narrow.user, tuple(dict.fromkeys(narrow.kind)))
