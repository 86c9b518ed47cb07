"""What every page needs: a live cursor taken before its data, refusals as pages, log-in told to htmx."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.cache import add_never_cache_headers

from wippy_console.api import problems
from wippy_console.forms import typed
from wippy_console.services import feed
from wippy_console.services.errors import NotFoundError, Refused
from wippy_console.views.errors import refused
from wippy_console.views.session import ended

MOST_ASKED = 2000
"""Characters of one value of a query."""

ADDRESSES = ("next", "_changelist_filters")
"""Values that are addresses themselves, with all their values."""

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class PrivateMiddleware:
    """What a signed-in person was shown stays in no cache: not in a proxy's, and not behind Back after log-out."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Mark the answer, files and failures too; not where a page says itself what holds for it."""
        response = self.get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response


class FeedCursorMiddleware:
    """Note the feed's head before a page reads its data: the page's socket resumes there and misses nothing."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Set `request.feed_cursor` on whole pages of signed-in users."""
        if request.method in ("GET", "POST") and request.user.is_authenticated and not _is_htmx(request):
            request.feed_cursor = feed.head()  # type: ignore[attr-defined]
        return self.get_response(request)


class RefusedMiddleware:
    """Turn what services refuse into a page, or into a partial for htmx, with the refusal's status."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass through what is answered; of the API a method that an address has not is a problem, too."""
        response = self.get_response(request)
        if response.status_code != 405 or not _is_api(request):
            return response
        allowed = ", ".join(sorted(response.get("Allow", "").split(", ")))
        return problems.answer(405, f"This address takes {allowed}.", headers={"Allow": allowed})

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer for `Refused`; every other exception goes on to Django."""
        return refused(request, exception) if isinstance(exception, Refused) else None


class LoginMiddleware(LoginRequiredMiddleware):
    """Turns strangers to log-in; who sent one of our forms logs in on the spot, with what was typed kept."""

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> Any:
        """Only a form with our mark is kept."""
        if request.method == "POST" and typed.typist(request.POST):
            return ended(request)
        return super().handle_no_permission(request, view_func)


class AddressMiddleware:
    """Refuse addresses that no page can mean: a filter that is dropped in silence would show everything."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass through; who is not signed in is led to log-in first."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        """404 for a path, 422 for a query."""
        if "\0" in request.path_info:
            return _refused(request, NotFoundError("No page has this address."))
        why = next(filter(None, (_unmeant(*each) for each in _asked(request))), "")
        if not why and _is_unread_by_admin(request):
            why = "the list knows no such filter"
        return _refused(request, Refused(f"The address can't be read: {why}.")) if why else None


def _refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """As a page, or as other systems read it."""
    return problems.of(request, refusal) if _is_api(request) else refused(request, refusal)


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def _asked(request: HttpRequest) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, values in request.GET.lists() for value in values)


def _is_unread_by_admin(request: HttpRequest) -> bool:
    """Django's admin leads on from a filter that it can't read to the whole list, and marks that address."""
    match = request.resolver_match
    return match is not None and match.app_name == "admin" and ERROR_FLAG in request.GET


def _unmeant(name: str, value: str) -> str:
    if "\0" in name + value:
        return "it holds the character NUL"
    if len(name) > MOST_ASKED or (len(value) > MOST_ASKED and name not in ADDRESSES):
        return f"of {name[:40]} it has {len(value)} characters, more than {MOST_ASKED}"
    return ""


class HtmxLoginMiddleware:
    """An expired session on an htmx request leads the whole page to log-in, not the log-in form into a region."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Replace a redirect to log-in; the page that the reader is on becomes `next`."""
        response = self.get_response(request)
        if not _is_htmx(request) or not _leads_to_login(response):
            return response
        messages.warning(request, "Your session has ended. Log in to go on where you were.")
        here = urlsplit(request.headers.get("HX-Current-URL", "/"))
        query = urlencode({"next": here.path + (f"?{here.query}" if here.query else "")})
        return HttpResponse(status=204, headers={"HX-Redirect": f"{resolve_url(settings.LOGIN_URL)}?{query}"})


def _is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _leads_to_login(response: HttpResponseBase) -> bool:
    return response.status_code == 302 and urlsplit(response["Location"]).path == resolve_url(settings.LOGIN_URL)
