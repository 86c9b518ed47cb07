"""The inbox: every run that waits for an answer which the user may give."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from wippy_console import permissions
from wippy_console.services import decisions, questions
from wippy_console.views.pages import choice, needs, page

VIEWS = ("open", "done")
LIMIT = 200


@needs(permissions.VIEW_QUESTION)
def index(request: HttpRequest) -> HttpResponse:
    """The open questions with the nearest deadline first, or the answered ones."""
    view = choice(request, "view", VIEWS)
    found = questions.done_for(request.user) if view == "done" else questions.open_for(request.user)
    rows = list(found[:LIMIT])
    if view == "done":
        rows = [with_answer(row) for row in rows]
    return page(request, "inbox/list.html", {"view": view, "rows": rows, "limit": LIMIT})


def with_answer(question: Any) -> Any:
    """The question with the decision that answered it, for a row of the list."""
    question.answer = questions.answer_of(question)
    return question


@needs(permissions.VIEW_QUESTION)
def badge(request: HttpRequest) -> HttpResponse:
    """The number in the navigation."""
    return render(request, "parts/inbox_badge.html", {"live": True})


@needs(permissions.VIEW_QUESTION)
def question(request: HttpRequest, question_id: int) -> HttpResponse:
    """One question with what the run got, its answers, and the next question."""
    asked = questions.get(request.user, question_id)
    buttons = [each for each in decisions.buttons(request.user, asked.run) if each.question == asked]
    context = {
        "question": asked,
        "run": asked.run,
        "buttons": buttons,
        "labels": list(dict.fromkeys(each.signal.label for each in buttons)),
        "decision": questions.answer_of(asked),
        "following": questions.open_for(request.user).exclude(pk=asked.pk).first(),
    }
    return page(request, "inbox/question.html", context)
