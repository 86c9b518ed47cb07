"""URLs as policies judge them and as they are requested: one form of each, without credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

import httpx

from engine.errors import UnitFailed, invalid
from engine.steps import Value

MAX_URL = 16_384
_REFUSED = re.compile(r"[\x00-\x20\x7f\\]")
_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")
_AUTHORITY = re.compile("(?:[^/?#]*//[^/?#]*)?")
_ASCII = "".join(map(chr, range(128)))
_UNRESERVED = frozenset("-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
SCHEMES = ("http", "https")


def read_url(text: Value, query: Value = None) -> httpx.URL:
    """The URL of a text, with parameters added; Invalid. Its userinfo is still there (`without_userinfo`).

    In the path dots are resolved, and what needs no escape has none: what a policy allows under /public/ does not lead
    out of it, and what it refuses has no other spelling.
    """
    if not isinstance(text, str):
        raise UnitFailed(invalid("url must be UTF-8 text"))
    text = _in_ascii(text[: MAX_URL + 1])
    if len(text) > MAX_URL:
        raise UnitFailed(invalid(f"url is longer than {MAX_URL} characters, as it is sent"))
    if _REFUSED.search(text):
        raise UnitFailed(invalid("url must not hold blanks, control characters or backslashes: encode them"))
    return _with_query(_parsed(text), query)


def _in_ascii(text: str) -> str:
    """Encoded but for the host, which has another form. Here, since httpx would block the node's loop."""
    if text.isascii():
        return text
    end = _AUTHORITY.match(text).end()  # type: ignore[union-attr]  # it matches any text
    return text[:end] + quote(text[end:], safe=_ASCII)


def _parsed(text: str) -> httpx.URL:
    head, mark, tail = _split(text)
    try:
        url = httpx.URL(_ESCAPE.sub(_unescaped, head) + mark + tail)
        port = url.port
    except (httpx.InvalidURL, ValueError, UnicodeError) as error:
        raise UnitFailed(invalid("url can't be read")) from error
    if url.scheme not in SCHEMES:
        raise UnitFailed(invalid("url must begin with http:// or https://"))
    if not url.host or (port is not None and not 0 < port < 65536) or "%" in url.host:
        raise UnitFailed(invalid("url needs a host"))
    return url.copy_with(fragment=None)


def _unescaped(escape: re.Match[str]) -> str:
    letter = chr(int(escape[1], 16))
    return letter if letter in _UNRESERVED else escape[0].upper()


def _split(text: str) -> tuple[str, str, str]:
    """What is before the query or fragment, and the rest."""
    at = min((found for found in (text.find("?"), text.find("#")) if found >= 0), default=len(text))
    return text[:at], text[at : at + 1], text[at + 1 :]


def _with_query(url: httpx.URL, query: Value) -> httpx.URL:
    pairs = [f"{encode(name)}={encode(value)}" for name, value in items(query, "query")]
    if not pairs:
        return url
    text = "&".join([*([url.query.decode("ascii")] if url.query else []), *pairs])
    if len(text) > MAX_URL:
        raise UnitFailed(invalid(f"query is longer than {MAX_URL} characters"))
    return url.copy_with(query=text.encode("ascii"))


def without_userinfo(url: httpx.URL) -> httpx.URL:
    """What policies are asked about, and what is requested; credentials go in a header."""
    return url.copy_with(userinfo=b"") if url.userinfo else url


def shown(url: httpx.URL) -> str:
    """The URL for people, logs and errors: without userinfo and query, which may be secrets."""
    text = str(without_userinfo(url).copy_with(query=None))
    return text if len(text) <= 150 else text[:149] + "…"


def same_origin(left: httpx.URL, right: httpx.URL) -> bool:
    """Whether both are one scheme, host and port."""
    return (left.scheme, left.host, port_of(left)) == (right.scheme, right.host, port_of(right))


def port_of(url: httpx.URL) -> int:
    """The port that is connected to."""
    return url.port or (443 if url.scheme == "https" else 80)


def items(value: Value, what: str) -> list[tuple[str | bytes, str | bytes]]:
    """The pairs of a table {name = text}, where numbers and booleans count as text, by name; a list has many values."""
    if value is None or value == []:
        return []
    if not isinstance(value, Mapping):
        raise UnitFailed(invalid(f"{what} must be a table {{name = value}}"))
    found = [(name, each) for name, value in value.items() for each in (value if isinstance(value, list) else [value])]
    if any(not isinstance(name, str | bytes) for name, _ in found):
        raise UnitFailed(invalid(f"{what}: names must be text"))
    return sorted(((name, text_of(each, what)) for name, each in found), key=lambda pair: octets(pair[0]))


def text_of(value: Value, what: str) -> str | bytes:
    """A text, number or boolean as text."""
    match value:
        case str() | bytes():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            raise UnitFailed(invalid(f"{what}: values must be text"))


def octets(text: str | bytes) -> bytes:
    """The bytes of a text of Lua."""
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text


def encode(text: str | bytes) -> str:
    """A text as it stands in a query."""
    return quote_plus(octets(text))
