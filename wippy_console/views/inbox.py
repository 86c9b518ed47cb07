"""The inbox: what runs ask, of those who may answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, tzinfo
from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from wippy_console import permissions
from wippy_console.forms.inbox import InboxFilters
from wippy_console.forms.schema import zones
from wippy_console.models import Question
from wippy_console.services import decisions, questions, registry
from wippy_console.views.pages import ZONE_COOKIE, choice, filters, needs, page

FEW_FACTS = 4
WORDS = {
    "open": "Open",
    "mine": "Mine",
    "unassigned": "Unassigned",
    "overdue": "Overdue",
    "soon": "Due soon",
    "later": "Later",
    "others": "Others",
    "done": "Done",
}
"""What the views are called."""


@needs(permissions.VIEW_QUESTION)
def index(request: HttpRequest) -> HttpResponse:
    """A page of one view, by the filters in the address."""
    view = choice(request, "view", questions.VIEWS)
    form = InboxFilters(request.GET)
    given = filters(form)
    wanted = form.wanted(zone_of(request))
    found = questions.paged(request.user, view, wanted, after=given["after"], before=given["before"])
    listed = questions.count(questions.listed(request.user, view, wanted))
    context = {
        "view": view,
        "views": WORDS.items(),
        "page": found,
        "rows": shown(found.rows, request.user),
        "count": questions.counted(listed),
        "wanted": given,
        "filtered": form.is_narrowed,
        "entries": registry.workflows_for(request.user, permissions.SIGNAL_RUN),
        "priorities": form.fields["priority"].choices,  # type: ignore[attr-defined]
    }
    return page(request, "inbox/list.html", context)


def zone_of(request: HttpRequest) -> tzinfo:
    """The zone that the viewer's browser told, UTC without one."""
    return zones.find(zones.known(unquote(request.COOKIES.get(ZONE_COOKIE, "")))) or UTC


def shown(rows: Iterable[Question], user: Any) -> list[Any]:
    """Questions with what a row says of each: who has it, a few values of the input, the votes, how it ended."""
    return [with_words(row, user) for row in rows]


def with_words(question: Any, user: Any) -> Any:
    """The same for one."""
    question.holder = questions.holder(question)
    question.is_mine = question.holder is not None and questions.has(user, question)
    question.meant_for = questions.meant_for(question)
    question.facts = facts(question.run.input)
    question.tally = decisions.tally(question) if question.is_open else []
    question.answer = None if question.is_open else questions.answer_of(question)
    return question


def facts(given: Any) -> list[tuple[str, Any]]:
    """The first few plain values of an input, by name: what tells one question from the next."""
    first = given[0] if isinstance(given, list) and given else None
    if not isinstance(first, dict):
        return [] if first is None else [("", first)]
    plain = [(name, value) for name, value in first.items() if isinstance(value, str | int | float) and value != ""]
    return plain[:FEW_FACTS]


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
        "question": with_words(asked, request.user),
        "run": asked.run,
        "buttons": buttons,
        "labels": list(dict.fromkeys(each.signal.label for each in buttons)),
        "decision": questions.answer_of(asked),
        "following": questions.following(request.user, asked),
    }
    return page(request, "inbox/question.html", context)
