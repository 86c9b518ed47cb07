"""What a person does to a run: answer it, send it a signal, cancel or terminate it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from wippy_console import permissions
from wippy_console.forms.plain import AnswerForm, EndForm, RawSignalForm
from wippy_console.forms.refusals import submit
from wippy_console.forms.schema import MISSING, SchemaForm
from wippy_console.models import Decision, Run, Vote
from wippy_console.services import decisions, questions, runs
from wippy_console.services.decisions import Button
from wippy_console.services.errors import NotFoundError
from wippy_console.templatetags.console import brief
from wippy_console.views.pages import done, is_partial, needs, number, page, schema_form, user_of
from wippy_console.views.typed import typed_in

ENDINGS = {"cancel": permissions.CANCEL_RUN, "terminate": permissions.TERMINATE_RUN}


@needs(permissions.SIGNAL_RUN)
def answer(request: HttpRequest, workflow_id: str, run_id: str, index: int) -> HttpResponse:
    """The form of one declared signal, and its answer."""
    run = runs.get(request.user, workflow_id, run_id)
    button = find_button(request.user, run, index, number(request.GET.get("question") or request.POST.get("question")))
    question = button.question.pk if button.question else None
    typed = typed_in(request, question=request.POST.get("question", question))
    form = AnswerForm(typed.data, rule=button.signal.reason, question=question)
    fields = schema_form(request, button.signal.schema, typed.data)
    outcome = typed.settle(submit(lambda: decide(request.user, run, index, form, fields), form, fields))
    onward = after(run, typed.value("next") or request.GET.get("next", ""))
    if outcome.done:
        messages.success(request, told(outcome.value, button, run))
        return settled(request, run, button, onward)
    form.renew_spent(decisions.has_failed)
    context = {"run": run, "button": button, "form": form, "fields": fields, "next": onward, "typed": typed}
    return page(request, "runs/answer.html", context, outcome.status)


@needs(permissions.SIGNAL_RUN)
def standing(request: HttpRequest, workflow_id: str, run_id: str, index: int) -> HttpResponse:
    """How the run and the question stand under an open form, and the form's button, which is off when it is over."""
    run = runs.get(request.user, workflow_id, run_id)
    button = find_button(request.user, run, index, number(request.GET.get("question")))
    answer = questions.answer_of(button.question) if button.question else None
    is_over = bool(button.why_not) and (
        answer is None or answer.user_id != user_of(request).pk
    )  # not by this very form
    return render(request, "runs/_standing.html", {"run": run, "button": button, "is_over": is_over})


def settled(request: HttpRequest, run: Run, button: Button, onward: str) -> HttpResponse:
    """After an answer: those who came from the inbox go on to its next question, others stay at the run."""
    if onward != reverse("inbox") or button.question is None:
        return done(request, onward, *touched(run))
    following = questions.following(request.user, button.question)
    url = f"{reverse('question', args=(following.pk,))}#question-title" if following else f"{onward}#inbox-title"
    return HttpResponseClientRedirect(url) if is_partial(request) else redirect(url)


def find_button(user: Any, run: Run, index: int, question_id: int | None) -> Button:
    """The button with that index, of that question if it still stands, or of what the run asks in its stead."""
    found = [each for each in decisions.buttons(user, run, question_id) if each.signal.index == index]
    if not found:
        raise NotFoundError("The run's entry declares no such answer.")
    meant: list[int | None] = [each.pk for each in questions.asked_anew(run, question_id)] or [question_id]
    return next((each for each in found if each.question and each.question.pk in meant), found[0])


def told(made: Decision | Vote | None, button: Button, run: Run) -> str:
    """What came of an answer, in a sentence."""
    label = button.signal.label
    if isinstance(made, Vote):
        return f"Your vote “{label}” was counted. It is sent when enough others agree."
    verdict = made.verdict if made is not None else None
    said = f" The run says: {brief(verdict, 200)}" if verdict is not None else ""
    asked = made.question.title if made is not None and made.question is not None else ""
    return f"“{label}” was sent: {asked}{said}" if asked else f"“{label}” was sent to {run.workflow_id}.{said}"


def decide(user: Any, run: Run, index: int, form: AnswerForm, fields: SchemaForm) -> Decision | Vote:
    """Answer with what the forms hold."""
    value, given = fields.value(), form.cleaned_data
    payload = {} if value is MISSING else value
    reason, question = given.get("reason", ""), given["question"]
    return decisions.decide(user, run, index, payload, reason=reason, question_id=question, key=given["key"])


def after(run: Run, wanted: str) -> str:
    """Where an answer leads: back to the inbox for those who came from there, else to the run."""
    return reverse("inbox") if wanted == reverse("inbox") else reverse("run", args=(run.workflow_id, run.run_id))


def touched(run: Run) -> tuple[str, ...]:
    """The events on which the regions that show the run refresh."""
    return f"feed-run-{run.run_id}", "feed-runs", "feed-inbox"


@needs(permissions.RAW_SIGNAL_RUN)
def raw(request: HttpRequest, workflow_id: str, run_id: str) -> HttpResponse:
    """Any signal; for authors."""
    run = runs.get(request.user, workflow_id, run_id)
    typed = typed_in(request)
    form = RawSignalForm(typed.data)
    outcome = typed.settle(submit(lambda: send(request.user, run, form), form))
    if outcome.done:
        messages.success(request, f"Signal “{form.cleaned_data['topic']}” was sent to {run.workflow_id}.")
        return done(request, reverse("run", args=(workflow_id, run_id)), *touched(run))
    form.renew_spent(decisions.has_failed)
    return page(request, "runs/raw_signal.html", {"run": run, "form": form, "typed": typed}, outcome.status)


def send(user: Any, run: Run, form: RawSignalForm) -> None:
    """Send what the form holds."""
    given = form.cleaned_data
    decisions.send_raw(user, run, given["topic"], form.payload_value(), reason=given["reason"], key=given["key"])


def end(request: HttpRequest, workflow_id: str, run_id: str, action: str) -> HttpResponse:
    """Confirm and carry out a cancel or a termination; the page states what would be ended, as it is now."""
    if action not in ENDINGS:
        raise Http404
    permissions.require(request.user, ENDINGS[action])
    run = runs.get(request.user, workflow_id, run_id)
    typed = typed_in(request)
    form = EndForm(typed.data)
    outcome = typed.settle(
        submit(lambda: getattr(decisions, action)(request.user, run, form.cleaned_data["reason"]), form)
    )
    if outcome.done:
        word = "asked to cancel" if action == "cancel" else "terminated"
        messages.success(request, f"{run.workflow_id} was {word}.")
        return done(request, reverse("run", args=(workflow_id, run_id)), *touched(run))
    context = {"run": run, "form": form, "action": action, "typed": typed}
    return page(request, "runs/end.html", context, outcome.status)
