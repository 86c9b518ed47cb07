"""Notifications: a user's preferences, notices of open pages, and the outbox for administrators."""

from __future__ import annotations

import uuid
from urllib.parse import unquote

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_POST

from wippy_console import permissions
from wippy_console.forms.notifications import WORDS, OutboxForm, PreferencesForm
from wippy_console.forms.refusals import submit
from wippy_console.services.notifications import KINDS, METHODS, listing, preferences, shown
from wippy_console.services.notifications.methods import mail
from wippy_console.views.pages import ZONE_COOKIE, done, filters, needs, page, user_of
from wippy_console.views.typed import typed_in

OUTBOX = "notifications"
STATES = {"queued": "Queued", "dead": "Failed", "sent": "Sent"}


def choose(request: HttpRequest) -> HttpResponse:
    """How the user wishes to hear of what; the secret of a new webhook is shown by the answer alone."""
    typed = typed_in(request)
    form = PreferencesForm(typed.data, preferences.of(request.user))
    outcome = typed.settle(submit(lambda: save(request, form), form))
    if outcome.done and not outcome.value:
        messages.success(request, "Your choice was saved.")
        return redirect("notification_preferences")
    return drawn(request, form, outcome.value or "", outcome.status)


def save(request: HttpRequest, form: PreferencesForm) -> str:
    """Keep what the form holds; the secret of a new webhook."""
    zone = unquote(request.COOKIES.get(ZONE_COOKIE, ""))[:64]
    given = form.cleaned_data
    addresses = {"chat_address": given["chat"], "webhook_address": given["webhook"]}
    return preferences.save(request.user, form.chosen(), form.muted(), zone=zone, **addresses)


@require_POST
def secret(request: HttpRequest) -> HttpResponse:
    """Make another secret for the webhook, and show it."""
    made = preferences.new_secret(request.user)
    return drawn(request, PreferencesForm(None, preferences.of(request.user)), made)


def drawn(request: HttpRequest, form: PreferencesForm, made: str = "", status: int = 200) -> HttpResponse:
    """The page."""
    context = {
        "form": form,
        "secret": made,
        "known": preferences.of(request.user),
        "words": WORDS.values(),
        "typed": typed_in(request),
        "mail_works": mail.is_set_up(),
    }
    response = page(request, "notifications/preferences.html", context, status)
    add_never_cache_headers(response)
    return response


@require_POST
def test(request: HttpRequest) -> HttpResponse:
    """Send a test to each address that the user has."""
    sent = [WORDS[method] for method in preferences.send_test(request.user)]
    messages.success(request, f"A test is on its way: {', '.join(sent)}.")
    return redirect("notification_preferences")


@require_POST
def new(request: HttpRequest) -> JsonResponse:
    """What a page is to show that has the browser's leave; asked by static/notices.js."""
    return JsonResponse({"notices": shown.take(user_of(request))})


@needs(permissions.VIEW_NOTIFICATION)
def index(request: HttpRequest) -> HttpResponse:
    """What is queued, has failed, was sent."""
    wanted, before = asked(request)
    context = {
        "page": listing.page(request.user, wanted, before),
        "before": before,
        "wanted": wanted,
        "states": STATES.items(),
        "counts": listing.counts(request.user),
        "methods": [(method, WORDS[method]) for method in METHODS],
        "kinds": KINDS,
        "filtered": bool(wanted.method or wanted.kind or wanted.user),
        "mail_works": mail.is_set_up(),
    }
    return page(request, "notifications/list.html", context)


@needs(permissions.RESEND_NOTIFICATION)
@require_POST
def resend(request: HttpRequest, notification_id: uuid.UUID) -> HttpResponse:
    """Send one again."""
    listing.resend(request.user, notification_id)
    messages.success(request, "It is sent again.")
    return done(request, f"{reverse(OUTBOX)}?state=queued", "feed-notifications")


@needs(permissions.RESEND_NOTIFICATION)
@require_POST
def resend_all(request: HttpRequest) -> HttpResponse:
    """Send the failed ones again that the filters show."""
    wanted, _ = asked(request)
    count = listing.resend_dead(request.user, wanted)
    messages.success(request, f"{count} {'is' if count == 1 else 'are'} sent again.")
    return done(request, f"{reverse(OUTBOX)}?state=queued", "feed-notifications")


def asked(request: HttpRequest) -> tuple[listing.Filters, uuid.UUID | None]:
    """What the address asks for."""
    given = filters(OutboxForm(request.GET))
    before = given.pop("before")
    wanted = listing.Filters(**{**given, "state": given["state"] or listing.QUEUED})
    listing.refuse_unknown(wanted)
    return wanted, before
