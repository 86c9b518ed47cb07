"""The requests that cases and examples of the module `http` answer: JSON, and a form for those that parse one."""

from __future__ import annotations

import json

import httpx

from engine.contracts.serving import Headers, Request
from engine.entry import Entry

_JSON = json.dumps({"name": "Ann", "email": "ann@here.test", "items": [1, 2.5]}).encode()
_FORM = httpx.Request(
    "POST",
    "http://console.test",
    data={"title": "Report", "tag": ["lua", "go"]},
    files=[
        ("avatar", ("photo.png", b"\x89PNG", "image/png")),
        ("documents", ("a.txt", b"first\nsecond", "text/plain")),
        ("documents", ("../b.bin", b"\xff\x00", "application/octet-stream")),
    ],
)


def request_of(entry: Entry) -> Request | None:
    """What a function with the module answers; None for others."""
    if "http" not in entry.data.get("modules", ()):
        return None
    if "parse_multipart" in _code(entry):
        return _request(_FORM.read(), _FORM.headers["content-type"])
    return _request(_JSON, "application/json; charset=utf-8")


def _code(entry: Entry) -> str:
    """Of its own function, where several share a source."""
    _, found, rest = str(entry.data["source"]).partition(f"function M.{entry.data['method']}(")
    return rest.partition("\nend")[0] if found else str(entry.data["source"])


class Nobody:
    """An outlet that keeps nothing."""

    async def begin(self, status: int, headers: Headers) -> None:
        """The head."""

    async def send(self, data: bytes) -> None:
        """A piece."""


def _request(body: bytes, content_type: str) -> Request:
    headers = (
        ("host", "console.test"),
        ("accept", "application/json, text/*;q=0.5, text/csv;q=0"),
        ("content-type", content_type),
        ("content-length", str(len(body))),
        ("x-request-id", "r-1"),
        ("x-many", "1"),
        ("x-many", "2"),
    )
    query = (("tag", "lua"), ("tag", "go"), ("q", "a b"))
    return Request(
        "d-1", "POST", "/hooks/orders/7", query, headers, {"id": "7"}, "console.test", "192.0.2.7:4711", body
    )
