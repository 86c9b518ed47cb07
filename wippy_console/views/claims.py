"""Who takes a question: claim, release, give to another, put off."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from wippy_console import permissions
from wippy_console.forms.inbox import AssignForm, PostponeForm
from wippy_console.forms.refusals import submit
from wippy_console.models import Question
from wippy_console.services import decisions, questions
from wippy_console.views.pages import done, needs, page, user_of, zone_of
from wippy_console.views.typed import typed_in


@needs(permissions.SIGNAL_RUN)
@require_POST
def claim(request: HttpRequest, question_id: int) -> HttpResponse:
    """Take it, or take it over from whom the form names."""
    over = request.POST.get("over", "")
    told = f"You have taken it over from {over}." if over else "You have taken it."
    return _act(request, question_id, lambda asked: decisions.claim(user_of(request), asked, over=over), told)


@needs(permissions.SIGNAL_RUN)
@require_POST
def release(request: HttpRequest, question_id: int) -> HttpResponse:
    """Put it back."""
    told = "You have put it back: anybody who is asked may take it."
    return _act(request, question_id, lambda asked: decisions.release(user_of(request), asked), told)


@needs(permissions.SIGNAL_RUN)
def assign(request: HttpRequest, question_id: int) -> HttpResponse:
    """The form that gives it to another, and what comes of it."""
    asked = questions.get(request.user, question_id)
    held = questions.holder(asked)
    over = "" if held is None else held.get_username()
    typed = typed_in(request)
    form = AssignForm(typed.data, initial={"over": over})
    outcome = typed.settle(submit(lambda: give(request, asked, form), form))
    if outcome.done:
        messages.success(request, f"The question was given to {form.cleaned_data['to']}.")
        return done(request, reverse("question", args=(asked.pk,)), *touched(asked))
    names = questions.candidate_names(asked)
    context = {"question": asked, "run": asked.run, "form": form, "typed": typed, "names": names, "over": over}
    return page(request, "inbox/assign.html", context, outcome.status)


def give(request: HttpRequest, question: Question, form: AssignForm) -> None:
    """Give it to whom the form names."""
    given = form.cleaned_data
    decisions.assign(user_of(request), question, given["to"], reason=given["reason"], over=given["over"])


@needs(permissions.SIGNAL_RUN)
def postpone(request: HttpRequest, question_id: int) -> HttpResponse:
    """The form that puts it off until a day, and what comes of it; without a day it comes back."""
    asked = questions.get(request.user, question_id)
    if "back" in request.POST:
        decisions.postpone(user_of(request), asked, None)
        messages.success(request, "The question is back in the list.")
        return done(request, back_to(request, asked), *touched(asked))
    typed = typed_in(request)
    form, zone = PostponeForm(typed.data), zone_of(request)
    outcome = typed.settle(submit(lambda: decisions.postpone(user_of(request), asked, form.moment(zone)), form))
    if outcome.done:
        messages.success(request, f"The question is put off until {form.cleaned_data['until']:%Y-%m-%d}.")
        return done(request, reverse("question", args=(asked.pk,)), *touched(asked))
    context = {"question": asked, "run": asked.run, "form": form, "typed": typed}
    return page(request, "inbox/postpone.html", context, outcome.status)


def _act(request: HttpRequest, question_id: int, act: Callable[[Question], object], told: str) -> HttpResponse:
    asked = questions.get(request.user, question_id)
    act(asked)
    messages.success(request, told)
    return done(request, back_to(request, asked), *touched(asked))


def back_to(request: HttpRequest, question: Question) -> str:
    """The page that the form stood on, if it is one of ours, else the question's."""
    wanted = request.POST.get("next", "")
    ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if ours else reverse("question", args=(question.pk,))


def touched(question: Question) -> tuple[str, ...]:
    """The events on which the regions that show it refresh."""
    return f"feed-run-{question.run_id}", "feed-inbox"
