"""Log in and out; and forms sent without a session, or from a page of an earlier one: nothing typed is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import reselect, reswap, retarget

from wippy_console.forms import typed
from wippy_console.models import Draft
from wippy_console.services import drafts, log_ins
from wippy_console.views.errors import OLD_PAGE, error_page
from wippy_console.views.pages import is_partial, user_of

GUESTS = "/guest/"
"""Begins the addresses of people without an account, who have nothing to log in to."""

NO_COOKIE = {
    "title": "Nothing was sent",
    "text": "The page was too old, or your browser keeps no cookies. Go back, reload the page and send it again.",
}
OTHER = "What was typed on that page belongs to somebody else, so it was not brought back."


class LoginForm(AuthenticationForm):
    """Django's own, with widgets that password managers and our style understand."""

    def __init__(self, request: HttpRequest | None = None, *args: object, **kwargs: object) -> None:
        super().__init__(request, *args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"

    def get_invalid_login_error(self) -> ValidationError:
        """Says why not even a right password is let in; nothing tells which names there are."""
        if getattr(self.request, "axes_locked_out", False):
            return ValidationError(log_ins.LOCKED, code="locked")
        return super().get_invalid_login_error()


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form sent that could not be taken: whose (the key, "" unknown), which form, and its texts."""

    by: str
    address: str
    pairs: typed.Pairs
    secrets: bool = False

    @staticmethod
    def of(request: HttpRequest) -> Sent:
        """From the form itself, or from the log-in form that carries it."""
        data, by = request.POST, typed.typist(request.POST)
        if request.path != reverse("login"):
            pairs = typed.pairs_of(data) if by else []
            secrets = bool(data.getlist(typed.HIDDEN) or request.FILES)
            return Sent(by, typed.address(request.path, data.dict()), pairs, secrets)
        return Sent(
            by, local(request, data.get("next", "")), typed.from_text(data.get(typed.CONTENT, "")) if by else []
        )

    def belongs_to(self, user: Any) -> bool:
        """Whether this is the person who typed it."""
        return bool(self.by) and self.by == str(user.pk)

    def keep(self, request: HttpRequest, why: str) -> None:
        """Keep it for the person who typed it; tell another one that it is not shown."""
        if self.pairs and self.belongs_to(request.user):
            drafts.save(user_of(request), self.address, self.pairs, why)
        elif self.pairs:
            messages.warning(request, OTHER)


def local(request: HttpRequest, address: str) -> str:
    """The address when it is one of ours, else the home page's."""
    host = {request.get_host()}
    return address if url_has_allowed_host_and_scheme(address, host, request.is_secure()) else reverse("home")


class LoginView(views.LoginView):
    """Django's; what the form carries along becomes a draft of whoever typed it."""

    authentication_form = LoginForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Log in, then keep."""
        answer = super().form_valid(form)
        Sent.of(self.request).keep(self.request, Draft.Why.ENDED)
        return answer

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """429 once too many failed."""
        answer = super().form_invalid(form)
        if form.has_error(NON_FIELD_ERRORS, "locked"):
            answer.status_code = 429
            answer.headers["Retry-After"] = str(log_ins.WAIT.seconds)
        return answer

    def get_template_names(self) -> list[str]:
        """The page that says what is kept, as long as the form carries something."""
        return ["session/ended.html" if Sent.of(self.request).pairs else "session/login.html"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With what the form carries along, for another try."""
        return {**super().get_context_data(**kwargs), **carried(self.request, Sent.of(self.request))}


login = LoginView.as_view()
logout = views.LogoutView.as_view()


@login_not_required
def admin(request: HttpRequest) -> HttpResponse:
    """The admin's own log-in page is this one; whoever is logged in already may not enter."""
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next") or reverse("admin:index"))


def carried(request: HttpRequest, sent: Sent) -> dict[str, Any]:
    """The context of a log-in form that carries what was sent; nothing when that is nothing."""
    if not sent.pairs:
        return {}
    by, secrets = request.POST.get(typed.BY, ""), sent.secrets
    return {"content": typed.to_text(sent.pairs), "by": by, "next": sent.address, "secrets": secrets}


@login_not_required
def ended(request: HttpRequest, status: int = 401) -> HttpResponse:
    """A form was sent without a session: say so, and let the person log in here, with what was typed kept."""
    if request.path == reverse("draft"):
        return HttpResponse(status=status)
    sent = Sent.of(request)
    context = {"form": LoginForm(request), "next": sent.address, **carried(request, sent)}
    template = "session/_ended.html" if is_partial(request) else "session/ended.html"
    response = render(request, template, context, status=status)
    add_never_cache_headers(response)
    response.headers["Vary"] = "HX-Request, Cookie"
    return into_dialog(response) if is_partial(request) else response


def into_dialog(response: HttpResponse) -> HttpResponse:
    """For htmx: over the page, wherever the form stood."""
    retarget(response, "#dialog")
    reselect(response, "#ended")
    return reswap(response, "innerHTML")


@login_not_required
def stale(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 of a form whose token is not the session's, usually after a log-in in another tab.

    Nothing is done. The form comes back with what was typed and a token of now, so that one click sends it; but only
    for the person whom it was drawn for, which its mark proves: a forged request has none.
    """
    if request.path.startswith(GUESTS):
        return render(request, "guest/told.html", NO_COOKIE, status=403)
    if not request.user.is_authenticated:
        return ended(request, status=403)
    if request.path in (reverse("draft"), reverse("draft_discard")):
        return error_page(request, OLD_PAGE)
    sent = Sent.of(request)
    if request.path == reverse("login") or (sent.pairs and sent.belongs_to(request.user)):
        sent.keep(request, Draft.Why.OLD)
        return redirect(sent.address)
    return error_page(request, OLD_PAGE, OTHER if sent.by else "")
