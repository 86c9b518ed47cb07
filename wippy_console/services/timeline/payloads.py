"""Payloads of a history as values that a page can show: decoded, and cut when they are long."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from temporalio.api.common.v1 import Payload, Payloads

from engine.hosts.temporal.wire.payloads import decode
from wippy_console.database.storable import storable

PREVIEW_BYTES = 4096


def values(payloads: Payloads | Iterable[Payload]) -> list[Any]:
    """Each payload decoded and cut."""
    items = payloads.payloads if isinstance(payloads, Payloads) else payloads
    return [value(item) for item in items]


def value(payload: Payload, limit: int = PREVIEW_BYTES) -> Any:
    """The payload's value; over `limit` bytes of data {"cut": True, "bytes": n, "preview": text} instead."""
    size = len(payload.data)
    if size <= limit:
        return decoded(payload)
    return {"cut": True, "bytes": size, "preview": storable(payload.data[: limit // 2])}


def decoded(payload: Payload) -> Any:
    """The whole value as JSON data; nothing raises."""
    return storable(decode(payload))


def text(payload: Payload) -> str:
    """The payload as a short text: a string itself, anything else as JSON."""
    found = value(payload)
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
