"""Histories from files: brought here, and looked at as runs are."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from wippy_console import permissions
from wippy_console.forms.imported import ImportForm
from wippy_console.forms.refusals import submit
from wippy_console.models import ImportedHistory
from wippy_console.services import imported, timeline
from wippy_console.services.errors import NotFoundError, Refused
from wippy_console.services.runs import history_text
from wippy_console.services.timeline import Axis, lay_out
from wippy_console.views.pages import choice, needs, number, page, user_of
from wippy_console.views.run_page import asked_for

logger = logging.getLogger(__name__)

TABS = ("timeline", "table", "events", "json")
EVENTS = 200
JSON_SHOWN = 200_000
_ODD = "This part can't be drawn: something in the file is as no server writes it."


@needs(permissions.VIEW_RUN)
def bring(request: HttpRequest) -> HttpResponse:
    """The form for a file, and what one brought before."""
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    outcome = submit(lambda: keep(request), form)
    if made := outcome.value:
        return redirect("imported", made.pk)
    context = {"form": form, "rows": imported.listed(request.user), "kept": imported.KEPT, "days": imported.KEPT_DAYS}
    return page(request, "imported/import.html", context, outcome.status)


def keep(request: HttpRequest) -> ImportedHistory:
    """Read the file that was sent, no further than may be."""
    file: Any = request.FILES["file"]
    try:
        return imported.keep(user_of(request), str(file.name), file.read(imported.MOST_BYTES + 1))
    except Refused as refusal:
        raise Refused(refusal.message, {"file": [refusal.message]}) from refusal


@needs(permissions.VIEW_RUN)
def show(request: HttpRequest, history_id: int) -> HttpResponse:
    """One of them."""
    found, tab = imported.get(request.user, history_id), choice(request, "tab", TABS)
    context = {"history": found, "tab": tab, "tabs": TABS, "wanted": asked_for(request)}
    try:
        context |= {**_io(found), **CONTEXT[tab](found, request)}
    except Refused as refusal:
        context["no_history"] = refusal.message
    return page(request, "imported/history.html", context)


@needs(permissions.VIEW_RUN)
def event(request: HttpRequest, history_id: int, event_id: int) -> HttpResponse:
    """One event with its payloads decoded."""
    found = imported.get(request.user, history_id)
    events = imported.events(found)
    if not 0 < event_id <= len(events):
        raise NotFoundError(f"The history has no event {event_id}.")
    payload = guarded(lambda: timeline.event_json(events[event_id - 1]))
    return page(request, "imported/event.html", {"history": found, "event_id": event_id, "payload": payload})


@needs(permissions.VIEW_RUN)
def download(request: HttpRequest, history_id: int) -> StreamingHttpResponse:
    """The history as the JSON that Temporal's replayer reads."""
    found = imported.get(request.user, history_id)
    name = f'attachment; filename="history-{found.run_id or found.pk}.json"'
    chunks = history_text.pieces(imported.events(found))
    return StreamingHttpResponse(chunks, content_type="application/json", headers={"Content-Disposition": name})


@needs(permissions.VIEW_RUN)
@require_POST
def discard(request: HttpRequest, history_id: int) -> HttpResponse:
    """Forget it."""
    imported.discard(request.user, history_id)
    messages.success(request, "The imported history was removed.")
    return redirect("import")


def guarded(draw: Callable[[], Any]) -> Any:
    """What it draws; Refused where a file holds what drawing did not expect."""
    try:
        return draw()
    except (Refused, MemoryError):
        raise
    except Exception as error:
        logger.info("a part of an imported history can't be drawn: %r", error)
        raise Refused(_ODD) from error


def _io(found: ImportedHistory) -> dict[str, Any]:
    def drawn() -> dict[str, Any]:
        rows = timeline.of_events(imported.events(found)).rows
        ends = [row for row in rows if row.id == 1 or row.kind == "exit"]
        first, *rest = timeline.opened_among(imported.events(found), ends)
        return {"first": first, "exit": rest[-1] if rest else None}

    found_io: dict[str, Any] = guarded(drawn)
    return found_io


def _timeline(found: ImportedHistory, request: HttpRequest) -> dict[str, Any]:
    drawn = timeline.of_events(imported.events(found))
    wanted = asked_for(request)
    laid: dict[str, Any] = guarded(lambda: {"axis": Axis.of(drawn), **lay_out(drawn, wanted)})
    return {"timeline": drawn, **laid}


def _table(found: ImportedHistory, request: HttpRequest) -> dict[str, Any]:
    drawn = timeline.of_events(imported.events(found))
    shown = timeline.kept(drawn, asked_for(request))
    paged = timeline.page(shown, after=number(request.GET.get("after")), before=number(request.GET.get("before")))
    rows = guarded(lambda: timeline.opened_among(imported.events(found), paged.rows))
    return {"rows": rows, "paged": paged, "total": len(shown)}


def _events(found: ImportedHistory, request: HttpRequest) -> dict[str, Any]:
    after = number(request.GET.get("after")) or 0
    drawn = timeline.of_events(imported.events(found))
    labels = {event.id: row.label for row in drawn.rows for event in row.events}
    some = imported.events(found)[after : after + EVENTS]
    listed = guarded(lambda: [timeline.event_head(each) for each in some])
    following = after + EVENTS if after + EVENTS < found.events else None
    rows = [(each, labels.get(each.id, "")) for each in listed]
    return {"events": rows, "next": following, "previous": max(0, after - EVENTS) if after else None}


def _json(found: ImportedHistory, request: HttpRequest) -> dict[str, Any]:
    text, is_all = history_text.beginning(imported.events(found), JSON_SHOWN)
    return {"json_text": text, "json_cut": not is_all}


CONTEXT: dict[str, Callable[[ImportedHistory, HttpRequest], dict[str, Any]]] = {
    "timeline": _timeline,
    "table": _table,
    "events": _events,
    "json": _json,
}
