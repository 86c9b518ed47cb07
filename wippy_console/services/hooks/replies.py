"""What senders are answered: whole, or as an RFC 9457 problem that tells nothing of our insides."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

Headers = tuple[tuple[str, str], ...]

PROBLEM = "application/problem+json"
RETRY_SECONDS = 5
AWAY = "The console can't reach its database. Nothing was changed. Try again in a moment."
BROKEN = "The console failed. Its log says why."


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is there as a whole."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def plus(self, *headers: tuple[str, str]) -> Reply:
        """The same with more headers."""
        return replace(self, headers=(*self.headers, *headers))


def problem(
    status: int, detail: str, errors: Iterable[Mapping[str, str]] = (), headers: Headers = (), **more: Any
) -> Reply:
    """A problem; `errors` are `{in, path, message}`: the part of the request, a JSON pointer into it, what is wrong."""
    value: dict[str, Any] = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    if found := list(errors):
        value["errors"] = found
    again = (("retry-after", str(RETRY_SECONDS)),) if status == HTTPStatus.SERVICE_UNAVAILABLE else ()
    given = {name for name, _ in headers}
    return _in_json(status, value, PROBLEM).plus(*(each for each in again if each[0] not in given), *headers)


def value(status: int, told: Mapping[str, Any]) -> Reply:
    """JSON; from status 400 on it is a problem."""
    return _in_json(status, told, PROBLEM if status >= HTTPStatus.BAD_REQUEST else "application/json")


def _in_json(status: int, told: Mapping[str, Any], media_type: str) -> Reply:
    return Reply(status, (("content-type", media_type),), json.dumps(told, ensure_ascii=False).encode())
