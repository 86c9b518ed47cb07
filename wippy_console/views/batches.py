"""One act over many runs: chosen in the list, confirmed, followed, stopped."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from wippy_console import permissions
from wippy_console.forms.plain import BatchForm
from wippy_console.forms.refusals import submit
from wippy_console.forms.runs import PLACES, RunFilters
from wippy_console.models import Batch
from wippy_console.services import batches
from wippy_console.services.batches import ACTS
from wippy_console.views.pages import filters, marked, needs, page, zone_of
from wippy_console.views.typed import typed_in

UNDONE_BY = "cancel"


@needs(permissions.VIEW_RUN)
def index(request: HttpRequest) -> HttpResponse:
    """The batches that one may look at."""
    rows: list[Any] = list(batches.listed(request.user))
    for row in rows:
        row.word = ACTS[row.action].word
    return page(request, "batches/list.html", {"rows": rows})


@needs(permissions.VIEW_RUN)
@require_POST
def new(request: HttpRequest) -> HttpResponse:
    """Choose the runs that are ticked, or all that match the filters, and lead to where that is confirmed."""
    action = request.POST.get("action", "")
    if request.POST.get("all"):
        query = QueryDict(request.POST.get("query", "")[:10_000])
        form = RunFilters(query)
        filters(form)
        told = {name: ", ".join(query.getlist(name)) for name in query if query[name] and name not in PLACES}
        batch = batches.draft_of_query(request.user, action, told, form.wanted(zone_of(request)))
    else:
        batch = batches.draft_of(request.user, action, request.POST.getlist("chosen"))
    return redirect("batch", batch.pk)


@needs(permissions.VIEW_RUN)
def show(request: HttpRequest, number: int) -> HttpResponse:
    """A draft to confirm, or how far a batch is."""
    batch = batches.get(request.user, number)
    if batch.state == Batch.State.DRAFT:
        return confirm(request, batch)
    if request.method == "POST":  # the form was sent twice
        return redirect("batch", batch.pk)
    return page(request, "batches/batch.html", followed(request, batch))


def confirm(request: HttpRequest, batch: Batch) -> HttpResponse:
    """The exact selection as it stands now, and the form."""
    typed = typed_in(request)
    form = BatchForm(batch.action, typed.data)
    outcome = typed.settle(
        submit(lambda: batches.start(request.user, batch, form.cleaned_data["reason"], form.options()), form)
    )
    if outcome.done:
        messages.success(request, f"{ACTS[batch.action].word}: {batch.total:,} runs, one after the other.")
        return redirect("batch", batch.pk)
    standing = batches.standing(request.user, batch)
    context = {"form": form, "typed": typed, "standing": standing, **about(request, batch)}
    return page(request, "batches/confirm.html", context, outcome.status)


def followed(request: HttpRequest, batch: Batch) -> dict[str, Any]:
    """How far it is, and what may be done about it."""
    context = about(request, batch)
    ended = not batch.is_running and context["progress"].made
    undo = ended and permissions.allows(request.user, ACTS[UNDONE_BY].permission)
    return {**context, "may_stop": batch.is_running and batches.may_stop(request.user, batch), "may_undo": undo}


def about(request: HttpRequest, batch: Batch) -> dict[str, Any]:
    """What all pages of a batch show."""
    progress = batches.progress(batch, request.user)
    marked([item.run for item in progress.items])
    return {"batch": batch, "act": ACTS[batch.action], "progress": progress}


@needs(permissions.VIEW_RUN)
@require_POST
def stop(request: HttpRequest, number: int) -> HttpResponse:
    """Leave the rest alone."""
    batch = batches.stop(request.user, batches.get(request.user, number))
    messages.success(request, "The batch was stopped; the rest of the runs is left alone.")
    return redirect("batch", batch.pk)


@needs(permissions.VIEW_RUN)
@require_POST
def undo(request: HttpRequest, number: int) -> HttpResponse:
    """Choose the runs that it started, to cancel them; that is confirmed like any other batch."""
    batch = batches.draft_of_made(request.user, batches.get(request.user, number), UNDONE_BY)
    return redirect("batch", batch.pk)
