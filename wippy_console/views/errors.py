"""Pages of refusals: what happened, what to do next, and what was typed, so that it is not lost with the form."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django_htmx.http import reselect, reswap, retarget

from wippy_console.database.outages import is_away, lacks_migration
from wippy_console.forms import typed
from wippy_console.forms.labels import told
from wippy_console.services.errors import Refused
from wippy_console.views.pages import is_partial

OLD_PAGE = 0
"""No status of HTTP, whose answer is 403."""

TITLES = {
    OLD_PAGE: "This page was old",
    400: "That can't be read",
    403: "You may not do that",
    404: "There is nothing here",
    409: "Somebody was faster",
    413: "That is too much at once",
    422: "That can't be accepted",
    500: "The console failed",
    503: "Not available now",
}
ADVICE = {
    OLD_PAGE: "You logged in anew since it was opened, so nothing was done. Open the page again and repeat it.",
    400: "Nothing was changed. Your browser may still hold what you typed: its Back button leads there.",
    403: "Ask an administrator for the right group, or log in as somebody else.",
    404: "The address may be wrong, or it was removed. Search for an id, or start from the lists.",
    409: "Look at the state as it is now, then decide again.",
    413: "Nothing was changed. Your browser still holds what you typed: its Back button leads there. Send less of it.",
    422: "Correct the marked input and send it again. Nothing was changed.",
    500: "Nothing of yours was lost that was saved before. Try again; if it stays, the console's log says why.",
    503: "Try again in a moment. The health of Temporal and of the workers stands on the home page.",
}
AWAY = "The console can't reach its database. Nothing was changed. Try again in a moment."
UNMADE = (
    "The database lacks a table or a column. Run manage.py makemigrations and manage.py migrate; the log says more."
)


def error_page(request: HttpRequest, status: int, message: str = "") -> HttpResponse:
    """A whole page with what was typed; for htmx a note in the dialog's form, which stays, or in the message area."""
    context: dict[str, Any] = {
        "status": status or 403,
        "title": TITLES[status],
        "message": message,
        "advice": ADVICE[status],
    }
    if not hasattr(request, "user"):  # refused before any middleware knew whose it is, as for its Host
        return HttpResponse(render_to_string("errors/500.html", context), status=context["status"])
    if is_partial(request):
        return _part(request, context)
    sent = sent_with(request) if status not in (OLD_PAGE, 400, 413) else {}
    return render(request, "errors/error.html", {**context, **sent}, status=context["status"])


def _part(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    in_dialog = request.headers.get("HX-Target") == "dialog"
    if in_dialog and request.method == "POST":
        return in_form(render(request, "errors/_note.html", context, status=context["status"]))
    response = render(request, "errors/_dialog.html" if in_dialog else "errors/_error.html", context)
    response.status_code = int(context["status"])
    retarget(response, "#dialog" if in_dialog else "#messages")
    if not in_dialog:
        reselect(response, "#messages")
    return reswap(response, "innerHTML" if in_dialog else "outerHTML")


def in_form(response: HttpResponse) -> HttpResponse:
    """For htmx: above the fields of the form that was sent, in a dialog or on a page, which keeps its text."""
    retarget(response, "this")
    return reswap(response, "afterbegin")


def sent_with(request: HttpRequest) -> dict[str, Any]:
    """What one of our forms sent: for a form that brings it back, where it can be sent again."""
    if request.method != "POST" or not typed.typist(request.POST):
        return {}
    pairs = typed.pairs_of(request.POST)
    mark, token = request.POST.get(typed.BY, ""), request.POST.get("csrfmiddlewaretoken", "")
    return {"pairs": pairs, "told": told(pairs), "by": mark, "token": token, "address": request.get_full_path()}


def refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """What a service refused, with the status that the refusal carries."""
    return error_page(request, refusal.status, refusal.message)


@login_not_required
def unreadable(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400, or 413 of a body over the limits."""
    match exception:
        case RequestDataTooBig():
            limit = filesizeformat(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
            return error_page(request, 413, f"A form may hold up to {limit} of text, and with files up to 64 MB.")
        case TooManyFieldsSent():
            most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
            return error_page(request, 413, f"A form may hold up to {most:,} fields.")
        case TooManyFilesSent():
            return error_page(request, 413, f"A form may hold up to {settings.DATA_UPLOAD_MAX_NUMBER_FILES:,} files.")
        case SuspiciousOperation():
            return error_page(request, 400, "What your browser sent is not of a kind that this page takes.")
    return error_page(request, 400)


@login_not_required
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return error_page(request, 403, str(exception or ""))


@login_not_required
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404; never shows the resolver's internals."""
    return error_page(request, 404, "No page has this address.")


@login_not_required
def failed(request: HttpRequest) -> HttpResponse:
    """500, or 503 without the database; rendered without context processors, since one of them may be what failed.

    Django calls it while it handles the exception.
    """
    error = sys.exc_info()[1]
    status = 503 if is_away(error) else 500
    advice = AWAY if status == 503 else UNMADE if lacks_migration(error) else ADVICE[status]
    context = {"status": status, "title": TITLES[status], "advice": advice}
    if not request.headers.get("HX-Request"):
        return HttpResponse(render_to_string("errors/500.html", {**context, **sent_with(request)}), status=status)
    if request.headers.get("HX-Target") == "dialog" and request.method == "POST":
        return in_form(HttpResponse(render_to_string("errors/_note.html", context), status=status))
    response = HttpResponse(render_to_string("errors/_error.html", context), status=status)
    return reselect(response, "#messages")
