"""Headers both ways: none that break a line or belong to the connection go out, and as many come in as fit."""

from __future__ import annotations

import re
from collections.abc import Sequence

import httpx

from engine.asks.http.failures import exceeded
from engine.asks.http.limits import MAX_HEADER_BYTES, MAX_HEADERS
from engine.asks.http.urls import items, octets
from engine.errors import UnitFailed, invalid
from engine.steps import Value

Headers = list[tuple[bytes, bytes]]

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")
_COOKIE = re.compile(rb"[^\x00-\x20\x7f;,\"\\]*")
_OURS = frozenset({b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect"})
_DERIVED = frozenset({b"host", b"content-length"})
_CARRIED = frozenset(
    {b"accept", b"accept-encoding", b"accept-language", b"content-type", b"range", b"user-agent", b"depth"}
)
"""What goes along to another origin: nothing that may be a secret."""


def read_headers(value: Value) -> Headers:
    """The option `headers`; Invalid. Host and Content-Length are made of the request, as everywhere."""
    found = [(octets(name), octets(text).strip(b" \t")) for name, text in items(value, "headers")]
    for name, text in found:
        _check(name, text)
    _check_size(found)
    return [(name, text) for name, text in found if name.lower() not in _DERIVED]


def _check(name: bytes, text: bytes) -> None:
    if not _NAME.fullmatch(name):
        raise UnitFailed(invalid("headers: a name holds what no header's name may hold"))
    if not _VALUE.fullmatch(text):
        raise UnitFailed(invalid(f"headers: the value of {name.decode()} holds a line break or control character"))
    if name.lower() in _OURS or name.lower().startswith(b"proxy-"):
        raise UnitFailed(invalid(f"headers: {name.decode()} belongs to the connection and can't be set"))


def _check_size(headers: Headers) -> None:
    if len(headers) > MAX_HEADERS or sum(len(name) + len(text) for name, text in headers) > MAX_HEADER_BYTES:
        raise exceeded(f"headers: more than {MAX_HEADERS}, or than {MAX_HEADER_BYTES} bytes")


def read_cookies(value: Value) -> bytes:
    """The option `cookies` as a header's value, or b""."""
    found = [(octets(name), octets(text)) for name, text in items(value, "cookies")]
    for name, text in found:
        if not _NAME.fullmatch(name) or not _COOKIE.fullmatch(text):
            raise UnitFailed(invalid("cookies: a name or value holds what no cookie may hold"))
    return b"; ".join(name + b"=" + text for name, text in found)


def carried(headers: Headers) -> Headers:
    """What goes along when another origin is redirected to."""
    return [(name, text) for name, text in headers if name.lower() in _CARRIED]


def answered(what: str, raw: Sequence[tuple[bytes, bytes]]) -> dict[Value, Value]:
    """An answer's headers for Lua: names as `Content-Type`, values of one name joined by a comma; LimitExceeded."""
    if len(raw) > MAX_HEADERS:
        raise exceeded(f"{what}: the answer has more than {MAX_HEADERS} headers")
    found: dict[bytes, list[bytes]] = {}
    for name, text in raw:
        found.setdefault(b"-".join(part.capitalize() for part in name.split(b"-")), []).append(text)
    return {name.decode("latin-1"): b", ".join(texts) for name, texts in found.items()}


def cookies_of(headers: httpx.Headers) -> dict[str, str]:
    """What the answer sets, without the conditions; what is no name and value is left out."""
    pairs = [text.partition(";")[0].partition("=") for text in headers.get_list("set-cookie")]
    return {name.strip(): value.strip().strip('"') for name, equals, value in pairs if equals and name.strip()}
