"""The feed as a page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from wippy_console import permissions
from wippy_console.services import feed
from wippy_console.views.pages import needs, page

SHOWN = 100


@needs(permissions.VIEW_FEED)
def show(request: HttpRequest) -> HttpResponse:
    """The newest events, or with `?since=<id>` those after a cursor; the socket goes on where the list ends."""
    kinds = [kind for kind in request.GET.getlist("kind") if kind in feed.KINDS]
    since = request.GET.get("since", "")
    if since.isdecimal():
        events = feed.after(request.user, int(since), kinds=kinds, limit=SHOWN)[::-1]
        request.feed_cursor = events[0].id if events else int(since)  # type: ignore[attr-defined]
    else:
        events = feed.latest(request.user, limit=SHOWN, kinds=kinds)
    context = {"events": events, "kinds": list(feed.KINDS), "chosen": kinds, "since": since}
    return page(request, "live/feed.html", context)
