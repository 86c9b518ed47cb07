"""By which every request comes in: who calls, how often, for the first time or again; no exception leaves by it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from wippy_console.api import callers, exactly, problems
from wippy_console.services import rates, repeats
from wippy_console.services.errors import Conflict, Refused
from wippy_console.services.repeats import Answer

Run = Callable[..., HttpResponseBase]

WRITES = ("POST", "PUT", "PATCH", "DELETE")
MOST_BYTES = 2_000_000
"""Of a body."""

SESSION_PER_MINUTE = 600
_KEYS = uuid.UUID("4f0f5d0c-6c1b-4d4a-9a37-7f3f0e3f5a52")
_KEPT_HEADERS = ("Content-Type", "Location", "ETag")


def door(run: Run) -> Run:
    """Wrap an operation of the API (its `run`)."""
    known = _query_names(run.__self__)  # type: ignore[attr-defined] # a bound method

    @wraps(run)
    def through(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = _enter(request, known, lambda: run(request, *args, **kwargs))
        except Exception as error:
            response = problems.of(request, error)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return through


def _enter(request: HttpRequest, known: frozenset[str], act: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    found = callers.identify(request)
    if found is None:
        return problems.answer(401, problems.STRANGER)
    request.user, token = found
    request.access_token = token  # type: ignore[attr-defined]
    caller = f"token:{token.pk}" if token is not None else f"user:{found[0].pk}"
    rate = rates.count(f"api {caller}", token.per_minute if token is not None else SESSION_PER_MINUTE)
    response = problems.answer(429, "Too many requests.") if rate.is_over else _act(request, known, caller, act)
    for name, value in rate.headers.items():
        response.headers[name] = value
    return response


def _act(
    request: HttpRequest, known: frozenset[str], caller: str, act: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    if len(request.body) > MOST_BYTES:
        return problems.answer(413, f"A body may have up to {MOST_BYTES} bytes.")
    if strange := sorted(set(request.GET) - known):
        place = {"in": "query", "path": problems.pointer(strange[:1]), "message": "There is no such parameter."}
        return problems.answer(422, f"There is no parameter {strange[0][:100]}.", [place])
    if request.body:
        request.read_body = exactly.read_body(request)  # type: ignore[attr-defined]
    elif request.method in WRITES:
        request._body, request.read_body = b"{}", {}  # type: ignore[attr-defined] # ninja asks whether there is one
    key = request.headers.get("Idempotency-Key")
    if key is None or request.method not in WRITES:
        request.key = uuid.uuid4()  # type: ignore[attr-defined]
        return act()
    request.key = uuid.uuid5(_KEYS, f"{caller} {key}")  # type: ignore[attr-defined]
    return _once(request, caller, key, act)


def _once(request: HttpRequest, caller: str, key: str, act: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    conditions = (request.headers.get(name, "") for name in ("If-Match", "If-None-Match"))
    said = (str(request.method), request.get_full_path(), *conditions)
    try:
        given = repeats.once(caller, key, said, request.body, lambda: _told(act()))
    except Conflict as error:
        return problems.answer(409, error.message, headers={"Retry-After": "1"})
    except Refused as error:
        place = {"in": "header", "path": "/Idempotency-Key", "message": error.message}
        return problems.answer(422, error.message, [place])
    response = HttpResponse(given.body, status=given.status, headers=dict(given.headers))
    if given.is_repeat:
        response["Idempotency-Replayed"] = "true"
    return response


def _told(response: HttpResponseBase) -> Answer:
    """A write answers in one piece."""
    assert isinstance(response, HttpResponse)
    headers = {name: response[name] for name in (*_KEPT_HEADERS, "Retry-After") if name in response}
    return Answer(response.status_code, response.content, headers)


def _query_names(operation: Any) -> frozenset[str]:
    """The parameters of the query that an operation reads."""
    models = [each for each in operation.models if each.__ninja_param_source__ == "query"]
    return frozenset(name for each in models for name in each.__ninja_flatten_map__)
