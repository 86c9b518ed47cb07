"""The editor: a save makes a new registry version, or says what is wrong and keeps the draft."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from engine.entry import Entry
from engine.registry.problems import Problem
from engine.registry.texts import entry_text
from wippy_console import permissions
from wippy_console.forms.entry import KINDS, EntryForm, NewEntryForm, initial, suggestion
from wippy_console.forms.refusals import submit
from wippy_console.models import Version
from wippy_console.services import registry
from wippy_console.services.errors import Conflict, NotFoundError
from wippy_console.views.differences import unified
from wippy_console.views.pages import needs, page, user_of
from wippy_console.views.typed import typed_in


@needs(permissions.PUBLISH_VERSION)
def edit(request: HttpRequest, entry_id: str) -> HttpResponse:
    """Change an entry."""
    entry = registry.entry_for(request.user, entry_id)
    permissions.require(request.user, permissions.PUBLISH_VERSION, entry.namespace)
    typed = typed_in(request)
    form = EntryForm(typed.data, initial=initial(entry, registry.current_number()))
    outcome = typed.settle(submit(lambda: save(request, entry_id, entry.kind, form), form))
    if outcome.done:
        return redirect("entry", entry_id)
    context = {"entry": entry, "form": form, "typed": typed, **findings(entry_id, entry.kind, form)}
    return page(request, "registry/edit.html", context, outcome.status)


@needs(permissions.PUBLISH_VERSION)
def new(request: HttpRequest) -> HttpResponse:
    """Make an entry."""
    kind = request.GET.get("kind", "workflow.lua")
    typed = typed_in(request)
    form = NewEntryForm(typed.data, initial={"kind": kind, **suggestion(kind)})
    outcome = typed.settle(submit(lambda: save(request, *form.named(), form), form))
    if outcome.done:
        return redirect("entry", form.named()[0])
    context = {"entry": None, "form": form, "kinds": KINDS, "typed": typed, **findings(*form.named(), form)}
    context["suggested"] = {each: suggestion(each) for each in KINDS}
    return page(request, "registry/edit.html", context, outcome.status)


def save(request: HttpRequest, entry_id: str, kind: str, form: EntryForm) -> None:
    """Publish the draft."""
    meta, data = form.parts()
    base = form.cleaned_data["base"]
    message = form.cleaned_data["message"] or f"Edit {entry_id}"
    made = registry.save_entry(user_of(request), entry_id, base=base, kind=kind, meta=meta, data=data, message=message)
    announce(request, entry_id, base, made)


def announce(request: HttpRequest, entry_id: str, base: int | None, made: Version) -> None:
    """Say what became of the draft; without a change there is no new version."""
    if made.number == base:
        messages.info(request, f"Nothing had changed in {entry_id}, so there is no new version.")
    else:
        text = f"{entry_id} is published as version {made.number}. Open runs keep the code they began with."
        messages.success(request, text)
    for warning in made.warnings:
        messages.warning(request, _sentence(warning))


def _sentence(problem: Problem) -> str:
    place = f"line {problem.line}: " if problem.line else f"{problem.field}: " if problem.field else ""
    return f"{problem.entry_id} {place}{problem.message}{f' ({problem.hint})' if problem.hint else ''}"


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


def findings(entry_id: str, kind: str, form: EntryForm) -> dict[str, Any]:
    """Every problem with its place, for the list on the page and the marks in the editor; of a conflict both sides."""
    problems = [problem.to_json() for problem in form.problems()]
    for line, message in form.fields_problems():
        problems.append({"field": "fields", "line": line, "message": message})
    if not isinstance(form.refusal, Conflict):
        return {"problems": problems}
    sides = three_way(entry_id, form.cleaned_data["base"], Entry(entry_id, kind, *form.parts()))
    return {"problems": problems, **sides}
