"""Schedules: runs that Temporal holds until their time comes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from wippy_console import permissions
from wippy_console.api.shapes import Cursor, Limit, PageOf, Text
from wippy_console.models import Run
from wippy_console.services import runs, states
from wippy_console.services.runs import Wanted

router = Router()


class ScheduledOut(Schema):
    """A run whose code begins later: `starts_at`."""

    run_id: str
    workflow_id: str
    entry: str
    starts_at: datetime
    started_at: datetime
    started_by: str


class Filters(Schema):
    """Empty ones want all."""

    entry: Annotated[Text, Field(max_length=500)] = ""
    cursor: Cursor = ""
    limit: Limit = 50


@router.get("", response=PageOf[ScheduledOut], summary="List what is scheduled")
def index(request: HttpRequest, filters: Query[Filters]) -> Any:
    """Runs that were started with a delay or a cron expression and wait for their time, newest first.

    There are no schedules of their own yet: cancel such a run to keep it from beginning.
    """
    permissions.require(request.user, permissions.VIEW_RUN)
    wanted = Wanted(statuses=(states.SCHEDULED,), entry=filters.entry)
    page = runs.search(request.user, wanted, before=filters.cursor, limit=filters.limit)
    return {"items": [_out(run) for run in page.rows], "next": page.next_cursor}


def _out(run: Run) -> dict[str, Any]:
    return {
        **{name: getattr(run, name) for name in ("run_id", "workflow_id", "starts_at", "started_at")},
        "entry": run.entry_id,
        "started_by": run.started_by.get_username() if run.started_by else "",
    }
