"""Keep what is typed into a form while it is typed, or forget it."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from wippy_console.forms import typed
from wippy_console.services import drafts
from wippy_console.views.pages import user_of
from wippy_console.views.session import local

FORM = "typed_form"
"""The address of the form."""


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep a form's fields: sent by static/drafts.js a moment after somebody typed."""
    if typed.typist(request.POST) != str(request.user.pk):
        raise PermissionDenied("This form was drawn for somebody else.")
    pairs = [(name, text) for name, text in typed.pairs_of(request.POST) if name != FORM]
    drafts.save(user_of(request), request.POST.get(FORM, ""), pairs)
    return HttpResponse(status=204)


@require_POST
def discard(request: HttpRequest) -> HttpResponse:
    """Forget it, and show the form as it is without, or the page `next`."""
    address = request.POST.get(FORM, "")
    drafts.discard(user_of(request), address)
    return redirect(local(request, request.GET.get("next", address)))
