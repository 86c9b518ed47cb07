"""Runs: the list, one run, and the parts of its page that load when they are opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from wippy_console import permissions
from wippy_console.forms.plain import SearchForm
from wippy_console.models import Question
from wippy_console.services import runs, timeline
from wippy_console.services.errors import NotFoundError
from wippy_console.views import run_page
from wippy_console.views.pages import needs, page

FILTERS = (("text", "q"), ("status", "status"), ("entry", "entry"), ("before", "before"))


@needs(permissions.VIEW_RUN)
def index(request: HttpRequest) -> HttpResponse:
    """The runs that match the filters in the address."""
    form = SearchForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    found = search(request.user, wanted)
    mark_asking(found.rows)
    context = {"page": found, "wanted": wanted, "statuses": form.STATUSES, "filtered": any(wanted.values())}
    return page(request, "runs/list.html", context)


def search(user: Any, wanted: Mapping[str, Any]) -> runs.Page:
    """The page of runs that the filters ask for."""
    text = {name: str(wanted.get(field) or "") for name, field in FILTERS}
    return runs.search(user, waiting=bool(wanted.get("waiting")), **text)  # type: ignore[arg-type]


def mark_asking(rows: list[Any]) -> None:
    """Note on each row whether it waits for a person: one query for all of them."""
    open_questions = Question.objects.filter(run__in=rows, closed_at=None)
    asking = set(open_questions.values_list("run_id", flat=True))
    for row in rows:
        row.asks = row.run_id in asking


@needs(permissions.VIEW_RUN)
def show(request: HttpRequest, workflow_id: str, run_id: str) -> HttpResponse:
    """One run."""
    run = runs.get(request.user, workflow_id, run_id)
    return page(request, "runs/run.html", run_page.context(request, run))


@needs(permissions.VIEW_RUN)
def row(request: HttpRequest, workflow_id: str, run_id: str, row_id: int) -> HttpResponse:
    """What is inside a row of the timeline: payloads, failure, events."""
    run = runs.get(request.user, workflow_id, run_id)
    found = next((each for each in timeline.rows(run).rows if each.id == row_id), None)
    if found is None:
        raise NotFoundError(f"The run has no row {row_id}.")
    return render(request, "runs/_row_detail.html", {"run": run, "row": found})


@needs(permissions.VIEW_RUN)
def event(request: HttpRequest, workflow_id: str, run_id: str, event_id: int) -> HttpResponse:
    """One history event with its payloads decoded."""
    run = runs.get(request.user, workflow_id, run_id)
    context = {"run": run, "event_id": event_id, "payload": timeline.event_payload(run, event_id)}
    return page(request, "runs/event.html", context)


@needs(permissions.VIEW_RUN)
def download(request: HttpRequest, workflow_id: str, run_id: str) -> HttpResponse:
    """The whole history as Temporal's JSON, which its replayer reads."""
    run = runs.get(request.user, workflow_id, run_id)
    name = f'attachment; filename="history-{run.run_id}.json"'
    return HttpResponse(runs.history(run).to_json(), "application/json", headers={"Content-Disposition": name})
