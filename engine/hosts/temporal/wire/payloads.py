"""Values to Temporal payloads and back.

| value                        | payload                                    |
|------------------------------|--------------------------------------------|
| None                         | binary/null                                |
| bytes                        | binary/plain                               |
| anything else                | json/plain                                 |

Inside JSON a `Failure` is `{"$failure": {...}}`, bytes are `{"$bytes": "<base64>"}`, and a table whose only
key starts with `$` is `{"$table": {...}}`, so that all three come back as they went. NaN and infinities are null.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from engine.errors import Failure, UnitFailed, invalid
from engine.steps import Value

# The server refuses a field of 2 MiB; the rest of its event needs some room, too.
LIMIT = 2 * 1024 * 1024
HEADROOM = 32 * 1024
MAX_PAYLOAD = LIMIT - HEADROOM

_INTEGERS = range(-(2**63), 2**63)
_LONG_INTEGER = 20
_ENCODER = json.JSONEncoder(separators=(",", ":"), sort_keys=True, ensure_ascii=False)
# Nearly all of a value, so they are looked for first; by exact type, which is faster than by pattern.
_AS_IT_IS = frozenset({str, int, bool, type(None)})


def encode(value: Value, what: str) -> Payload:
    """The payload of one value; `what` names it in the failure that a bad or too large one raises."""
    return _checked(_encode(value, what), what)


def encode_all(values: Sequence[Value], what: str) -> list[Payload]:
    """The payloads of arguments that travel together; the limit holds for their sum as well."""
    payloads = [encode(value, f"argument {n} of {what}") for n, value in enumerate(values, 1)]
    if len(payloads) > 1:
        refuse_oversize(size(payloads), f"all arguments of {what}")
    return payloads


def size(payloads: Iterable[Payload]) -> int:
    """How many bytes they are on the wire."""
    return sum(map(Payload.ByteSize, payloads))


def memo(table: Mapping[str, Value], what: str) -> dict[str, Any]:
    """A memo as JSON data; raises Invalid for what JSON can't hold, or when it is too large."""
    refuse_oversize(sum(encode(value, f"{what}, {key}").ByteSize() for key, value in table.items()), what)
    return {key: plain(value) for key, value in table.items()}


def raw(payloads: Sequence[Payload]) -> list[RawValue]:
    """The payloads as the SDK takes them: untouched by its own converter."""
    return [RawValue(payload) for payload in payloads]


def decode(payload: Payload) -> Value:
    """The value of a payload from anywhere; what is not JSON comes as text or bytes, never as an error."""
    match payload.metadata.get("encoding", b""):
        case b"binary/null":
            return None
        case b"json/plain" | b"json/protobuf":
            return _from_json(payload.data)
        case _:
            return _text_or_bytes(payload.data)


def decode_all(values: Sequence[RawValue]) -> tuple[Value, ...]:
    """The values of raw arguments."""
    return tuple(decode(value.payload) for value in values)


def refuse_oversize(size: int, what: str) -> None:
    """Raise Invalid when `size` bytes are more than one field of Temporal holds."""
    if size > MAX_PAYLOAD:
        text = f"{what} is too large: {size} bytes, the limit is {MAX_PAYLOAD}"
        raise UnitFailed(invalid(text, size=size, limit=MAX_PAYLOAD))


def plain(value: Value) -> Any:
    """The value as JSON data of this module's form; raises TypeError for what JSON can't hold."""
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    if kind is dict:
        return _plain_table(value)
    return [plain(item) for item in value] if kind is list else _plain_other(value)


def _plain_other(value: Value) -> Any:
    match value:
        case bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case bytes():
            return {"$bytes": base64.b64encode(value).decode("ascii")}
        case Failure():
            return {"$failure": {**value.to_json(), "details": plain(value.details)}}
        case Mapping():
            return _plain_table(value)
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            raise TypeError(f"a {type(value).__name__} can't leave this process")


def _plain_table(table: Mapping[Any, Value]) -> dict[str, Any]:
    for key in table:
        if not isinstance(key, str):
            raise TypeError(f"a table that mixes strings and other keys, or has holes, is not JSON (key {key!r})")
    result = {key: plain(item) for key, item in table.items()}
    return {"$table": result} if _looks_tagged(result) else result


def _looks_tagged(table: dict[str, Any]) -> bool:
    return len(table) == 1 and next(iter(table)).startswith("$")


def _encode(value: Value, what: str) -> Payload:
    match value:
        case None:
            return Payload(metadata={"encoding": b"binary/null"})
        case bytes():
            return Payload(metadata={"encoding": b"binary/plain"}, data=value)
        case _:
            return Payload(metadata={"encoding": b"json/plain"}, data=_to_json(value, what))


def _to_json(value: Value, what: str) -> bytes:
    try:
        if type(value) is int:
            return b"%d" % value
        return _ENCODER.encode(plain(value)).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise UnitFailed(invalid(f"{what} can't be sent: {error}")) from error


def _checked(payload: Payload, what: str) -> Payload:
    refuse_oversize(payload.ByteSize(), what)
    return payload


def _from_json(data: bytes) -> Value:
    try:
        value = _DECODER.decode(data.decode(json.detect_encoding(data), "surrogatepass"))
        return revived(value) if b'"$' in data else value
    except (ValueError, RecursionError):
        return _text_or_bytes(data)


def revived(value: Any) -> Any:
    """The value with its tags resolved, from the outside in, so that `$table` shields what it holds."""
    match value:
        case {"$bytes": str(text)} if len(value) == 1:
            return _from_base64(text, value)
        case {"$failure": dict(data)} if len(value) == 1:
            return Failure.from_json({**data, "details": revived(data.get("details"))})
        case {"$table": dict(data)} if len(value) == 1:
            return {key: revived(item) for key, item in data.items()}
        case dict():
            return {key: revived(item) for key, item in value.items()}
        case list():
            return [revived(item) for item in value]
        case _:
            return value


def within_lua(value: Any) -> Any:
    """Decoded JSON with the integers that Lua's 64 bits don't hold as floats, as `decode` has them."""
    match value:
        case bool():
            return value
        case int():
            return value if value in _INTEGERS else _float(value)
        case dict():
            return {key: within_lua(item) for key, item in value.items()}
        case list():
            return [within_lua(item) for item in value]
        case _:
            return value


def _float(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.copysign(math.inf, number)


def _from_base64(text: str, otherwise: Value) -> Value:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return otherwise


def _integer(text: str) -> int | float:
    """A Lua integer, or a float when 64 bits don't hold it (a foreign client may send any length)."""
    if len(text) > _LONG_INTEGER:
        return float(text)
    number = int(text)
    return number if number in _INTEGERS else float(number)


# `json.loads` with these would build a decoder for each value.
_DECODER = json.JSONDecoder(parse_int=_integer, parse_constant=lambda _: None)


def _text_or_bytes(data: bytes) -> str | bytes:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data
