"""The feed as a page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from wippy_console import permissions
from wippy_console.services import feed
from wippy_console.services.errors import Refused
from wippy_console.views.pages import needs, number, page

SHOWN = 100


@needs(permissions.VIEW_FEED)
def show(request: HttpRequest) -> HttpResponse:
    """The newest events, or those before `?before=<id>`, or after `?since=<id>`; the socket goes on where they end."""
    kinds = [kind for kind in request.GET.getlist("kind") if kind]
    if unknown := next((kind for kind in kinds if kind not in feed.KINDS), ""):
        raise Refused(f"The address can't be read: there is no kind of event {unknown[:40]}.")
    since, before = number(request.GET.get("since")), number(request.GET.get("before"))
    if since is not None:
        events = feed.after(request.user, since, kinds=kinds, limit=SHOWN)[::-1]
        request.feed_cursor = events[0].id if events else since  # type: ignore[attr-defined]
    else:
        events = feed.latest(request.user, limit=SHOWN + 1, kinds=kinds, before=before)
    more = since is not None or len(events) > SHOWN
    context = {"events": events[:SHOWN], "more": more, "before": before, "kinds": list(feed.KINDS), "chosen": kinds}
    return page(request, "live/feed.html", context)
