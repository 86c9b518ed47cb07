"""The feed as a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse

from wippy_console import permissions
from wippy_console.forms.live import FeedForm
from wippy_console.live.frames import rendered
from wippy_console.services import feed, feed_pages, registry
from wippy_console.services.errors import Refused
from wippy_console.services.feed_pages import Wanted
from wippy_console.views import saved_views
from wippy_console.views.pages import filters, needs, number, page

SHOWN = 100
ENDS_FIRST = (feed.EXIT, feed.PROCESS_EXIT)
KINDS = (*ENDS_FIRST, *(kind for kind in feed.KINDS if kind not in ENDS_FIRST))


@needs(permissions.VIEW_FEED)
def show(request: HttpRequest) -> HttpResponse:
    """The newest events, or those before `?before=<id>`, or after `?since=<id>`; the socket goes on where they end."""
    if (view := saved_views.opened(request, "live")) is not None:
        return view
    wanted = asked_for(request)
    since, before = number(request.GET.get("since")), number(request.GET.get("before"))
    cursor = getattr(request, "feed_cursor", None) or feed.head()
    found = feed_pages.page(request.user, wanted, before=before, since=since, limit=SHOWN)
    events = found.events
    if since is not None:
        cursor = events[0].id if events else since
    request.feed_cursor = cursor  # type: ignore[attr-defined]
    context = {
        "events": events,
        "cursor": cursor,
        "more": found.more,
        "floor": found.floor,
        "window": feed_pages.WINDOW,
        "before": before,
        "kinds": KINDS,
        "wanted": wanted,
        "entries": options(request.user, wanted.entry),
        "filtered": wanted != Wanted(),
        "saved": saved_views.strip(request, "live"),
    }
    return page(request, "live/feed.html", context)


@needs(permissions.VIEW_FEED)
def missed(request: HttpRequest) -> HttpResponse:
    """What came after `?since=<id>`, by the filters of the page: rows as the socket sends them, oldest first."""
    found = feed_pages.missed(request.user, asked_for(request), number(request.GET.get("since")) or 0)
    numbers = f'"cursor":{found.cursor},"count":{found.count},"skipped":{found.skipped},"left":{found.left}'
    rows = ",".join(frame.text for frame in rendered(found.events))
    response = HttpResponse(f'{{"events":[{rows}],{numbers}}}', content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def asked_for(request: HttpRequest) -> Wanted:
    """The filters in the address; Refused where one is none."""
    texts = filters(FeedForm(request.GET))
    return Wanted(texts["q"], texts["entry"], texts["run"], texts["user"], kinds_of(request))


def kinds_of(request: HttpRequest) -> tuple[str, ...]:
    """The kinds in the address."""
    kinds = tuple(dict.fromkeys(kind for kind in request.GET.getlist("kind") if kind))
    if unknown := next((kind for kind in kinds if kind not in feed.KINDS), ""):
        raise Refused(f"The address can't be read: there is no kind of event {unknown[:40]}.")
    return kinds


def options(user: Any, chosen: str) -> Sequence[tuple[str, str]]:
    """The workflows to filter by, and what is chosen, whatever it is."""
    known = registry.workflows_for(user)
    return known if not chosen or chosen in dict(known) else [*known, (chosen, chosen)]
