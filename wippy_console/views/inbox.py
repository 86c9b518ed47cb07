"""The inbox: what runs ask, of those who may answer."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from wippy_console import permissions
from wippy_console.forms.inbox import InboxFilters
from wippy_console.services import questions, registry
from wippy_console.views import saved_views
from wippy_console.views.asked import shown
from wippy_console.views.pages import choice, filters, needs, page, zone_of

WORDS = {
    "open": "Open",
    "mine": "Mine",
    "unassigned": "Unassigned",
    "overdue": "Overdue",
    "soon": "Due soon",
    "later": "Later",
    "others": "Others",
    "done": "Done",
}
"""What the views are called."""


@needs(permissions.VIEW_QUESTION)
def index(request: HttpRequest) -> HttpResponse:
    """A page of one view, by the filters in the address."""
    if (opens := saved_views.opened(request, "inbox")) is not None:
        return opens
    view = choice(request, "view", questions.VIEWS)
    form = InboxFilters(request.GET)
    given = filters(form)
    wanted = form.wanted(zone_of(request))
    found = questions.paged(request.user, view, wanted, after=given["after"], before=given["before"])
    listed = questions.count(questions.listed(request.user, view, wanted))
    context = {
        "view": view,
        "views": WORDS.items(),
        "page": found,
        "rows": shown(found.rows, request.user),
        "count": questions.counted(listed),
        "bulk": view != "done" and permissions.allows(request.user, permissions.SIGNAL_RUN),
        "wanted": given,
        "filtered": form.is_narrowed,
        "saved": saved_views.strip(request, "inbox"),
        "entries": registry.workflows_for(request.user, permissions.SIGNAL_RUN),
        "priorities": form.fields["priority"].choices,  # type: ignore[attr-defined]
    }
    return page(request, "inbox/list.html", context)


@needs(permissions.VIEW_QUESTION)
def badge(request: HttpRequest) -> HttpResponse:
    """The number in the navigation."""
    return render(request, "parts/inbox_badge.html", {"live": True})
