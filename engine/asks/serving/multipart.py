"""The parts of a form with files (RFC 7578), found in a body that is there as a whole: nothing of it is copied."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from engine.asks.serving.failures import unparsed

MAX_PARTS, MAX_HEAD = 1000, 8192
_MULTIPART = "multipart/form-data"
_BOUNDARY = re.compile(r"[ -~]{0,69}[!-~]")
_PARAMETER = re.compile(rb';\s*([!#$&+\-.^_`|~0-9A-Za-z]+\*?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))', re.DOTALL)
_ESCAPED = re.compile(rb'\\(["\\])')
_DELIMITED = re.compile(rb"[ \t]*\r\n")


@dataclass(frozen=True, slots=True)
class Part:
    """A field or file. Its content is `body[start:end]`; `filename` "" for a field."""

    name: str
    filename: str
    headers: dict[str, bytes]
    start: int
    end: int


def parts(content_type: str, body: bytes) -> list[Part]:
    """All parts, in order; Invalid (PARSE_FAILED)."""
    return [_part(head, start, end, body) for head, start, end in _split(body, _delimiter(content_type))]


def _delimiter(content_type: str) -> bytes:
    if content_type.partition(";")[0].strip().lower() != _MULTIPART:
        raise unparsed(f"the request is not multipart: its Content-Type would be {_MULTIPART}")
    text = _parameters(content_type.encode("latin-1", "replace")).get("boundary", b"").decode("latin-1")
    if not _BOUNDARY.fullmatch(text):
        raise unparsed("multipart: the Content-Type names no boundary of 1 to 70 characters")
    return b"--" + text.encode("ascii")


def _split(body: bytes, delimiter: bytes) -> Iterator[tuple[slice, int, int]]:
    """Of each part where its head is, and where its content begins and ends."""
    at = _first(body, delimiter)
    count = 0
    while (begun := _DELIMITED.match(body, at)) is not None:
        count += 1
        if count > MAX_PARTS:
            raise unparsed(f"multipart: more than {MAX_PARTS} parts")
        head_end = body.find(b"\r\n\r\n", begun.end() - 2, begun.end() + MAX_HEAD)
        if head_end < 0:
            raise unparsed(f"multipart: the headers of part {count} do not end, or are longer than {MAX_HEAD} bytes")
        start = head_end + 4
        end, at = _next(body, delimiter, start - 2)
        if end < 0:
            raise unparsed(f"multipart: part {count} does not end")
        yield slice(begun.end(), head_end), start, max(start, end)
    if not body.startswith(b"--", at):
        raise unparsed("multipart: the body does not end with its boundary")


def _first(body: bytes, delimiter: bytes) -> int:
    """Behind the first delimiter, which may have a preamble before it."""
    if body.startswith(delimiter) and _is_delimiter(body, len(delimiter)):
        return len(delimiter)
    end, at = _next(body, delimiter, 0)
    if end < 0:
        raise unparsed("multipart: the boundary does not occur in the body")
    return at


def _next(body: bytes, delimiter: bytes, at: int) -> tuple[int, int]:
    """Where the next delimiter begins, its line break included, and what is behind it; -1 where there is none."""
    line = b"\r\n" + delimiter
    while (found := body.find(line, at)) >= 0:
        behind = found + len(line)
        if _is_delimiter(body, behind):
            return found, behind
        at = found + 2
    return -1, -1


def _is_delimiter(body: bytes, behind: int) -> bool:
    """Whether it is one, and not the beginning of a longer text."""
    return body.startswith(b"--", behind) or _DELIMITED.match(body, behind) is not None


def _part(head: slice, start: int, end: int, body: bytes) -> Part:
    headers = dict(_headers(body[head]))
    disposition = headers.get("content-disposition", b"")
    known = _parameters(disposition)
    if disposition.partition(b";")[0].strip().lower() != b"form-data" or "name" not in known:
        raise unparsed("multipart: a part has no Content-Disposition of form-data with a name")
    return Part(_text(known["name"]), _filename(known), headers, start, end)


def _headers(head: bytes) -> Iterator[tuple[str, bytes]]:
    for line in head.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if line and not colon:
            raise unparsed("multipart: a part has a header without a colon")
        if line:
            yield name.strip().decode("latin-1").lower(), value.strip()


def _parameters(text: bytes) -> dict[str, bytes]:
    """What stands behind the semicolons of a header."""
    found: dict[str, bytes] = {}
    for name, quoted, plain in _PARAMETER.findall(text):
        found.setdefault(name.decode("ascii").lower(), _ESCAPED.sub(rb"\1", quoted) or plain)
    return found


def _filename(known: dict[str, bytes]) -> str:
    """Without the folders that some senders name."""
    text = known.get("filename", b"")
    charset, _, extended = known.get("filename*", b"").partition(b"'")
    if charset.lower() == b"utf-8":
        text = unquote_to_bytes(extended.partition(b"'")[2])
    return re.split(r"[/\\]", _text(text))[-1]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
