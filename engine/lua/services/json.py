"""JSON for Lua (docs/lua.md#json): encode, decode, validate."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import jsonschema
from jsonschema.exceptions import best_match

from engine.bounded import schemas
from engine.bounded.errors import TooCostlyError
from engine.bounded.schema_parts import with_objects
from engine.errors import INTERNAL, Failure, UnitFailed, invalid
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


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def _values(text: str) -> int:
    """How many values a text has, keys left out, give or take one."""
    return text.count(",") + text.count("[") + text.count("{")


def _refuse_many(text: str | bytes, most: int) -> None:
    """Small things of a long text take fifty times its room in Python, so they are counted before they are there."""
    text = text.decode("latin-1") if isinstance(text, bytes) else text
    if _values(text) > most and _values(_STRING.sub("", text)) > most:
        raise _refuse(f"json.decode: more than {most} values")


def decode(text: str | bytes, most: int = 0) -> Value:
    """The value of a JSON text of at most so many values (0: of any number); null is nil."""
    if len(text) > MAX_TEXT:
        raise _refuse(f"json.decode: longer than {MAX_TEXT} bytes")
    if most:
        _refuse_many(text, most)
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise _refuse("json.decode: nested too deep") from None
    except ValueError as error:
        raise _refuse(f"json.decode: {error}") from None


def validate(schema: Value, data: Value = None, most: int = 0) -> list[Value]:
    """How many checks it took and, when the data does not fit, an Invalid failure that names the place."""
    schema = _schema(schema, most)
    return _checked(schema, _objects_for(schema, data))


def validate_text(schema: Value, text: str | bytes, most: int = 0) -> list[Value]:
    """The same for the value of a JSON text, in which an array is never an object."""
    try:
        data = decode(text, most)
    except UnitFailed as error:
        raise UnitFailed(invalid(error.failure.message)) from None
    return _checked(_schema(schema, most), data)


def _schema(given: Value, most: int) -> Any:
    return decode(given, most) if isinstance(given, (str, bytes)) else with_objects(given)


def _checked(schema: Any, data: Any) -> list[Value]:
    try:
        found, checks = schemas.measured(schema, data, jsonschema.Draft202012Validator)
    except jsonschema.SchemaError as error:
        raise UnitFailed(invalid(f"json.validate: bad schema: {error.message[:_MESSAGE]}")) from None
    except TooCostlyError as error:
        return [schemas.MAX_CHECKS, invalid(f"json.validate: {error}")]
    worst = best_match(found)
    return [checks] if worst is None else [checks, invalid(f"{worst.json_path}: {worst.message[:_MESSAGE]}")]


def _objects_for(schema: Any, data: Value) -> Any:
    """An empty Lua table is an array or an object, whichever the schema asks for."""
    if data == [] and isinstance(schema, dict) and schema.get("type") == "object":
        return {}
    if isinstance(data, dict) and isinstance(schema, dict) and isinstance(schema.get("properties"), dict):
        return {key: _objects_for(schema["properties"].get(key), item) for key, item in data.items()}
    if isinstance(data, list) and isinstance(schema, dict):
        return [_objects_for(schema.get("items"), item) for item in data]
    return data


PURE: dict[str, Callable[..., Value]] = {
    "json.encode": encode,
    "json.decode": decode,
    "json.validate": validate,
    "json.validate_text": validate_text,
}
