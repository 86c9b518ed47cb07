"""The timeline of a run as data, for the browser that draws it and follows it."""

from __future__ import annotations

import hashlib
import json

from django.http import HttpRequest, JsonResponse

from wippy_console import permissions
from wippy_console.services import registry, runs, timeline
from wippy_console.views import run_page, timeline_json
from wippy_console.views.pages import needs


@needs(permissions.VIEW_RUN)
def show(request: HttpRequest, workflow_id: str, run_id: str) -> JsonResponse:
    """The rows that changed since the cursor `after`, all of them without one."""
    run = runs.get(request.user, workflow_id, run_id)
    drawn = timeline.rows(run)
    run_page.show_attempts(run, drawn.rows)
    rows = timeline_json.rows(run_page.in_words(drawn.rows), registry.titles())
    cursor = hashlib.blake2b(json.dumps(rows).encode(), digest_size=12).hexdigest()
    same = request.GET.get("after") == cursor
    changes = {"cursor": cursor, "whole": not same, "rows": [] if same else rows, "gone": []}
    return JsonResponse({**changes, **timeline_json.head(run, drawn)})
