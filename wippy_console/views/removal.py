"""Deletion of an entry: says first who uses it, and deletes only what the asker has seen."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from engine.entry import namespace_of
from wippy_console import permissions
from wippy_console.forms.entry import RemovalForm
from wippy_console.forms.refusals import submit
from wippy_console.models import Run
from wippy_console.services import registry, runs
from wippy_console.services.errors import Conflict
from wippy_console.views.differences import unified
from wippy_console.views.editor import text_of
from wippy_console.views.pages import is_partial, needs, page, user_of
from wippy_console.views.typed import typed_in


@needs(permissions.PUBLISH_VERSION)
def delete(request: HttpRequest, entry_id: str) -> HttpResponse:
    """Confirm and delete."""
    permissions.require(request.user, permissions.PUBLISH_VERSION, namespace_of(entry_id))
    typed = typed_in(request)
    form = RemovalForm(typed.data, initial={"base": registry.current_number()})
    outcome = typed.settle(submit(lambda: remove(request, entry_id, form), form))
    if outcome.done:
        return leave(request)
    entry = registry.entry_for(request.user, entry_id)
    open_runs = runs.visible(request.user).filter(entry_id=entry_id, status=Run.Status.RUNNING)
    users = registry.used_by_for(request.user, entry_id)
    context = {"entry": entry, "form": form, "typed": typed, "users": users, "open_runs": open_runs.count()}
    context |= findings(entry_id, form)
    return page(request, "registry/delete.html", context, outcome.status)


def remove(request: HttpRequest, entry_id: str, form: RemovalForm) -> None:
    """Publish the deletion."""
    base, message = form.cleaned_data["base"], form.cleaned_data["message"] or f"Delete {entry_id}"
    made = registry.delete_entry(user_of(request), entry_id, base=base, message=message)
    messages.success(request, f"{entry_id} is deleted in version {made.number}. Earlier versions still hold it.")


def findings(entry_id: str, form: RemovalForm) -> dict[str, Any]:
    """What the registry would lack, or what others changed meanwhile; `rebase` is the version to delete on next."""
    if not isinstance(form.refusal, Conflict):
        return {"problems": [problem.to_json() for problem in form.problems()]}
    theirs = unified(text_of(entry_id, form.cleaned_data["base"]), text_of(entry_id, None))
    return {"theirs": theirs, "rebase": registry.current_number()}


def leave(request: HttpRequest) -> HttpResponse:
    """On to the registry: the page of the entry is gone."""
    return HttpResponseClientRedirect(reverse("registry")) if is_partial(request) else redirect("registry")
