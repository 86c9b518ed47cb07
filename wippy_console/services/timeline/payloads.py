"""Payloads of a history as values that a page can show: decoded, cut when they are long, and bytes as bytes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from temporalio.api.common.v1 import Payload, Payloads

from engine.hosts.temporal.wire.payloads import decode
from wippy_console.database.storable import storable

PREVIEW_BYTES = 4096
_HEAD = 96
_TEXTS = (b"json/plain", b"json/protobuf", b"binary/null")
_PLAIN = b"binary/plain"
_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "PNG image",
    b"\xff\xd8\xff": "JPEG image",
    b"GIF8": "GIF image",
    b"%PDF-": "PDF document",
    b"PK\x03\x04": "ZIP archive",
    b"\x1f\x8b": "gzip",
}


class Part(dict[str, Any]):
    """What stands for a payload that is not shown whole: no value of anybody's is taken for one.

    `bytes` and `key`, by which all of it is fetched; of a cut one `cut` and `preview`; of one that is no text
    `encoding`, `type` (what it seems to be) and `base64`, its beginning.
    """


def values(payloads: Payloads | Iterable[Payload]) -> list[Any]:
    """Each payload decoded and cut."""
    items = payloads.payloads if isinstance(payloads, Payloads) else payloads
    return [value(item) for item in items]


def value(payload: Payload, limit: int = PREVIEW_BYTES) -> Any:
    """The payload's value; a `Part` in its place when it has over `limit` bytes of data, or is no text."""
    encoding = payload.metadata.get("encoding", b"")
    if encoding not in _TEXTS and not (encoding in (_PLAIN, b"") and _is_text(payload.data)):
        return _binary(payload, encoding.decode("utf-8", "replace"))
    size = len(payload.data)
    if size <= limit:
        return decoded(payload)
    preview = storable(payload.data[: limit // 2].decode("utf-8", "replace"))
    return Part(cut=True, bytes=size, preview=preview, key=key(payload))


def key(payload: Payload) -> str:
    """Names the payload among those of its run."""
    return f"{len(payload.data)}-{sha256(payload.data).hexdigest()[:16]}"


def decoded(payload: Payload) -> Any:
    """The whole value as JSON data; nothing raises."""
    return storable(decode(payload))


def text(payload: Payload) -> str:
    """The payload as a short text: a string itself, anything else as JSON."""
    found = value(payload)
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _binary(payload: Payload, encoding: str) -> Part:
    named = payload.metadata.get("messageType", b"").decode("utf-8", "replace")
    kind = named or next((name for magic, name in _MAGIC.items() if payload.data.startswith(magic)), "")
    head = base64.b64encode(payload.data[:_HEAD]).decode("ascii")
    found = Part(encoding=encoding or "none", bytes=len(payload.data), base64=head, key=key(payload))
    return Part({**found, "type": kind}) if kind else found
