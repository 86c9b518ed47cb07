"""Runs: the list, one run, and the parts of its page that load when they are opened."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from wippy_console import permissions
from wippy_console.database.streams import attachment
from wippy_console.forms.runs import STATES, WORDS_OF_WITHIN, RunFilters
from wippy_console.services import batches, by_kind, registry, resetting, runs, timeline
from wippy_console.services.saved_views import settings_of
from wippy_console.views import columns, run_page, saved_views
from wippy_console.views.pages import filters, marked, needs, page, user_of, zone_of


@needs(permissions.VIEW_RUN)
def index(request: HttpRequest) -> HttpResponse:
    """The runs that match the filters in the address."""
    if (view := saved_views.opened(request, "runs")) is not None:
        return view
    form = RunFilters(request.GET)
    given, chosen = filters(form), settings_of(user_of(request), "runs")
    shown = columns.shown(request, chosen)
    results = any(column.name == "result" for column in shown)
    found = runs.search(request.user, form.wanted(zone_of(request)), before=given["before"], results=results)
    context = {
        "page": found,
        "rows": marked(found.rows),
        "again": any(run.retrying for run in found.rows),  # no event tells of each attempt
        "wanted": given,
        "states": STATES,
        "entries": workflows(request.user, given["entry"]),
        "filtered": form.is_narrowed,
        "columns": shown,
        "has_id": any(column.name == "id" for column in shown),
        "offered": columns.offered(shown, found.rows),
        "dense": chosen.dense,
        "clients": clients(request.user, given["client"]),
        "within": WORDS_OF_WITHIN,
        "saved": saved_views.strip(request, "runs", shown if shown != columns.usual() else ()),
        "acts": batches.open_to(request.user),
    }
    return page(request, "runs/list.html", context)


def clients(user: Any, chosen: str) -> list[str]:
    """The clients to filter by, where there is more than one."""
    known = [entry.id for entry in by_kind.entries_for(user, permissions.VIEW_RUN, by_kind.CLIENT)]
    found = sorted({*known, *([chosen] if chosen else [])})
    return found if chosen or len(found) > 1 else []


def workflows(user: Any, chosen: str) -> list[tuple[str, str]]:
    """The entries to filter by; one that is chosen, but was deleted or belongs to a foreign worker, is there too."""
    known = registry.workflows_for(user)
    return known if not chosen or chosen in dict(known) else [*known, (chosen, chosen)]


@needs(permissions.VIEW_RUN)
def show(request: HttpRequest, workflow_id: str, run_id: str) -> HttpResponse:
    """One run."""
    run = runs.get(request.user, workflow_id, run_id)
    return page(request, "runs/run.html", run_page.context(request, run))


@needs(permissions.VIEW_RUN)
def row(request: HttpRequest, workflow_id: str, run_id: str, row_id: int) -> HttpResponse:
    """What is inside a row of the timeline: payloads, failure, events."""
    return detail(request, workflow_id, run_id, row_id)


@needs(permissions.VIEW_RUN)
def question_row(request: HttpRequest, workflow_id: str, run_id: str, question_id: int) -> HttpResponse:
    """The same of a row that waits for a person, whose id is its question's, below zero."""
    return detail(request, workflow_id, run_id, -question_id)


def detail(request: HttpRequest, workflow_id: str, run_id: str, row_id: int) -> HttpResponse:
    """One row's part of the page; NotFoundError."""
    run = runs.get(request.user, workflow_id, run_id)
    found = timeline.row(run, request.user, row_id)
    may_reset = resetting.may_reset(request.user, run)
    return render(request, "runs/_row_detail.html", {"run": run, "row": found, "may_reset": may_reset})


@needs(permissions.VIEW_RUN)
def event(request: HttpRequest, workflow_id: str, run_id: str, event_id: int) -> HttpResponse:
    """One history event with its payloads decoded."""
    run = runs.get(request.user, workflow_id, run_id)
    context = {"run": run, "event_id": event_id, "payload": timeline.event_payload(run, event_id, request.user)}
    return page(request, "runs/event.html", context)


@needs(permissions.VIEW_RUN)
def value(request: HttpRequest, workflow_id: str, run_id: str, which: str) -> StreamingHttpResponse:
    """The input, result or failure, whole, as a JSON file."""
    run = runs.get(request.user, workflow_id, run_id)
    lines = runs.value_file(run, which, request.user)
    return attachment(request, lines, "application/json", f"{which}-{run.run_id}.json")


@needs(permissions.VIEW_RUN)
def payload(request: HttpRequest, workflow_id: str, run_id: str, key: str) -> HttpResponse:
    """All of one payload of the history, as it was sent."""
    run = runs.get(request.user, workflow_id, run_id)
    data, kind = runs.payload_file(run, key, request.user)
    name = f"payload-{key}.{'json' if kind.endswith('json') else 'bin'}"
    return HttpResponse(data, kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@needs(permissions.VIEW_RUN)
def download(request: HttpRequest, workflow_id: str, run_id: str) -> StreamingHttpResponse:
    """The whole history as Temporal's JSON, which its replayer reads; its name says when values are masked in it."""
    run = runs.get(request.user, workflow_id, run_id)
    masked = "-masked" if runs.is_masked(run, request.user) else ""
    lines = runs.history_file(run, request.user)
    return attachment(request, lines, "application/json", f"history-{run.run_id}{masked}.json")
