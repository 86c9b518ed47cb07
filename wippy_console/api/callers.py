"""Who calls: the owner of a token, or somebody who is logged in."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from wippy_console.models import AccessToken
from wippy_console.services import access_tokens, senders

_SAFE = ("GET", "HEAD", "OPTIONS")
STALE = "The request has no CSRF token: send the cookie's value as X-CSRFToken, or use a token of the API."


def identify(request: HttpRequest) -> tuple[User, AccessToken | None] | None:
    """The user by whose rights it is done, and the token, if there is one; None for strangers.

    A token that does not count is no reason to look at the cookie. PermissionDenied without a CSRF token.
    """
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        token = (
            access_tokens.bearer(text.strip(), senders.address(request.META)) if scheme.lower() == "bearer" else None
        )
        return (token.owner, token) if token is not None else None
    if not request.user.is_authenticated:
        return None
    if request.method not in _SAFE and check_csrf(request) is not None:
        raise PermissionDenied(STALE)
    return request.user, None


def user_of(request: HttpRequest) -> User:
    """By whose rights it is done: the door has turned everybody else away."""
    return cast("User", request.user)


def token_of(request: HttpRequest) -> AccessToken | None:
    """By which token they came in."""
    return cast("AccessToken | None", request.access_token)  # type: ignore[attr-defined] # the door keeps it


def key_of(request: HttpRequest) -> UUID:
    """Under which key services do it: the same for the same `Idempotency-Key` of one caller, else a new one."""
    return cast("UUID", request.key)  # type: ignore[attr-defined] # the door made it


class Bearer(HttpBearer):
    """For the document: `door` has looked at the token by then."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Whoever came in by one."""
        return getattr(request, "access_token", None)


class Session(APIKeyCookie):
    """The same of a session's cookie."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self) -> None:
        super().__init__(csrf=False)  # the door has checked it

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        """Whoever is logged in."""
        return request.user if request.user.is_authenticated else None
