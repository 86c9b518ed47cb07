"""Deletion of an entry: says first who uses it, and deletes only what the asker has seen."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from wippy_console import permissions
from wippy_console.forms.entry import RemovalForm
from wippy_console.models import Run
from wippy_console.services import registry, runs
from wippy_console.services.errors import Conflict, Refused
from wippy_console.views.differences import unified
from wippy_console.views.editor import text_of
from wippy_console.views.pages import is_partial, needs, page, user_of


@needs(permissions.PUBLISH_VERSION)
def delete(request: HttpRequest, entry_id: str) -> HttpResponse:
    """Confirm and delete."""
    form = RemovalForm(request.POST or None, initial={"base": registry.current_number()})
    outcome = remove(request, entry_id, form) if form.is_bound and form.is_valid() else {}
    if "version" in outcome:
        return leave(request)
    entry = registry.entry(entry_id)
    open_runs = runs.visible(request.user).filter(entry_id=entry_id, status=Run.Status.RUNNING)
    context = {
        "entry": entry, "form": form, "users": registry.used_by(entry_id), "open_runs": open_runs.count(), **outcome,
    }  # fmt: skip
    return page(request, "registry/delete.html", context, int(outcome.get("status", 422 if form.is_bound else 200)))


def remove(request: HttpRequest, entry_id: str, form: RemovalForm) -> dict[str, Any]:
    """Publish the deletion: {"version"}, or {"refusal", "status"} and what the dialog shows about it."""
    base, message = form.cleaned_data["base"], form.cleaned_data["message"] or f"Delete {entry_id}"
    try:
        made = registry.delete_entry(user_of(request), entry_id, base=base, message=message)
    except Conflict as conflict:
        theirs = unified(text_of(entry_id, base), text_of(entry_id, None))
        rebase = registry.current_number()
        return {"refusal": conflict, "status": conflict.status, "theirs": theirs, "rebase": rebase}
    except Refused as refusal:
        problems = [problem.to_json() for problem in getattr(refusal, "problems", ())]
        return {"refusal": refusal, "status": refusal.status, "problems": problems}
    messages.success(request, f"{entry_id} is deleted in version {made.number}. Earlier versions still hold it.")
    return {"version": made}


def leave(request: HttpRequest) -> HttpResponse:
    """On to the registry: the page of the entry is gone."""
    return HttpResponseClientRedirect(reverse("registry")) if is_partial(request) else redirect("registry")
