"""Start a run."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from engine.entry import Entry
from wippy_console import permissions
from wippy_console.forms.plain import StartForm
from wippy_console.forms.refusals import submit
from wippy_console.forms.schema import MISSING, SchemaForm
from wippy_console.services import runs
from wippy_console.services.errors import Refused
from wippy_console.services.runs import Started
from wippy_console.views.pages import needs, page, schema_form
from wippy_console.views.typed import typed_in

ANYTHING = {"title": "Input", "description": "The first argument. Left empty, the run gets none."}
NOW = "{} was started."
BEFORE = "{} was started by this form before. To start another run, open the form anew."


@needs(permissions.START_RUN)
def start(request: HttpRequest) -> HttpResponse:
    """Choose an entry, fill in the form of its input schema, start it."""
    entries = runs.startable(request.user)
    entry = chosen(entries, wanted := named_by(request))
    typed = typed_in(request, entry=entry.id if entry else wanted or None)
    form = StartForm(runs.workers(request.user), typed.data, worker=runs.likely_worker(entry) if entry else "")
    fields = schema_form(request, (entry and entry.meta.get("input_schema")) or ANYTHING, typed.data)
    outcome = typed.settle(submit(lambda: begin(request.user, entry, form, fields), form, fields))
    if started := outcome.value:
        messages.success(request, (BEFORE if started.before else NOW).format(started.workflow_id))
        return redirect("run", started.workflow_id, started.run_id)
    context = {"entries": entries, "entry": entry, "form": form, "fields": fields, "typed": typed}
    return page(request, "runs/start.html", {**context, "wanted": wanted, "kept": typed.kept()}, outcome.status)


def named_by(request: HttpRequest) -> str:
    """The entry that the address, or the form that was sent, names."""
    return request.POST.get("entry") or request.GET.get("entry", "")


def chosen(entries: list[Entry], entry_id: str) -> Entry | None:
    """The entry to start; the only one there is needs no choice."""
    if not entry_id and len(entries) == 1:
        return entries[0]
    return next((entry for entry in entries if entry.id == entry_id), None)


def begin(user: Any, entry: Entry | None, form: StartForm, fields: SchemaForm) -> Started:
    """Start it with what the forms hold."""
    if entry is None:
        raise Refused("Choose a workflow to start.")
    value, given = fields.value(), form.cleaned_data
    args = [] if value is MISSING else [value]
    return runs.start(user, entry.id, given["worker"], args, given["workflow_id"], key=given["key"])
