"""What people can do to processes and services, each by a form that stands in a dialog or on a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from engine.entry import Entry
from wippy_console import permissions
from wippy_console.forms.plain import KeyForm, MessageForm
from wippy_console.forms.processes import EndProcessForm, SpawnForm
from wippy_console.forms.refusals import Outcome, submit
from wippy_console.forms.schema import MISSING, SchemaForm
from wippy_console.services import by_kind, fleet, processes
from wippy_console.services.errors import Conflict, NotFoundError, Refused, Unavailable
from wippy_console.views.pages import done, needs, page, schema_form
from wippy_console.views.start import chosen, named_by
from wippy_console.views.typed import Typed, typed_in

ENDINGS = {"cancel": permissions.CANCEL_RUN, "terminate": permissions.TERMINATE_RUN}
MOVES = {"start": "is starting", "stop": "was stopped", "restart": "is starting anew"}
FLEET = "feed-fleet"
UNKNOWN = (Conflict.status, Unavailable.status)
"""Refusals after which its node is not asked how the process stands."""

T = TypeVar("T")


@needs(permissions.START_RUN)
def spawn(request: HttpRequest) -> HttpResponse:
    """Choose a process entry, fill in its form, spawn it."""
    entries = processes.spawnable(request.user)
    entry = chosen(entries, wanted := named_by(request))
    schema = entry.meta.get("input_schema") if entry else None
    typed = typed_in(request, entry=entry.id if entry else wanted or None)
    form = SpawnForm(hosts(request.user, entry), nodes(), typed.data, drawn=schema is not None, **named(entry))
    fields = schema_form(request, schema, typed.data)
    outcome = typed.settle(attempt(lambda: spawned(request.user, entry, form, fields), form, fields))
    if entry and (pid := outcome.value):
        messages.success(request, f"{entry.id} was spawned as {pid}.")
        return done(request, reverse("process", args=(pid,)), FLEET)
    context = {"entries": entries, "entry": entry, "form": form, "fields": fields, "typed": typed}
    return page(request, "processes/spawn.html", {**context, "wanted": wanted, "kept": typed.kept()}, outcome.status)


def hosts(user: Any, entry: Entry | None) -> list[str]:
    """The process.host entries of the user's namespaces, and the one that the process runs on by itself."""
    usual = processes.likely_host(entry) if entry else ""
    found = {each.id for each in by_kind.entries_for(user, permissions.START_RUN, by_kind.PROCESS_HOST)}
    return sorted(filter(None, {*found, usual}))


def nodes() -> list[str]:
    """The nodes that are alive."""
    return [node.id for node in fleet.alive()]


def named(entry: Entry | None) -> dict[str, str]:
    """The host that the entry names for itself."""
    return {"host": str(entry.meta.get("default_host", ""))} if entry else {}


def spawned(user: Any, entry: Entry | None, form: SpawnForm, fields: SchemaForm) -> str:
    """The pid; what the schema's form holds is the first argument."""
    if entry is None:
        raise Refused("Choose a process to spawn.")
    given, value = form.cleaned_data, fields.value()
    args = given.get("args", [] if value is MISSING else [value])
    place = {"name": given["name"], "node": given["node"], "key": key_of(form)}
    return processes.spawn(user, entry.id, given["host"], args, **place)


def attempt(act: Callable[[], T], form: KeyForm, fields: SchemaForm | None = None) -> Outcome[T]:
    """Act; what is gone by now is a conflict like others, and stands on the form."""
    outcome = submit(act, form, fields)
    return replace(outcome, status=Conflict.status) if outcome.status == NotFoundError.status else outcome


@needs(permissions.SIGNAL_RUN)
def message(request: HttpRequest, pid: str) -> HttpResponse:
    """Send a message."""
    typed = typed_in(request)
    form = MessageForm(typed.data)

    def act() -> None:
        given = form.cleaned_data
        processes.message(request.user, pid, given["topic"], form.payload_value(), key=key_of(form))

    return acted(typed, pid, "message", form, act, "The message was put into the mailbox of {pid}.")


def end(request: HttpRequest, action: str, pid: str) -> HttpResponse:
    """Confirm and carry out a cancel or a termination; the page states what would be ended, as it is now."""
    if action not in ENDINGS:
        raise Http404
    permissions.require(request.user, ENDINGS[action])
    typed = typed_in(request)
    form = EndProcessForm(typed.data)

    def act() -> None:
        given = form.cleaned_data
        getattr(processes, action)(request.user, pid, given["reason"], key=key_of(form))

    success = "{pid} was asked to stop." if action == "cancel" else "{pid} was terminated."
    return acted(typed, pid, action, form, act, success)


def acted(typed: Typed, pid: str, action: str, form: KeyForm, act: Callable[[], None], success: str) -> HttpResponse:
    """The form of an action on a process beside its live state, or what came of it."""
    request, outcome = typed.request, typed.settle(attempt(act, form))
    if outcome.done:
        messages.success(request, success.format(pid=pid))
        url = reverse("processes") if action == "terminate" else reverse("process", args=(pid,))
        return done(request, url, FLEET)
    detail = processes.describe(request.user, pid) if outcome.status not in UNKNOWN else None
    context = {"pid": pid, "detail": detail, "form": form, "action": action, "typed": typed}
    template = "message" if action == "message" else "end"
    return page(request, f"processes/{template}.html", context, outcome.status)


def service(request: HttpRequest, service_id: int, action: str) -> HttpResponse:
    """Confirm and carry out a start, stop or restart of a service."""
    if action not in MOVES:
        raise Http404
    permissions.require(request.user, processes.SERVICE_ACTS[action])
    found = processes.get_service(request.user, service_id)
    typed = typed_in(request)
    form = KeyForm(typed.data)
    outcome = attempt(lambda: processes.move_service(request.user, found, action, key=key_of(form)), form)
    typed.settle(outcome)
    if outcome.done:
        messages.success(request, f"{found.entry_id} {MOVES[action]}.")
        return done(request, reverse("processes"), FLEET)
    context = {"service": found, "action": action, "form": form, "typed": typed}
    return page(request, "processes/service.html", context, outcome.status)


def key_of(form: KeyForm) -> str:
    """The key that was made with the form."""
    return str(form.cleaned_data["key"])
