"""Subscriptions to the feed: one's own, and for administrators everybody's. A secret is shown by one answer alone."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_POST

from wippy_console.forms.refusals import submit
from wippy_console.forms.subscriptions import RedeliverForm, SubscriptionForm, SubscriptionsForm
from wippy_console.models import Subscription
from wippy_console.services import feed, subscriptions
from wippy_console.services.subscriptions import Made
from wippy_console.views.pages import done, filters, page, user_of
from wippy_console.views.typed import typed_in

STATES = {"": "All", "active": "Active", "failing": "Failing", "paused": "Paused"}
ACTS = {"pause": subscriptions.pause, "resume": subscriptions.resume, "test": subscriptions.try_out}
SAID = {
    "pause": "Nothing is sent until you resume it.",
    "resume": "It goes on where it stopped.",
    "test": "A test is on its way.",
}
HEARS = "feed-subscriptions"


def index(request: HttpRequest) -> HttpResponse:
    """Those that one may see."""
    user, wanted = user_of(request), filters(SubscriptionsForm(request.GET))
    found = subscriptions.page(user, state=wanted["state"], owner=wanted["owner"], before=wanted["before"])
    context = {
        "page": found,
        "rows": [told(user, row) for row in found.rows],
        "states": STATES.items(),
        "sees_others": subscriptions.sees_others(user),
        **wanted,
    }
    response = page(request, "subscriptions/list.html", context)
    add_never_cache_headers(response)
    return response


def told(user: Any, row: Subscription) -> Any:
    """With its address as this user may see it, and what they may do."""
    shown: Any = row
    shown.may_change, shown.may_manage = subscriptions.may_change(user, row), subscriptions.may_manage(user, row)
    shown.place = row.url if shown.may_change else subscriptions.where(row)
    return shown


def show(request: HttpRequest, number: int) -> HttpResponse:
    """Where it stands."""
    row = told(user_of(request), subscriptions.get(user_of(request), number))
    return page(request, "subscriptions/show.html", {"row": row, "head": feed.head()})


def new(request: HttpRequest) -> HttpResponse:
    """The form of one; then its secret, by this answer and never again."""
    user, typed = user_of(request), typed_in(request)
    form = SubscriptionForm(typed.data, tokens=subscriptions.tokens(user))
    outcome = typed.settle(submit(lambda: made(user, form), form))
    if outcome.done and outcome.value is not None:
        return revealed(request, outcome.value)
    return page(request, "subscriptions/new.html", {"form": form, "typed": typed}, outcome.status)


def made(user: Any, form: SubscriptionForm) -> Made:
    """What the form asks for."""
    return subscriptions.make(user, form.token_of(), form.given(), form.place())


def revealed(request: HttpRequest, made: Made) -> HttpResponse:
    """The secret."""
    response = render(request, "subscriptions/made.html", {"row": made.row, "secret": made.secret})
    add_never_cache_headers(response)
    return response


def edit(request: HttpRequest, number: int) -> HttpResponse:
    """The same form of one that is there."""
    user, typed = user_of(request), typed_in(request)
    row = told(user, subscriptions.get(user, number))
    if not row.may_change:
        raise PermissionDenied(subscriptions.OTHERS)
    form = SubscriptionForm(typed.data, row=row)
    outcome = typed.settle(submit(lambda: subscriptions.change(user, number, form.given()), form))
    if outcome.done:
        messages.success(request, f"{form.given().name} was changed.")
        return redirect("subscription", number)
    return page(request, "subscriptions/edit.html", {"form": form, "typed": typed, "row": row}, outcome.status)


@require_POST
def move(request: HttpRequest, number: int, act: str) -> HttpResponse:
    """Pause it, resume it, or send a test."""
    if act not in ACTS:
        raise Http404
    ACTS[act](user_of(request), number)
    messages.success(request, SAID[act])
    return done(request, reverse("subscription", args=[number]), HEARS)


def redeliver(request: HttpRequest, number: int) -> HttpResponse:
    """Ask from where on, and send that again."""
    user = user_of(request)
    row = told(user, subscriptions.get(user, number))
    form = RedeliverForm(request.POST or None)
    outcome = submit(lambda: subscriptions.redeliver(user, number, form.cleaned_data["cursor"]), form)
    if outcome.done:
        messages.success(request, "It is sent again from there.")
        return done(request, reverse("subscription", args=[number]), HEARS)
    context = {"row": row, "form": form, "head": feed.head()}
    return page(request, "subscriptions/redeliver.html", context, outcome.status)


def secret(request: HttpRequest, number: int) -> HttpResponse:
    """Confirm, and make another secret."""
    user = user_of(request)
    if request.method == "POST":
        return revealed(request, subscriptions.new_secret(user, number))
    return page(request, "subscriptions/secret.html", {"row": told(user, subscriptions.get(user, number))})


def delete(request: HttpRequest, number: int) -> HttpResponse:
    """Confirm with what it is, and delete it."""
    user = user_of(request)
    if request.method == "POST":
        row = subscriptions.delete(user, number)
        messages.success(request, f"{row.name} was deleted: nothing is sent there any more.")
        return redirect("subscriptions")
    return page(request, "subscriptions/delete.html", {"row": told(user, subscriptions.get(user, number))})
