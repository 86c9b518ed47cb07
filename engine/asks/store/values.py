"""Values of a store as JSON text, and back exactly as they went.

What JSON has no form for is a table with one key that begins with `$`: `{"$bytes": base64}`, `{"$number": "inf"}`,
`{"$pairs": [[key, value], ...]}` (keys that are no text, or one that begins with `$`), `{"$error": {...}}`.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Any

from engine.errors import INTERNAL, Failure, UnitFailed, invalid
from engine.steps import Value

MAX_VALUE = 4 << 20
"""Bytes of a value as it is kept."""
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False)
_PLAIN = frozenset({str, int, bool, type(None)})


def encode(value: Value) -> bytes:
    """The text of a value; Invalid for nil, and for what is too large."""
    if value is None:
        raise UnitFailed(invalid("store: nil can't be kept; delete the key instead"))
    data = _ENCODER.encode(_plain(value)).encode("utf-8", "surrogatepass")
    if len(data) > MAX_VALUE:
        text = f"store: the value is too large: {len(data)} bytes, the limit is {MAX_VALUE}"
        raise UnitFailed(invalid(text, size=len(data), limit=MAX_VALUE))
    return data


def decode(data: bytes) -> Value:
    """The value of a text; Internal for one that somebody else wrote and that is none."""
    try:
        if len(data) > MAX_VALUE:
            raise ValueError("too large")
        return _value(json.loads(data.decode("utf-8", "surrogatepass")))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UnitFailed(Failure(INTERNAL, "store: what is kept under this key is no value of a store")) from None


def _plain(value: Value) -> Any:
    if type(value) in _PLAIN:
        return value
    match value:
        case float():
            return value if math.isfinite(value) else {"$number": repr(value)}
        case bytes():
            return {"$bytes": base64.b64encode(value).decode("ascii")}
        case Mapping():
            return _plain_table(value)
        case Failure():
            return {"$error": {**value.to_json(), "details": _plain(value.details)}}
        case _:
            return [_plain(item) for item in value]


def _plain_table(table: Mapping[Any, Value]) -> Any:
    if all(type(key) is str for key in table) and not (len(table) == 1 and next(iter(table)).startswith("$")):
        return {key: _plain(item) for key, item in table.items()}
    return {"$pairs": [[_plain(key), _plain(item)] for key, item in table.items()]}


def _value(data: Any) -> Value:
    match data:
        case list():
            return [_value(item) for item in data]
        case dict() if len(data) == 1:
            return _tagged(*next(iter(data.items())))
        case dict():
            return {key: _value(item) for key, item in data.items()}
        case _:
            return data


def _tagged(key: str, content: Any) -> Value:
    match key:
        case "$bytes":
            return base64.b64decode(content, validate=True)
        case "$number":
            return float(content)
        case "$pairs":
            return {_value(name): _value(item) for name, item in content}
        case "$error":
            return Failure.from_json({**content, "details": _value(content.get("details"))})
        case _:
            return {key: _value(content)}
