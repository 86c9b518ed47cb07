"""The timeline of a run as data, for the browser that draws it and follows it."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.gzip import gzip_page

from wippy_console import permissions
from wippy_console.services import registry, runs, timeline
from wippy_console.views import run_page, timeline_json
from wippy_console.views.pages import needs

COMPACT = {"separators": (",", ":"), "ensure_ascii": False}


@needs(permissions.VIEW_RUN)
@gzip_page
def show(request: HttpRequest, workflow_id: str, run_id: str) -> JsonResponse:
    """The rows that changed since the cursor `after`, all of them without one."""
    run = runs.get(request.user, workflow_id, run_id)
    drawn, changes = timeline.since(run, request.user, request.GET.get("after", ""))
    run_page.show_attempts(run, drawn.rows)
    told = timeline_json.changes(changes, registry.titles())
    return JsonResponse({**told, **timeline_json.head(run, drawn)}, json_dumps_params=COMPACT)
