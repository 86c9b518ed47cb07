"""Refusals as RFC 9457 problems: what went wrong, where in the request, and nothing of our insides."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja.errors import AuthenticationError, HttpError, ValidationError

from engine.errors import UnitFailed
from wippy_console.database.outages import is_away
from wippy_console.services.errors import Refused

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
AWAY = "The console can't reach its database. Nothing was changed. Try again in a moment."
STRANGER = "Send a token that counts (Authorization: Bearer wippy_…), or log in."
FAILED = "The console failed. Its log says why."


def answer(
    status: int, detail: str, errors: Iterable[Mapping[str, str]] = (), headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """A problem; `errors` are `{in, path, message}`: the part of the request, a JSON pointer into it, what is wrong."""
    body: dict[str, Any] = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    if found := list(errors):
        body["errors"] = found
    response = JsonResponse(body, status=status, content_type=MEDIA_TYPE, headers=dict(headers or {}))
    if status == HTTPStatus.SERVICE_UNAVAILABLE and "Retry-After" not in response:
        response["Retry-After"] = str(RETRY_SECONDS)
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="wippy"'
    return response


def of(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """The problem that an exception is."""
    for kind, told in _TOLD.items():
        if isinstance(error, kind):
            return told(error)
    if isinstance(error, Exception) and is_away(error):
        return answer(503, AWAY)
    log.error("%s %s failed", request.method, request.path, exc_info=error if isinstance(error, Exception) else None)
    return answer(500, FAILED)


@contextmanager
def within(*root: str | int) -> Iterator[None]:
    """Places of what a service refuses are within that part of the body."""
    try:
        yield
    except Refused as error:
        error.paths = {(*root, *path): texts for path, texts in error.paths.items()}
        raise


def _of_unit(error: UnitFailed) -> HttpResponse:
    """Code that ran and failed is the answer to a call; whoever calls reads it there, and not as a problem."""
    return answer(502, f"It failed: {error.failure.message}")


def _places(error: Refused) -> Iterable[dict[str, str]]:
    for name, texts in error.named.items():
        yield from ({"in": "body", "path": pointer([name] if name else []), "message": text} for text in texts)
    for path, texts in error.paths.items():
        yield from ({"in": "body", "path": pointer(path), "message": text} for text in texts)


def _place(error: Mapping[str, Any]) -> dict[str, str]:
    """Of one of pydantic's: its place begins with the part of the request, and of a body with the parameter's name, as
    that of lists does, whose parameter is called `filters`.
    """
    where, *path = error["loc"]
    path = path[1:] if where == "body" or path[:1] == ["filters"] else path
    return {
        "in": str(where),
        "path": pointer(path),
        "message": str(error["msg"]),
    }


def pointer(path: Iterable[str | int]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


_TOLD: dict[type[Exception], Callable[[Any], HttpResponse]] = {
    Refused: lambda error: answer(error.status, error.message, _places(error)),
    PermissionDenied: lambda error: answer(403, str(error) or "You may not do that."),
    ValidationError: lambda error: answer(422, "The request can't be accepted.", map(_place, error.errors)),
    AuthenticationError: lambda _: answer(401, STRANGER),
    RequestDataTooBig: lambda _: answer(413, "The body is too large."),
    HttpError: lambda error: answer(error.status_code, error.message),
    Http404: lambda _: answer(404, "There is no such address."),
    BadRequest: lambda _: answer(400, "The request can't be read."),
    UnitFailed: _of_unit,
}
"""In this order: an AuthenticationError is an HttpError."""
