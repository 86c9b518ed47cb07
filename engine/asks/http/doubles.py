"""Recorded answers that stand in for peers while an entry is run as a test (docs/lua.md#as-entries).

Who runs tests puts the id of the test into the context of the call, under a key that Lua code can't set; it goes on to
all that the test calls and starts. With `meta.doubles` the test reaches no peer at all.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from engine.asks.http import urls
from engine.asks.http.failures import broken
from engine.asks.http.requests import Request
from engine.entry import Entry
from engine.errors import UnitFailed, invalid

CONTEXT_KEY = "@doubles"
FIELD = "doubles"
ENTRIES = "registry.entry"
Find = Callable[[str], Entry | None]


class Recorded:
    """An answer of no peer; as `connections.Received`."""

    def __init__(self, status: int, headers: Mapping[str, Any], body: bytes) -> None:
        self.status = status
        self.headers = httpx.Headers({name: str(text) for name, text in headers.items()})
        self.headers.setdefault("content-length", str(len(body)))
        self._body = body

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body."""
        if self._body:
            yield self._body

    async def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True, slots=True)
class Double:
    """One recorded answer, of the requests by a method to a URL; a * at its end stands for any rest."""

    method: str
    url: str
    answer: Mapping[str, Any]

    def fits(self, request: Request) -> bool:
        """Whether it answers a request."""
        url = str(request.url)
        fits = url.startswith(self.url[:-1]) if self.url.endswith("*") else url == self.url
        return fits and request.method == self.method

    def give(self, request: Request) -> Recorded:
        """The answer; the failure that it stands for, or Invalid when it can't be read."""
        if failure := self.answer.get("fails"):
            raise broken(request.what, str(failure))
        status, headers = self.answer.get("status", 200), self.answer.get("headers") or {}
        if type(status) is not int or not 200 <= status < 600 or not isinstance(headers, Mapping):
            raise UnitFailed(
                invalid(f"the double for {request.what} must have a status from 200 on, and headers by name")
            )
        return Recorded(status, headers, self._body(request))

    def _body(self, request: Request) -> bytes:
        if "json" in self.answer:
            return json.dumps(self.answer["json"]).encode()
        try:
            packed = base64.b64decode(str(self.answer.get("base64", "")), validate=True)
        except binascii.Error as error:
            raise UnitFailed(invalid(f"the double for {request.what}: base64 can't be read")) from error
        return packed or str(self.answer.get("body", "")).encode()


class Doubles:
    """The recorded answers of tests, by the entries of the registry."""

    def __init__(self, find: Find) -> None:
        self._find = find

    def answer(self, request: Request) -> Recorded | None:
        """What answers a request of a test; None where peers are asked. Raises when the test has no answer for it."""
        test = self._find(request.double) if request.double else None
        if test is None or test.meta.get("type") != "test" or FIELD not in test.meta:
            return None
        for double in self._of(test, test.meta[FIELD]):
            if double.fits(request):
                return double.give(request)
        raise broken(request.what, _how(test, request), retryable=False)

    def _of(self, test: Entry, value: Any) -> Iterator[Double]:
        """Those of a list, in which a text names an entry that has more in its `answers`."""
        for item in value if isinstance(value, list) else [value]:
            match item:
                case str():
                    yield from self._of_entry(test, item if ":" in item else f"{test.namespace}:{item}")
                case Mapping():
                    yield _double(test, item)
                case _:
                    raise UnitFailed(
                        invalid(f"meta.doubles of {test.id} must be answers, or ids of entries with answers")
                    )

    def _of_entry(self, test: Entry, entry_id: str) -> Iterator[Double]:
        entry = self._find(entry_id)
        answers = entry.data.get("answers") if entry and entry.kind == ENTRIES else None
        if not isinstance(answers, list):
            raise UnitFailed(invalid(f"meta.doubles of {test.id}: {entry_id} is no {ENTRIES} with a list of answers"))
        for item in answers:
            if not isinstance(item, Mapping):
                raise UnitFailed(invalid(f"{entry_id}: an answer is a table {{url, method, status, headers, body}}"))
            yield _double(test, item)


def _double(test: Entry, item: Mapping[str, Any]) -> Double:
    text, method = item.get("url"), item.get("method", "GET")
    if not isinstance(text, str) or not isinstance(method, str):
        raise UnitFailed(invalid(f"meta.doubles of {test.id}: each answer needs a url, as text"))
    any_rest = text.endswith("*")
    url = str(urls.without_userinfo(urls.read_url(text.removesuffix("*"))))
    return Double(method.upper(), f"{url}*" if any_rest else url, item)


def _how(test: Entry, request: Request) -> str:
    return (
        f"{test.id} has no answer for it. Add to its meta.doubles "
        f"{{method: {request.method}, url: '{urls.shown(request.url)}', status: 200, json: {{}}}} (with the query, "
        "or a * at the end); manage.py testentries --record writes down what the peer really says"
    )
