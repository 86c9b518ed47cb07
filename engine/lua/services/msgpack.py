"""MessagePack for payloads (docs/lua.md#payload)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgpack

from engine.errors import INTERNAL, Failure, UnitFailed
from engine.lua.marshal import bytes_of
from engine.steps import Value

MAX_DEPTH = 128
MAX_TEXT = 8 * 1024 * 1024


def _refuse(message: str) -> UnitFailed:
    return UnitFailed(Failure(INTERNAL, f"msgpack: {message}", retryable=False))


def _sorted(value: Value, depth: int = 0) -> Any:
    """The value with its keys in one order, so that it is packed alike in every OS process."""
    if depth > MAX_DEPTH:
        raise _refuse(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (type(key).__name__, key))
        return {key: _sorted(value[key], depth + 1) for key in keys}
    if isinstance(value, list):
        return [_sorted(item, depth + 1) for item in value]
    return value.message if isinstance(value, Failure) else value


def encode(value: Value = None) -> bytes:
    """The packed value; text that is UTF-8 is packed as text, other as binary."""
    return bytes(msgpack.packb(_sorted(value)))


def decode(data: str | bytes) -> Value:
    """The value; Internal when the data is not one packed value, or has what Lua can't hold."""
    if len(data) > MAX_TEXT:
        raise _refuse(f"longer than {MAX_TEXT} bytes")
    try:
        return msgpack.unpackb(bytes_of(data), strict_map_key=False, ext_hook=_no_extension)
    except UnitFailed:
        raise
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise _refuse(str(error) or type(error).__name__) from None


def _no_extension(code: int, _: bytes) -> Any:
    raise _refuse(f"the extension type {code} is not supported")


PURE: dict[str, Callable[..., Value]] = {"msgpack.encode": encode, "msgpack.decode": decode}
