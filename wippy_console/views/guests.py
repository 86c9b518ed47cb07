"""The page of a guest, who answers one question by a link; and what operators do to that link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST

from wippy_console import permissions
from wippy_console.forms import typed
from wippy_console.forms.labels import label_of
from wippy_console.forms.plain import AnswerForm
from wippy_console.forms.refusals import submit
from wippy_console.forms.schema import MISSING, SchemaForm
from wippy_console.models import Decision, GuestLink, Question
from wippy_console.services import decisions, guests, questions, senders
from wippy_console.services.errors import NotFoundError, Refused
from wippy_console.services.markdown import to_html
from wippy_console.services.questions import Signal
from wippy_console.views.claims import touched
from wippy_console.views.pages import done, needs, number, schema_form, user_of
from wippy_console.views.typed import is_text

TITLES = {404: "This link is not known", 410: "Nothing to answer here", 429: "Too many tries"}


@login_not_required
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """The question of a link with its form, and the answer; nothing else of the console, whoever is signed in."""
    try:
        response = _ask(request, guests.enter(senders.address(request.META), token))
    except Refused as refusal:
        context: dict[str, Any] = {"title": TITLES.get(refusal.status, "That did not work"), "text": refusal.message}
        context["pairs"] = written(request)
        response = render(request, "guest/told.html", context, status=refusal.status)
    return sealed(response)


def sealed(response: HttpResponse) -> HttpResponse:
    """Kept by no cache and no search engine, and its address told to no other server.

    `no-referrer` would say more, but browsers send no origin with a form then, and the check of its token needs one.
    """
    add_never_cache_headers(response)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _ask(request: HttpRequest, link: GuestLink) -> HttpResponse:
    signals = guests.offered(link.question)
    signal = _chosen(request, signals)
    context: dict[str, Any] = {"question": link.question, "signals": signals, "signal": signal}
    context["html"] = mark_safe(to_html(link.question.text))  # noqa: S308 # it is sanitised
    context["labels"] = list(dict.fromkeys(each.label for each in signals))
    if signal is None:
        guests.refuse_over(link)
        return render(request, "guest/question.html", context)
    form = AnswerForm(request.POST or None, rule=signal.reason)
    del form.fields["question"]
    fields = schema_form(request, signal.schema, request.POST or None)
    outcome = submit(lambda: _give(link, signal, form, fields), form, fields)
    if outcome.done and outcome.value is not None:
        return render(request, "guest/told.html", thanks(outcome.value))
    guests.refuse_over(link)
    form.renew_spent(decisions.has_failed)
    return render(request, "guest/question.html", {**context, "form": form, "fields": fields}, status=outcome.status)


def written(request: HttpRequest) -> list[tuple[str, str]]:
    """What was typed into a form that can't be sent any more."""
    pairs = typed.pairs_of(request.POST)
    return [(label_of(name), text) for name, text in pairs if text and (is_text(name) or name == "reason")]


def _chosen(request: HttpRequest, signals: list[Signal]) -> Signal | None:
    """The answer whose form is shown: the only one, or the chosen one."""
    if len(signals) == 1:
        return signals[0]
    index = number(request.GET.get("answer"))
    if index is None:
        return None
    found = [each for each in signals if each.index == index]
    if not found:
        raise NotFoundError("This answer can't be given here.")
    return found[0]


def _give(link: GuestLink, signal: Signal, form: AnswerForm, fields: SchemaForm) -> Decision:
    value, given = fields.value(), form.cleaned_data
    payload = {} if value is MISSING else value
    return decisions.answer_as_guest(link, signal.index, payload, reason=given.get("reason", ""), key=given["key"])


def thanks(made: Decision) -> dict[str, str]:
    """What came of it, in words."""
    later = made.state == Decision.State.PENDING
    text = (
        "It is kept here, and passed on as soon as possible." if later else "It was passed on. You can close this page."
    )
    return {"title": "Thank you", "text": f"You answered “{made.label or made.topic}”. {text}", "tone": "ok"}


@needs(permissions.SIGNAL_RUN)
@require_POST
def renew(request: HttpRequest, question_id: int) -> HttpResponse:
    """Send the guest a new link."""
    return _act(
        request, question_id, guests.renew, "A new link is on its way to {}; the one before opens nothing any more."
    )


@needs(permissions.SIGNAL_RUN)
@require_POST
def withdraw(request: HttpRequest, question_id: int) -> HttpResponse:
    """Let the link open nothing any more."""
    return _act(request, question_id, guests.withdraw, "The link of {} opens nothing any more.")


def _act(request: HttpRequest, question_id: int, act: Callable[[Any, Question], GuestLink], told: str) -> HttpResponse:
    question = questions.get(request.user, question_id)
    link = act(user_of(request), question)
    messages.success(request, told.format(link.address))
    return done(request, f"/inbox/{question.pk}/", *touched(question))
