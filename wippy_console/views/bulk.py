"""One answer to several questions: the exact selection, one form, and what came of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse

from wippy_console import permissions
from wippy_console.forms.plain import AnswerForm
from wippy_console.forms.refusals import submit
from wippy_console.forms.schema import MISSING, SchemaForm
from wippy_console.models import Question
from wippy_console.services import decisions
from wippy_console.services.decisions import Result
from wippy_console.services.questions import Signal
from wippy_console.views.asked import shown
from wippy_console.views.pages import needs, number, page, schema_form
from wippy_console.views.typed import typed_in


@needs(permissions.SIGNAL_RUN)
def answer(request: HttpRequest) -> HttpResponse:
    """What is selected, the answers that all of it takes, and the form of the one that is chosen."""
    asked = selection(request)
    signals = decisions.common(asked)
    signal = chosen(request, signals)
    context: dict[str, Any] = {"rows": shown(asked, request.user), "signals": signals, "most": decisions.MOST}
    if signal is None:
        return page(request, "inbox/bulk.html", {**context, "groups": groups(asked) if not signals else []})
    typed = typed_in(request, question="-".join(str(each.pk) for each in asked), entry=signal.label)
    form = AnswerForm(typed.data, rule=signal.reason)
    fields = schema_form(request, signal.schema, typed.data)
    outcome = typed.settle(submit(lambda: decide(request, asked, signal, form, fields), form, fields))
    if outcome.done:
        return page(request, "inbox/bulk_done.html", told(outcome.value or [], signal))
    context |= {"signal": signal, "number": signals.index(signal), "form": form, "fields": fields, "typed": typed}
    return page(request, "inbox/bulk.html", context, outcome.status)


def selection(request: HttpRequest) -> list[Question]:
    """The questions that the address or the form names."""
    named = request.POST.getlist("chosen") or request.GET.getlist("chosen")
    return decisions.selected(request.user, [found for text in named if (found := number(text)) is not None])


def chosen(request: HttpRequest, signals: Sequence[Signal]) -> Signal | None:
    """The answer that the address or the form names by its place, or the only one there is."""
    at = number(request.POST.get("answer") or request.GET.get("answer"))
    if at is None:
        return signals[0] if len(signals) == 1 else None
    return signals[at] if at < len(signals) else None


def decide(
    request: HttpRequest, asked: Sequence[Question], signal: Signal, form: AnswerForm, fields: SchemaForm
) -> list[Result]:
    """Answer each with what the forms hold."""
    value, given = fields.value(), form.cleaned_data
    payload = {} if value is MISSING else value
    reason = given.get("reason", "")
    return decisions.decide_all(request.user, asked, signal, payload, reason=reason, key=given["key"])


def told(results: Sequence[Result], signal: Signal) -> dict[str, Any]:
    """What came of each, the failed ones first."""
    failed = [each for each in results if each.error and not each.kept]
    return {
        "signal": signal,
        "failed": failed,
        "kept": [each for each in results if each.kept],
        "made": [each for each in results if not each.error],
        "total": len(results),
    }


def groups(asked: Sequence[Question]) -> list[dict[str, Any]]:
    """The selection by what each takes, where nothing is common to all."""
    found: dict[tuple[str, ...], list[Question]] = {}
    for question in asked:
        found.setdefault(tuple(question.labels), []).append(question)
    return [
        {"labels": list(labels), "count": len(each), "query": "&".join(f"chosen={question.pk}" for question in each)}
        for labels, each in found.items()
    ]
