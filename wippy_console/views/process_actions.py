"""What people can do to processes and services, each by a form that stands in a dialog or on a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from engine.entry import Entry
from wippy_console import permissions
from wippy_console.forms.fields import MISSING
from wippy_console.forms.plain import KeyForm
from wippy_console.forms.processes import EndProcessForm, MessageForm, SpawnForm
from wippy_console.forms.schema import NOTHING, SchemaForm
from wippy_console.services import by_kind, fleet, processes
from wippy_console.services.errors import Refused
from wippy_console.views.pages import done, needs, page
from wippy_console.views.start import chosen

ENDINGS = {"cancel": permissions.CANCEL_RUN, "terminate": permissions.TERMINATE_RUN}
MOVES = {"start": "is starting", "stop": "was stopped", "restart": "is starting anew"}
FLEET = "feed-fleet"


@needs(permissions.START_RUN)
def spawn(request: HttpRequest) -> HttpResponse:
    """Choose a process entry, fill in its form, spawn it."""
    entries = processes.spawnable(request.user)
    entry = chosen(entries, request.POST.get("entry") or request.GET.get("entry", ""))
    schema = entry.meta.get("input_schema") if entry else None
    data = request.POST or None
    form = SpawnForm(hosts(), nodes(), data, drawn=schema is not None, **named(entry))
    fields = SchemaForm(schema or NOTHING, data)
    status = 200 if data is None else 422
    if entry and data is not None and form.is_valid() & fields.is_valid():
        pid: list[str] = []
        status = attempt(lambda: pid.append(spawned(request, entry, form, fields)), form, fields)
        if pid:
            messages.success(request, f"{entry.id} was spawned as {pid[0]}.")
            return done(request, reverse("process", args=(pid[0],)), FLEET)
    context = {"entries": entries, "entry": entry, "form": form, "fields": fields}
    return page(request, "processes/spawn.html", context, status)


def hosts() -> list[str]:
    """The process.host entries."""
    return [entry.id for entry in by_kind.entries(by_kind.PROCESS_HOST)]


def nodes() -> list[str]:
    """The nodes that are alive."""
    return [node.id for node in fleet.alive()]


def named(entry: Entry | None) -> dict[str, str]:
    """The host that the entry names for itself."""
    return {"host": str(entry.meta.get("default_host", ""))} if entry else {}


def spawned(request: HttpRequest, entry: Entry, form: SpawnForm, fields: SchemaForm) -> str:
    """The pid; what the schema's form holds is the first argument."""
    given, value = form.cleaned_data, fields.value()
    args = given.get("args", [] if value is MISSING else [value])
    place = {"name": given["name"], "node": given["node"], "key": str(given["key"])}
    return processes.spawn(request.user, entry.id, given["host"], args, **place)


def attempt(act: Callable[[], Any], form: KeyForm, fields: SchemaForm | None = None) -> int:
    """Act; 200, or the status of the refusal, which stands on the form then, with the draft kept."""
    try:
        act()
    except Refused as refusal:
        if refusal.status not in (404, 409, 422):
            raise
        own = {name: errors for name, errors in refusal.fields.items() if name in form.fields}
        rest = {name: errors for name, errors in refusal.fields.items() if name not in form.fields}
        if own or fields is None or refusal.status != 422:
            form.take_errors(Refused(refusal.message, own))
        if rest and fields is not None:
            fields.take_errors(Refused(refusal.message, rest))
        elif not own and fields is not None and refusal.status == 422:
            form.take_errors(Refused(refusal.message))
        return 409 if refusal.status == 404 else refusal.status
    return 200


@needs(permissions.SIGNAL_RUN)
def message(request: HttpRequest, pid: str) -> HttpResponse:
    """Send a message."""
    form = MessageForm(request.POST or None)

    def act() -> None:
        given = form.cleaned_data
        processes.message(request.user, pid, given["topic"], form.payload_value(), key=str(given["key"]))

    return acted(request, pid, "message", form, act, "The message was put into the mailbox of {pid}.")


def end(request: HttpRequest, action: str, pid: str) -> HttpResponse:
    """Confirm and carry out a cancel or a termination; the page states what would be ended, as it is now."""
    if action not in ENDINGS:
        raise Http404
    permissions.require(request.user, ENDINGS[action])
    form = EndProcessForm(request.POST or None)

    def act() -> None:
        given = form.cleaned_data
        getattr(processes, action)(request.user, pid, given["reason"], key=str(given["key"]))

    told = "{pid} was asked to stop." if action == "cancel" else "{pid} was terminated."
    return acted(request, pid, action, form, act, told)


def acted(
    request: HttpRequest, pid: str, action: str, form: KeyForm, act: Callable[[], None], told: str
) -> HttpResponse:
    """The form of an action on a process beside its live state, or what came of it."""
    status = 200
    if form.is_bound:
        status = attempt(act, form) if form.is_valid() else Refused.status
        if status == 200:
            messages.success(request, told.format(pid=pid))
            url = reverse("processes") if action == "terminate" else reverse("process", args=(pid,))
            return done(request, url, FLEET)
    detail = processes.describe(request.user, pid) if status != 409 else None
    context = {"pid": pid, "detail": detail, "form": form, "action": action}
    return page(request, f"processes/{'message' if action == 'message' else 'end'}.html", context, status)


def service(request: HttpRequest, service_id: int, action: str) -> HttpResponse:
    """Confirm and carry out a start, stop or restart of a service."""
    if action not in MOVES:
        raise Http404
    permissions.require(request.user, processes.SERVICE_ACTS[action])
    found = processes.get_service(request.user, service_id)
    form, status = KeyForm(request.POST or None), 200
    if form.is_bound and form.is_valid():
        key = str(form.cleaned_data["key"])
        status = attempt(lambda: processes.move_service(request.user, found, action, key=key), form)
        if status == 200:
            messages.success(request, f"{found.entry_id} {MOVES[action]}.")
            return done(request, reverse("processes"), FLEET)
    return page(request, "processes/service.html", {"service": found, "action": action, "form": form}, status)
