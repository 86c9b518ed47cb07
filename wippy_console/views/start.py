"""Start a run."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from engine.entry import Entry
from wippy_console import permissions
from wippy_console.forms.fields import MISSING
from wippy_console.forms.plain import StartForm
from wippy_console.forms.schema import SchemaForm
from wippy_console.services import runs
from wippy_console.services.errors import Refused
from wippy_console.services.runs import Started
from wippy_console.views.pages import needs, page

ANYTHING = {"title": "Input", "description": "The first argument. Left empty, the run gets none."}


@needs(permissions.START_RUN)
def start(request: HttpRequest) -> HttpResponse:
    """Choose an entry, fill in the form of its input schema, start it."""
    entries = runs.startable(request.user)
    entry = chosen(entries, request.POST.get("entry") or request.GET.get("entry", ""))
    data = request.POST or None
    form = StartForm(runs.workers(), data, worker=runs.named_worker(entry) if entry else "")
    fields = SchemaForm((entry and entry.meta.get("input_schema")) or ANYTHING, data)
    if entry and data is not None and (started := try_to_start(request, entry, form, fields)):
        messages.success(request, f"{started.workflow_id} was started.")
        return redirect("run", started.workflow_id, started.run_id)
    context = {"entries": entries, "entry": entry, "form": form, "fields": fields}
    return page(request, "runs/start.html", context, 200 if data is None else 422)


def chosen(entries: list[Entry], entry_id: str) -> Entry | None:
    """The entry to start; the only one there is needs no choice."""
    if not entry_id and len(entries) == 1:
        return entries[0]
    return next((entry for entry in entries if entry.id == entry_id), None)


def try_to_start(request: HttpRequest, entry: Entry, form: StartForm, fields: SchemaForm) -> Started | None:
    """Start it; None when the input was refused, with the errors on the forms."""
    if not (form.is_valid() & fields.is_valid()):
        return None
    value: Any = fields.value()
    given = form.cleaned_data
    args = [] if value is MISSING else [value]
    try:
        return runs.start(request.user, entry.id, given["worker"], args, given["workflow_id"])
    except Refused as refusal:
        if refusal.status not in (409, 422):
            raise
        place_errors(refusal, form, fields)
        return None


def place_errors(refusal: Refused, form: StartForm, fields: SchemaForm) -> None:
    """A taken id belongs to its field, everything else to the input."""
    if refusal.status == 409:
        form.add_error("workflow_id", refusal.message)
        return
    own = {name: errors for name, errors in refusal.fields.items() if name in form.fields and name not in fields.fields}
    for name, errors in own.items():
        form.add_error(name, errors)
    rest = {name: errors for name, errors in refusal.fields.items() if name not in own}
    if rest or not own:
        fields.take_errors(Refused(refusal.message, rest))
