"""Start a run, also again with the input of another one."""

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
from wippy_console.services.runs import Again, Started
from wippy_console.views.pages import needs, page, schema_form
from wippy_console.views.typed import Typed, typed_in

ANYTHING = {"title": "Input", "description": "The first argument. Left empty, the run gets none."}
NOW = "{} was started."
BEFORE = "{} was started by this form before. To start another run, open the form anew."


@needs(permissions.START_RUN)
def start(request: HttpRequest) -> HttpResponse:
    """Choose an entry, fill in the form of its input schema, start it."""
    entries, again = runs.startable(request.user), again_of(request)
    wanted = again.run.entry_id if again else named_by(request)
    entry = chosen(entries, wanted)
    typed = typed_in(request, entry=entry.id if entry else wanted or None, again=again.run.pk if again else None)
    form, fields = forms(request, entry, again, typed)
    outcome = typed.settle(submit(lambda: begin(request.user, entry, form, fields, again), form, fields))
    if started := outcome.value:
        messages.success(request, (BEFORE if started.before else NOW).format(started.workflow_id))
        return redirect("run", started.workflow_id, started.run_id)
    context = {"entries": entries, "entry": entry, "form": form, "fields": fields, "typed": typed, "again": again}
    response = page(request, "runs/start.html", {**context, "wanted": wanted, "kept": typed.kept()}, outcome.status)
    if request.method == "GET":  # Back must lead to the form with this key: a new one would start a second run
        response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


def named_by(request: HttpRequest) -> str:
    """The entry that the address, or the form that was sent, names."""
    return request.POST.get("entry") or request.GET.get("entry", "")


def again_of(request: HttpRequest) -> Again | None:
    """The run that the address, or the form that was sent, wants started again."""
    run_id = request.POST.get("again") or request.GET.get("again", "")
    return runs.again(request.user, run_id) if run_id else None


def chosen(entries: list[Entry], entry_id: str) -> Entry | None:
    """The entry to start; the only one there is needs no choice."""
    if not entry_id and len(entries) == 1:
        return entries[0]
    return next((entry for entry in entries if entry.id == entry_id), None)


def forms(request: HttpRequest, entry: Entry | None, again: Again | None, typed: Typed) -> tuple[StartForm, SchemaForm]:
    """Where it starts, and with what; both as the run had it that is started again."""
    workers = runs.workers(request.user)
    worker = runs.likely_worker(entry) if entry else ""
    schema = (entry and entry.meta.get("input_schema")) or ANYTHING
    if again is None:
        return StartForm(workers, typed.data, worker=worker), schema_form(request, schema, typed.data)
    same = again.run.worker if again.run.worker in {each.id for each in workers} else worker
    form = StartForm(workers, typed.data, worker=same, workflow_id=again.workflow_id, more=again.args[1:])
    return form, schema_form(request, schema, typed.data, again.args[0] if again.args else MISSING)


def begin(user: Any, entry: Entry | None, form: StartForm, fields: SchemaForm, again: Again | None) -> Started:
    """Start it with what the forms hold."""
    if entry is None:
        raise Refused("Choose a workflow to start.")
    value, given = fields.value(), form.cleaned_data
    args = arguments(value, given.get("more", []))
    run = again.run if again else None
    return runs.start(user, entry.id, given["worker"], args, given["workflow_id"], key=given["key"], again=run)


def arguments(value: Any, more: list[Any]) -> list[Any]:
    """All of them; a first one that is missing is nothing, where others follow."""
    if value is MISSING:
        return [None, *more] if more else []
    return [value, *more]
