"""Results of Python functions as values of the seam; what can't cross is refused by its path."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from engine.errors import LIMIT_EXCEEDED, Failure, UnitFailed, invalid
from engine.steps import Value

MAX_DEPTH = 200
SIZE = 16
INT_MIN, INT_MAX = -(2**63), 2**63 - 1
_HINTS = {
    "set": "write it as a list",
    "frozenset": "write it as a list",
    "QuerySet": "write it as a list of mappings, such as list(found.values())",
    "timedelta": "say it in seconds",
    "generator": "write it as a list",
}


def outgoing(value: Any, limit: int, what: str = "result") -> Value:
    """The value as plain data of at most `limit` bytes; raises UnitFailed (Invalid, LimitExceeded)."""
    return _Reader(limit, what).read(value, what, 0)


class _Reader:
    def __init__(self, limit: int, what: str) -> None:
        self._limit = self._left = limit
        self._what = what

    def read(self, value: Any, path: str, depth: int) -> Value:
        self._spend(SIZE)
        if value is None or value is True or value is False:
            return value
        if depth > MAX_DEPTH:
            raise UnitFailed(invalid(f"{self._what} is nested deeper than {MAX_DEPTH}, or cyclic"))
        plain = _text_of(value)
        if plain is not None:
            return self._text(plain)
        match value:
            case int() | float() | Decimal():
                return self._number(value, path)
            case Mapping():
                return self._mapping(value, path, depth)
            case list() | tuple():
                return [self.read(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
            case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
                return self._fields(value, path, depth)
        raise _refused(value, path)

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            text = f"{self._what} holds more than {self._limit >> 20} MiB"
            raise UnitFailed(Failure(LIMIT_EXCEEDED, text, retryable=False))

    def _text(self, text: str | bytes) -> str | bytes:
        self._spend(len(text))
        return text

    def _number(self, value: float | Decimal, path: str) -> Value:
        match value:
            case Decimal() if value.is_finite():
                return str(value)
            case float() if math.isfinite(value):
                return float(value)
            case int() if INT_MIN <= value <= INT_MAX:
                return int(value)
            case int():
                raise UnitFailed(invalid(f"{path}: a whole number beyond 64 bits can't cross: write it as text"))
        raise UnitFailed(invalid(f"{path}: {value!r} can't cross: only finite numbers do"))

    def _mapping(self, value: Mapping[Any, Any], path: str, depth: int) -> Value:
        found: dict[str, Value] = {}
        for key, item in value.items():
            name = _text_of(key)
            if not isinstance(name, str):
                raise UnitFailed(invalid(f"{path}: a key that is a {type(key).__name__} can't cross: keys are text"))
            found[self._str(name)] = self.read(item, f"{path}.{name[:100]}", depth + 1)
        return found

    def _str(self, name: str) -> str:
        self._spend(SIZE + len(name))
        return name

    def _fields(self, value: Any, path: str, depth: int) -> Value:
        names = [each.name for each in dataclasses.fields(value)]
        return {name: self.read(getattr(value, name), f"{path}.{name}", depth + 1) for name in names}


def _text_of(value: Any) -> str | bytes | None:
    """The text that stands for the value, None when none does."""
    match value:
        case Enum():
            return str(value.value) if isinstance(value.value, str) else value.name
        case str():
            return str.__str__(value)
        case bytes() | bytearray() | memoryview():
            return bytes(value)
        case datetime() | date() | time():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return None


def _refused(value: Any, path: str) -> UnitFailed:
    kind = type(value)
    hint = next((_HINTS[each.__name__] for each in kind.__mro__ if each.__name__ in _HINTS), "")
    if any(each.__name__ == "Model" and each.__module__.startswith("django.") for each in kind.__mro__):
        hint = "write what of it is wanted as a mapping"
    text = f"{path}: a {kind.__name__} can't cross"
    return UnitFailed(invalid(f"{text}: {hint}" if hint else text))
