"""What other systems sent to `/hooks/`: by filters in the address, one in full, and delivering it again."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from wippy_console import permissions
from wippy_console.forms.deliveries import DeliveriesForm
from wippy_console.forms.plain import KeyForm
from wippy_console.models import Delivery, Run
from wippy_console.services import registry, runs
from wippy_console.services.errors import Refused
from wippy_console.services.hooks import listing, redelivering, shown
from wippy_console.views.pages import filters, needs, page, user_of

STATES = {
    "open": "Under way",
    "waiting": "Waiting",
    "done": "Done",
    "failed": "Failed",
    "refused": "Refused",
}
ACTS = {"call": "Calls a function", "start": "Starts a run", "signal": "Signals a run"}


@needs(permissions.VIEW_DELIVERY)
def index(request: HttpRequest) -> HttpResponse:
    """The newest that fit, or those behind `?before=`."""
    form = DeliveriesForm(request.GET)
    given = filters(form)
    found = listing.page(request.user, listing.Filters(**form.wanted()), given["before"])
    context = {
        "page": found,
        "before": given["before"],
        "wanted": given,
        "states": STATES.items(),
        "acts": ACTS.items(),
        "filtered": any(value for name, value in given.items() if name != "before"),
    }
    return page(request, "deliveries/list.html", context)


@needs(permissions.VIEW_DELIVERY)
def show(request: HttpRequest, delivery_id: uuid.UUID) -> HttpResponse:
    """One, with what was sent, what was answered, and what came of it."""
    user, delivery = request.user, listing.get(request.user, delivery_id)
    context = {
        "delivery": delivery,
        "act": ACTS[delivery.act],
        "body": shown.body(delivery),
        "answer": shown.answer(delivery),
        "headers": shown.headers(delivery.headers),
        "answer_headers": shown.headers(delivery.answer_headers),
        "run": run_of(user, delivery),
        "sees_entry": registry.sees(user, delivery.endpoint),
        "first": delivery.again_of,
        "again": listing.again_of(user, delivery),
        "may_redeliver": redelivering.may(user, delivery),
        "why_not": redelivering.why_not(delivery),
        "form": KeyForm(),
    }
    return page(request, "deliveries/delivery.html", context)


def run_of(user: Any, delivery: Delivery) -> Run | None:
    """The run that it started or signaled, if the user may see it."""
    return runs.visible(user).filter(pk=delivery.run_id).first() if delivery.run_id else None


@needs(permissions.VIEW_DELIVERY)
@require_POST
def redeliver(request: HttpRequest, delivery_id: uuid.UUID) -> HttpResponse:
    """Deliver it again, and lead to that."""
    form = KeyForm(request.POST)
    if not form.is_valid():
        raise Refused("The form's key is damaged. Reload the page and try again.")
    again = redelivering.redeliver(user_of(request), listing.get(request.user, delivery_id), form.cleaned_data["key"])
    messages.success(request, "It was delivered again: this is how it went.")
    return redirect("delivery", again.pk)
