"""What people say about a question: the thread, its form, and names for who writes `@`."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.safestring import mark_safe

from wippy_console import permissions
from wippy_console.forms.inbox import CommentForm
from wippy_console.forms.refusals import submit
from wippy_console.models import Question
from wippy_console.services import comments, questions
from wippy_console.services.markdown import to_html
from wippy_console.views.pages import is_partial, needs, page
from wippy_console.views.typed import Typed, typed_at, typed_in


@needs(permissions.VIEW_QUESTION)
def show(request: HttpRequest, question_id: int) -> HttpResponse:
    """The thread of a question, and one comment more."""
    question = questions.get(request.user, question_id)
    typed = typed_in(request)
    form = form_of(question, typed)
    outcome = typed.settle(submit(lambda: say(request, question, form), form))
    if outcome.done and not is_partial(request):
        messages.success(request, "Your comment was added.")
        return redirect(f"{reverse('question', args=(question.pk,))}#comments-{question.pk}")
    if outcome.done:
        typed = Typed(request, typed.address, None)
        form = form_of(question, typed)
    context = {"question": question, "run": question.run, **drawn(question, form, typed)}
    return page(request, "inbox/comments.html", context, outcome.status)


def say(request: HttpRequest, question: Question, form: CommentForm) -> None:
    """Add what the form holds."""
    comments.comment(request.user, question, form.cleaned_data["text"], form.cleaned_data["key"])


def thread(request: HttpRequest, question: Question) -> dict[str, Any]:
    """What a page that shows the thread passes to its template."""
    typed = typed_at(request, reverse("question_comments", args=(question.pk,)))
    form = form_of(question, typed)
    if typed.is_restored:
        form.hush()
    return drawn(question, form, typed)


def form_of(question: Question, typed: Typed) -> CommentForm:
    """The form; a page may show several."""
    form = CommentForm(typed.data, auto_id=f"comment_{question.pk}_%s")
    form.fields["text"].widget.attrs["data-names"] = reverse("question_names", args=(question.pk,))
    return form


def drawn(question: Question, form: CommentForm, typed: Typed) -> dict[str, Any]:
    """The thread as HTML, with the form."""
    said: list[Any] = comments.thread(question)
    for each in said:
        each.html = mark_safe(to_html(each.text))  # noqa: S308 # it is sanitised
    return {"comments": said, "comment_form": form, "comment_typed": typed, "most_comments": comments.MOST_SHOWN}


@needs(permissions.VIEW_QUESTION)
def names(request: HttpRequest, question_id: int) -> JsonResponse:
    """Names that begin with `q`, of users who may see the question; nothing else of anybody."""
    question = questions.get(request.user, question_id)
    return JsonResponse({"names": comments.names(request.user, question, request.GET.get("q", ""))})
