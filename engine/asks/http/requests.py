"""One request, read from what Lua hands over, and what it becomes when it is redirected."""

from __future__ import annotations

import math
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote_to_bytes, urlencode

import httpx

from engine.asks.http import urls
from engine.asks.http.headers import Headers, carried, read_cookies, read_headers
from engine.asks.http.limits import DEFAULT_SECONDS, MAX_BODY, MAX_SECONDS, MAX_SENT
from engine.asks.http.tls import Tls
from engine.asks.http.urls import octets
from engine.asks.streams import whole
from engine.durations import SECOND, parse_duration
from engine.errors import UnitFailed, invalid
from engine.steps import Value

_METHOD = re.compile(r"[A-Za-z][A-Za-z-]{0,31}")
AGENT = b"wippy-console"


@dataclass(frozen=True, slots=True)
class Hop:
    """Where a redirect led: the request goes on there. `foreign` once the origin was left."""

    url: str
    method: str
    count: int
    foreign: bool
    bodiless: bool

    def to_value(self) -> dict[str, Value]:
        """For the kernel, which asks policies about the URL and sends it back."""
        return {
            "url": self.url,
            "method": self.method,
            "count": self.count,
            "foreign": self.foreign,
            "bodiless": self.bodiless,
        }

    @classmethod
    def of(cls, value: Mapping[str, Value]) -> Hop:
        """The inverse of `to_value`."""
        return cls(value["url"], value["method"], value["count"], value["foreign"], value["bodiless"])


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may be sent. `seconds` are those that are left of its timeout."""

    method: str
    url: httpx.URL
    headers: Headers
    body: bytes
    seconds: float
    stream: bool
    max_body: int
    socket: str
    tls: Tls | None
    unpacks: bool
    approved: frozenset[str] | None
    """Private addresses that policies let it reach; None where the unit has none."""
    hop: Hop | None
    double: str
    """The test that it is sent in, or ""."""

    @property
    def what(self) -> str:
        """What it is, for people."""
        return f"{self.method} {urls.shown(self.url)}"

    @classmethod
    def of(cls, value: Value) -> Request:
        """Of what the kernel hands over (`kernel/http_client.lua`); Invalid or LimitExceeded."""
        if not isinstance(value, Mapping):
            raise UnitFailed(invalid("a request must be a table"))
        url = urls.read_url(value.get("url"), value.get("query"))
        headers, body = _headers_and_body(value, url)
        request = cls(
            method=read_method(value.get("method")),
            url=urls.without_userinfo(url),
            headers=headers,
            body=body,
            seconds=_left(value),
            stream=_flag(value, "stream"),
            max_body=_max_body(value.get("max_response_body"), stream=bool(value.get("stream"))),
            socket=_socket(value.get("unix_socket")),
            tls=Tls.of(value.get("tls")),
            unpacks=not any(name.lower() in (b"accept-encoding", b"range") for name, _ in headers),
            approved=_approved(value),
            hop=None,
            double=_text(value.get("double")),
        )
        hop = value.get("hop")
        return request.after(Hop.of(hop)) if isinstance(hop, Mapping) else request

    def after(self, hop: Hop) -> Request:
        """The request as it goes on: to another origin without credentials and what of TLS was meant for the first."""
        headers = carried(self.headers) if hop.foreign else self.headers
        if hop.bodiless:
            headers = [(name, text) for name, text in headers if not name.lower().startswith(b"content-")]
        return replace(
            self,
            method=hop.method,
            url=urls.read_url(hop.url),
            headers=headers,
            body=b"" if hop.bodiless else self.body,
            tls=None if hop.foreign else self.tls,
            hop=hop,
        )


def read_method(value: Value) -> str:
    """A method; Invalid."""
    if not isinstance(value, str) or not _METHOD.fullmatch(value):
        raise UnitFailed(invalid("method must be a word of at most 32 letters"))
    if value.upper() == "CONNECT":
        raise UnitFailed(invalid("method CONNECT is for proxies, which are not used"))
    return value.upper()


def _headers_and_body(value: Mapping[str, Value], url: httpx.URL) -> tuple[Headers, bytes]:
    headers = read_headers(value.get("headers"))
    kind, body = _body(value)
    names = {name.lower() for name, _ in headers}
    if kind and (b"content-type" not in names or value.get("files")):
        headers = [(name, text) for name, text in headers if name.lower() != b"content-type"]
        headers.append((b"Content-Type", kind))
    if credentials := _credentials(value.get("auth"), url):
        headers = [(name, text) for name, text in headers if name.lower() != b"authorization"]
        headers.append((b"Authorization", b"Basic " + b64encode(credentials)))
    if cookies := read_cookies(value.get("cookies")):
        headers.append((b"Cookie", cookies))
    if b"user-agent" not in names:
        headers.append((b"User-Agent", AGENT))
    return headers, body


def _credentials(auth: Value, url: httpx.URL) -> bytes:
    """user:password of the option `auth`, or of the URL."""
    if auth is None or auth == []:
        name, _, word = url.userinfo.partition(b":")
        return unquote_to_bytes(name) + b":" + unquote_to_bytes(word) if url.userinfo else b""
    user, password = (auth.get("user"), auth.get("pass") or "") if isinstance(auth, Mapping) else (None, None)
    if not isinstance(user, str | bytes) or not isinstance(password, str | bytes) or b":" in octets(user):
        raise UnitFailed(invalid("auth must be {user = text, pass = text}, the user without a colon"))
    return octets(user) + b":" + octets(password)


def _body(value: Mapping[str, Value]) -> tuple[bytes, bytes]:
    """The Content-Type that the body asks for, and the body."""
    body, form, files = value.get("body"), value.get("form"), value.get("files")
    if body is not None and (form is not None or files is not None):
        raise UnitFailed(invalid("body can't be given together with form or files"))
    if files:
        kind, data = _multipart(form, files)
    elif form is not None:
        kind, data = b"application/x-www-form-urlencoded", urlencode(urls.items(form, "form")).encode()
    elif body is None or isinstance(body, str | bytes):
        kind, data = b"", octets(body or b"")
    else:
        raise UnitFailed(invalid("body must be text"))
    if len(data) > MAX_SENT:
        raise UnitFailed(invalid(f"the body is larger than {MAX_SENT} bytes"))
    return kind, data


def _multipart(form: Value, files: Value) -> tuple[bytes, bytes]:
    fields: dict[str, list[bytes]] = {}
    for name, text in urls.items(form, "form"):
        fields.setdefault(octets(name).decode("utf-8", "replace"), []).append(octets(text))
    if not isinstance(files, list):
        raise UnitFailed(invalid("files must be a list of {name, filename, content}"))
    parts = [_file(each) for each in files]
    made = httpx.Request("POST", "http://form", data=fields, files=parts)
    return made.headers["content-type"].encode(), made.read()


def _file(value: Value) -> tuple[str, tuple[str, bytes, str]]:
    spec = value if isinstance(value, Mapping) else {}
    name, content = spec.get("name"), spec.get("content")
    filename, kind = spec.get("filename") or "file", spec.get("content_type") or "application/octet-stream"
    if not all(isinstance(each, str) for each in (name, filename, kind)) or not isinstance(content, str | bytes):
        raise UnitFailed(invalid("files: each must be {name = text, content = text, filename = text}"))
    if re.search(r"[\x00-\x1f\x7f]", kind) or not kind.isascii():
        raise UnitFailed(invalid("files: content_type holds a line break or control character"))
    return name, (filename, octets(content), kind)  # type: ignore[return-value]  # checked above


def _left(value: Mapping[str, Value]) -> float:
    seconds, left = read_seconds(value.get("timeout")), value.get("left")
    return min(seconds, left) if isinstance(left, float) else seconds


def read_seconds(value: Value) -> float:
    """The option `timeout`: seconds, or a duration as text; 0 and nil stand for the default."""
    match value:
        case None:
            seconds = 0.0
        case str():
            parsed = parse_duration(value)
            seconds = math.nan if parsed is None else parsed / SECOND
        case int() | float() if not isinstance(value, bool):
            seconds = float(value)
        case _:
            seconds = math.nan
    if not 0 <= seconds <= MAX_SECONDS:
        raise UnitFailed(invalid(f"timeout must be seconds or a duration as '30s', at most {MAX_SECONDS:g} s"))
    return seconds or DEFAULT_SECONDS


def _max_body(value: Value, *, stream: bool) -> int:
    """Bytes; 0 of a stream means that it may go on for ever."""
    if value is None or value == 0:
        return 0 if stream else MAX_BODY
    count = whole(value, "max_response_body")
    return count if stream else min(count, MAX_BODY)


def _flag(value: Mapping[str, Value], name: str) -> bool:
    found = value.get(name)
    if found is not None and not isinstance(found, bool):
        raise UnitFailed(invalid(f"{name} must be a boolean"))
    return bool(found)


def _socket(value: Value) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value or "/../" in value or len(value) > 107:
        raise UnitFailed(invalid("unix_socket must be an absolute path"))
    return value


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""


def _approved(value: Mapping[str, Value]) -> frozenset[str] | None:
    if not value.get("checks"):
        return None
    return frozenset(each for each in value.get("approved") or () if isinstance(each, str))
