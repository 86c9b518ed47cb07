"""Values made fit for a database column: every database refuses some of what Lua and Temporal can send."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

from engine.errors import Failure

PREVIEW_BYTES = 4096
_PREVIEW = {"preview", "bytes"}
_PREVIEWS = {*_PREVIEW, "cut", "key"}


def storable(value: Any) -> Any:
    """The value as JSON data that SQLite and PostgreSQL both take.

    NaN and infinities become their names, unknown types text, NUL characters and lone surrogates U+FFFD. Bytes become
    `{"$bytes": base64}`, as on the wire.
    """
    match value:
        case None | bool() | int():
            return value
        case dict():
            return {storable_text(str(key)): storable(item) for key, item in value.items()}
        case list() | tuple():
            return [storable(item) for item in value]
        case Failure():
            return storable(value.to_json())
        case bytes():
            return {"$bytes": base64.b64encode(value).decode("ascii")}
        case _:
            return _leaf(value)


def _leaf(value: Any) -> float | str:
    """A float that JSON knows, else text."""
    if isinstance(value, float) and math.isfinite(value):
        return value
    return storable_text(str(value))


def storable_text(text: str) -> str:
    """The text without what PostgreSQL refuses."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode() if _odd(text) else text


def preview(value: Any, limit: int = PREVIEW_BYTES) -> Any:
    """The storable value, or {"preview": text, "bytes": n} when its JSON is longer than `limit` bytes."""
    whole = storable(value)
    text = json.dumps(whole, ensure_ascii=False)
    size = len(text.encode())
    return whole if size <= limit else {"preview": text[: limit // 2], "bytes": size}


def is_preview(value: Any) -> bool:
    """Whether it stands for a longer value, of which it holds the beginning as a text."""
    if not isinstance(value, dict) or not _PREVIEW <= value.keys() <= _PREVIEWS:
        return False
    text, size = value["preview"], value["bytes"]
    return isinstance(text, str) and isinstance(size, int) and size > len(text)


def size_of(value: Any) -> int:
    """Bytes of the value as `preview` counts them."""
    return len(json.dumps(storable(value), ensure_ascii=False).encode())


def _odd(text: str) -> bool:
    return "\0" in text or any("\ud800" <= char <= "\udfff" for char in text)
