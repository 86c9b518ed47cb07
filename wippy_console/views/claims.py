"""Who takes a question: claim, release, give to another, put off."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from wippy_console import permissions
from wippy_console.models import Question
from wippy_console.services import decisions, questions
from wippy_console.views.pages import done, needs, user_of


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
