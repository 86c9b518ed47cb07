"""Values to and from the flat form in which they cross the seam (of kernel/codec.lua).

The flat form is two lists: `shape` (0 nil, 1 scalar, 2 array + length, 3 map + pairs, 4 error + five
fields) and `values` (the scalars in order). Strings travel as latin-1 text, one character per byte.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from engine.errors import Failure, ValueRefused
from engine.steps import Value

NIL, SCALAR, ARRAY, MAP, ERROR = range(5)
MAX_DEPTH = 200
SIZE = 16
SAMPLE = 8
INT_MIN, INT_MAX = -(2**63), 2**63 - 1


def to_lua_text(text: str | bytes) -> str:
    """Text as lupa's latin-1 runtime wants it."""
    if isinstance(text, bytes):
        return text.decode("latin-1")
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin-1")


def from_lua_text(text: str) -> str | bytes:
    """The Python text of a Lua string, or bytes when it is not UTF-8."""
    if text.isascii():
        return text
    data = text.encode("latin-1")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data


def bytes_of(text: str | bytes) -> bytes:
    """The bytes of a Lua string that came as `from_lua_text` gives it."""
    return text.encode("utf-8") if isinstance(text, str) else text


def _as_float(value: int) -> float:
    """What Lua makes of an integer literal that is too large."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


class Writer:
    """Flattens Python values; raises ValueRefused for what can't cross."""

    def __init__(self) -> None:
        self.shape: list[int] = []
        self.values: list[Any] = []

    def write(self, value: Value, depth: int = 0) -> None:
        """Append one value."""
        if value is None:
            self.shape.append(NIL)
        elif isinstance(value, (str, bytes)):
            self._scalar(to_lua_text(value))
        elif isinstance(value, (bool, int, float)):
            self._scalar(value if not isinstance(value, int) or INT_MIN <= value <= INT_MAX else _as_float(value))
        elif depth >= MAX_DEPTH:
            raise ValueRefused(f"a value nested deeper than {MAX_DEPTH}, or cyclic, cannot cross a unit boundary")
        else:
            self._compound(value, depth + 1)

    def _scalar(self, value: Any) -> None:
        self.shape.append(SCALAR)
        self.values.append(value)

    def _compound(self, value: Value, depth: int) -> None:
        if isinstance(value, (list, tuple)):
            self.write_array(value, depth)
        elif isinstance(value, Mapping):
            self._map(value, depth)
        elif isinstance(value, Failure):
            self._failure(value, depth)
        else:
            raise ValueRefused(f"a {type(value).__name__} cannot cross a unit boundary")

    def write_array(self, items: Sequence[Value], depth: int = 0) -> None:
        """Append a sequence as one array, None items included."""
        self.shape += (ARRAY, len(items))
        for item in items:
            self.write(item, depth)

    def write_flat(self, head: Sequence[str], flat: Flat) -> None:
        """Append one array: texts, and values that are flat already."""
        self.shape += (ARRAY, len(head) + flat.length, *(SCALAR,) * len(head), *flat.shape)
        self.values += (*map(to_lua_text, head), *flat.values)

    def _map(self, items: Mapping[Any, Value], depth: int) -> None:
        self.shape += (MAP, len(items))
        for key, item in items.items():
            if not isinstance(key, (str, bytes, int, float)) or (isinstance(key, float) and math.isnan(key)):
                raise ValueRefused(f"a table key {key!r} cannot cross a unit boundary")
            self.write(key, depth)
            self.write(item, depth)

    def _failure(self, failure: Failure, depth: int) -> None:
        self.shape.append(ERROR)
        for part in (failure.kind, failure.message, failure.retryable, dict(failure.details) or None, failure.stack):
            self.write(part, depth)


class Flat(Sequence[Value]):
    """Values on their way from one unit to another in their flat form; read by Python only where it looks at them."""

    __slots__ = ("length", "shape", "values")

    def __init__(self, shape: Sequence[int], values: Sequence[Any], length: int) -> None:
        self.shape = shape
        self.values = values
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: Any) -> Any:
        reader = Reader(self.shape, self.values)
        return tuple(reader.read() for _ in range(self.length))[index]


def size_of(value: Value) -> int:
    """About how many bytes a value holds: its texts, and 16 for each value."""
    match value:
        case str() | bytes():
            return SIZE + len(value)
        case Flat():
            return SIZE * len(value.shape) + sum(len(each) for each in value.values if isinstance(each, str))
        case list() | tuple():
            return SIZE + sum(map(size_of, value))
        case Mapping():
            return SIZE + sum(map(size_of, value)) + sum(map(size_of, value.values()))
        case Failure():
            return SIZE + len(value.message) + len(value.stack) + size_of(value.details)
        case _:
            return SIZE


def about(value: Value) -> int:
    """About what `size_of` says, by a sample of what is long: for the loop, which a long walk would hold."""
    match value:
        case list() | tuple():
            return SIZE + _sampled(value)
        case Mapping():
            return SIZE + _sampled(list(value)) + _sampled(list(value.values()))
        case Failure():
            return SIZE + len(value.message) + len(value.stack) + about(value.details)
        case _:
            return size_of(value)


def _sampled(items: Sequence[Value]) -> int:
    some = items[:: max(1, len(items) // SAMPLE)]
    return sum(map(about, some)) * len(items) // len(some) if some else 0


class Reader:
    """Rebuilds Python values from the flat form, one after the other."""

    def __init__(self, shape: Iterable[int], values: Iterable[Any]) -> None:
        self._shape = iter(shape)
        self._values = iter(values)

    def records(self) -> Iterator[list[Value]]:
        """Every remaining value; each must be an array."""
        for tag in self._shape:
            if tag != ARRAY:
                raise AssertionError("a record must be an array")
            yield self._array()

    def read(self) -> Value:
        """The next value."""
        tag = next(self._shape)
        return self._scalar() if tag == SCALAR else self._compound(tag)

    def _scalar(self) -> Value:
        value = next(self._values)
        return from_lua_text(value) if type(value) is str else value

    def _compound(self, tag: int) -> Value:
        if tag == NIL:
            return None
        if tag == ARRAY:
            return self._array()
        return self._map() if tag == MAP else self._failure()

    def _array(self) -> list[Value]:
        tags = islice(self._shape, next(self._shape))
        return [self._scalar() if tag == SCALAR else self._compound(tag) for tag in tags]

    def _map(self) -> dict[Any, Value]:
        """A table, in an order of its own: Lua's differs between OS processes, and what is wrong first is told.

        Values that can't cross, such as functions, came as nil and go with their keys.
        """
        pairs = ((self.read(), self.read()) for _ in range(next(self._shape)))
        return in_order({key: value for key, value in pairs if value is not None})

    def _failure(self) -> Failure:
        kind, message, retryable, details, stack = (self.read() for _ in range(5))
        return Failure(text_of(kind), text_of(message), retryable, details or {}, text_of(stack))


def in_order(table: dict[Any, Value]) -> dict[Any, Value]:
    """The same by its keys: texts, bytes, numbers."""
    try:
        keys = sorted(table)
    except TypeError:
        keys = sorted(table, key=lambda key: (not isinstance(key, str), not isinstance(key, bytes), key))
    return {key: table[key] for key in keys}


def text_of(value: Value) -> str:
    """A Lua string as text for people: bytes that are not UTF-8 are replaced."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else ""
