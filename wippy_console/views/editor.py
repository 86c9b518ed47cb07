"""The editor: a save makes a new registry version, or says what is wrong and keeps the draft."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from engine.entry import Entry
from wippy_console import permissions
from wippy_console.forms.entry import KINDS, NEW, EntryForm, NewEntryForm, initial
from wippy_console.models import Version
from wippy_console.services import registry
from wippy_console.services.errors import Conflict, NotFoundError, Refused
from wippy_console.views.differences import unified
from wippy_console.views.pages import needs, page, user_of
from wippy_console.views.registry import entry_text


@needs(permissions.PUBLISH_VERSION)
def edit(request: HttpRequest, entry_id: str) -> HttpResponse:
    """Change an entry."""
    entry = registry.entry(entry_id)
    form = EntryForm(request.POST or None, initial=initial(entry, registry.current_number()))
    outcome = save(request, entry_id, entry.kind, form) if form.is_bound and form.is_valid() else {}
    if "version" in outcome:
        return redirect("entry", entry_id)
    context = {"entry": entry, "form": form, **outcome, "problems": problems_of(form, outcome)}
    return page(request, "registry/edit.html", context, status_of(form, outcome))


@needs(permissions.PUBLISH_VERSION)
def new(request: HttpRequest) -> HttpResponse:
    """Make an entry."""
    kind = request.GET.get("kind", "workflow.lua")
    form = NewEntryForm(request.POST or None, initial={"kind": kind, **NEW})
    outcome = {}
    if form.is_bound and form.is_valid():
        outcome = save(request, form.cleaned_data["entry_id"], form.cleaned_data["kind"], form)
    if "version" in outcome:
        return redirect("entry", form.cleaned_data["entry_id"])
    context = {"entry": None, "form": form, "kinds": KINDS, **outcome, "problems": problems_of(form, outcome)}
    return page(request, "registry/edit.html", context, status_of(form, outcome))


def save(request: HttpRequest, entry_id: str, kind: str, form: EntryForm) -> dict[str, Any]:
    """Publish the draft: {"version"}, or {"refusal", "status"} and what the page shows about it."""
    meta, data = form.parts()
    base = form.cleaned_data["base"]
    message = form.cleaned_data["message"] or f"Edit {entry_id}"
    try:
        made = registry.save_entry(
            user_of(request), entry_id, base=base, kind=kind, meta=meta, data=data, message=message
        )
    except Conflict as conflict:
        mine = Entry(entry_id, kind, meta, data)
        return {"refusal": conflict, "status": conflict.status, **three_way(entry_id, base, mine)}
    except Refused as refusal:
        return {"refusal": refusal, "status": refusal.status}
    tell(request, entry_id, base, made)
    return {"version": made}


def tell(request: HttpRequest, entry_id: str, base: int | None, made: Version) -> None:
    """Say what became of the draft; without a change there is no new version."""
    if made.number == base:
        messages.info(request, f"Nothing had changed in {entry_id}, so there is no new version.")
    else:
        text = f"{entry_id} is published as version {made.number}. Open runs keep the code they began with."
        messages.success(request, text)


def three_way(entry_id: str, base: int | None, mine: Entry) -> dict[str, Any]:
    """What the others changed since the base, and what this draft changes; `rebase` is the version to save on next."""
    common, theirs = text_of(entry_id, base or 0), text_of(entry_id, None)
    return {
        "base": base,
        "theirs": unified(common, theirs),
        "yours": unified(common, entry_text(mine)),
        "between": unified(theirs, entry_text(mine)),
        "rebase": registry.current_number(),
    }


def text_of(entry_id: str, at: int | None) -> str:
    """The entry's text at a version, "" where it did not exist."""
    try:
        return entry_text(registry.entry(entry_id, at))
    except NotFoundError:
        return ""


def problems_of(form: EntryForm, outcome: dict[str, Any]) -> list[dict[str, Any]]:
    """Every problem with its place, for the list on the page and the marks in the editor."""
    found = [problem.to_json() for problem in getattr(outcome.get("refusal"), "problems", ())]
    if line := form.fields_line():
        found.append({"field": "fields", "line": line, "message": form.errors["fields_text"][0]})
    return found


def status_of(form: EntryForm, outcome: dict[str, Any]) -> int:
    """200 for a page that nobody sent yet."""
    return int(outcome.get("status", 422 if form.is_bound else 200))
