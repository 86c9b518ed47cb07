"""JSON for Lua (lua-api 11): encode, decode, validate."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import jsonschema
from jsonschema.exceptions import best_match

from engine import schemas
from engine.errors import INTERNAL, Failure, UnitFailed, invalid
from engine.patterns import TooCostlyError
from engine.steps import Value

MAX_DEPTH = 128
MAX_TEXT = 8 * 1024 * 1024
_MESSAGE = 1000


def _refuse(message: str) -> UnitFailed:
    return UnitFailed(Failure(INTERNAL, message, retryable=False))


def _plain(value: Value, depth: int = 0) -> Any:
    """The value as the json module wants it."""
    if depth > MAX_DEPTH:
        raise _refuse(f"json.encode: nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        return _plain_object(value, depth)
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, float):
        return _plain_float(value)
    if isinstance(value, bytes):
        raise _refuse("json.encode: a string is not valid UTF-8")
    return value.message if isinstance(value, Failure) else value


def _plain_float(value: float) -> Any:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 2**63 else value


def _plain_object(value: dict[Any, Value], depth: int) -> dict[str, Any]:
    if not all(isinstance(key, str) for key in value):
        raise _refuse("json.encode: a table is sparse or mixes keys: use 1..n or strings only")
    return {key: _plain(item, depth + 1) for key, item in value.items()}


def encode(value: Value = None) -> str:
    """JSON text with sorted keys, so that it is the same in every OS process."""
    try:
        return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    except RecursionError:
        raise _refuse("json.encode: nested too deep") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def decode(text: str | bytes) -> Value:
    """The value of a JSON text; null is nil. Small things of a long text take fifty times its room in Python."""
    if len(text) > MAX_TEXT:
        raise _refuse(f"json.decode: longer than {MAX_TEXT} bytes")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise _refuse("json.decode: nested too deep") from None
    except ValueError as error:
        raise _refuse(f"json.decode: {error}") from None


def validate(schema: Value, data: Value = None) -> bool:
    """True, or an Invalid failure that names the place."""
    if isinstance(schema, (str, bytes)):
        schema = decode(schema)
    schema = schema if schema != [] else {}
    try:
        found = schemas.errors(schema, _objects_for(schema, data), jsonschema.Draft202012Validator)
    except jsonschema.SchemaError as error:
        raise UnitFailed(invalid(f"json.validate: bad schema: {error.message[:_MESSAGE]}")) from None
    except TooCostlyError as error:
        raise UnitFailed(invalid(f"json.validate: {error}")) from None
    worst = best_match(found)
    if worst is not None:
        raise UnitFailed(invalid(f"{worst.json_path}: {worst.message[:_MESSAGE]}"))
    return True


def _objects_for(schema: Any, data: Value) -> Any:
    """An empty Lua table is an array or an object, whichever the schema asks for."""
    if data == [] and isinstance(schema, dict) and schema.get("type") == "object":
        return {}
    if isinstance(data, dict) and isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
        return {key: _objects_for(schema["properties"].get(key), item) for key, item in data.items()}
    return data


SERVICES: dict[str, Callable[..., Value]] = {"json.encode": encode, "json.decode": decode, "json.validate": validate}
