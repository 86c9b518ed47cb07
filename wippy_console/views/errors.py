"""Pages of refusals: what happened, and what to do next."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django_htmx.http import reswap, retarget

from wippy_console.services.errors import Refused
from wippy_console.views.pages import is_partial

TITLES = {
    403: "You may not do that",
    404: "There is nothing here",
    409: "Somebody was faster",
    422: "That can't be accepted",
    500: "The console failed",
    503: "Not available now",
}
ADVICE = {
    403: "Ask an administrator for the right group, or log in as somebody else.",
    404: "The address may be wrong, or it was removed. Search for an id, or start from the lists.",
    409: "Look at the state as it is now, then decide again.",
    422: "Correct the marked input and send it again. Nothing was changed.",
    500: "Nothing of yours was lost that was saved before. Try again; if it stays, the console's log says why.",
    503: "Try again in a moment. The health of Temporal and of the workers stands on the home page.",
}


def error_page(request: HttpRequest, status: int, message: str = "") -> HttpResponse:
    """A whole page, or for htmx a note in the page's message area."""
    context = {"status": status, "title": TITLES[status], "message": message, "advice": ADVICE[status]}
    if not is_partial(request):
        return render(request, "errors/error.html", context, status=status)
    in_dialog = request.headers.get("HX-Target") == "dialog"
    response = render(request, "errors/_dialog.html" if in_dialog else "errors/_error.html", context, status=status)
    retarget(response, "#dialog" if in_dialog else "#messages")
    return reswap(response, "innerHTML" if in_dialog else "outerHTML")


def refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """What a service refused, with the status that the refusal carries."""
    return error_page(request, refusal.status, refusal.message)


@login_not_required
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return error_page(request, 403, str(exception or ""))


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 of a form whose token is too old, usually after a log-in in another tab."""
    return error_page(request, 403, "This form is out of date. Go back, reload the page and send it again.")


@login_not_required
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404; never shows the resolver's internals."""
    return error_page(request, 404, "No page has this address.")


@login_not_required
def failed(request: HttpRequest) -> HttpResponse:
    """500; rendered without context processors, since one of them may be what failed."""
    template = "errors/_error.html" if request.headers.get("HX-Request") else "errors/500.html"
    return HttpResponse(render_to_string(template, {"title": TITLES[500], "advice": ADVICE[500]}), status=500)
