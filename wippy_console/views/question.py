"""One question: what is asked, what the run got and did, who answers, and what happens otherwise."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from wippy_console import permissions
from wippy_console.models import Run
from wippy_console.services import decisions, guests, questions, secrets, timeline
from wippy_console.services.errors import Refused
from wippy_console.services.labelled import labelled
from wippy_console.services.timeline import Row
from wippy_console.views import comments
from wippy_console.views.asked import section
from wippy_console.views.pages import needs, page

FEW_STEPS = 6
LONGEST_READ = 2_000
"""Events of a history that is read for its last steps; of a longer one the page only says where they are."""


@needs(permissions.VIEW_QUESTION)
def show(request: HttpRequest, question_id: int) -> HttpResponse:
    """One question with what the run got, its answers, and the next question."""
    asked = questions.get(request.user, question_id)
    context = {
        "question": section(asked, request.user, decisions.buttons(request.user, asked.run, asked.pk)),
        "run": asked.run,
        "masking": secrets.notice(request.user, asked.run),
        "decision": questions.answer_of(asked),
        "following": questions.following(request.user, asked),
        **input_of(asked.run),
        "steps": steps(asked.run, request.user),
        **comments.thread(request, asked),
        "guest": guests.asked(asked),
    }
    return page(request, "inbox/question.html", context)


def input_of(run: Run) -> dict[str, Any]:
    """The first argument, field by field, as the entry's schema names them, and all of them as JSON."""
    schema = questions.meta_of(run).get("input_schema")
    given = secrets.arguments(schema, run.input) if isinstance(run.input, list) else run.input
    first = given[0] if isinstance(given, list) and given else None
    return {"fields": () if run.cut.get("input") else labelled(schema, first), "given": given}


def steps(run: Run, user: Any) -> list[Row]:
    """What the run did last, the newest first; none when its history is long or can't be had."""
    if run.history_length > LONGEST_READ:
        return []
    try:
        rows = timeline.rows(run, user).rows
    except Refused:
        return []
    return [row for row in rows if row.kind not in ("task", "workflow") and not row.own][: -FEW_STEPS - 1 : -1]
