"""Statements and bound values as the kernel hands them over, and where NULLs stand in arrays that go back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.asks.sql.connection import Row
from engine.errors import UnitFailed, invalid
from engine.lua.marshal import bytes_of
from engine.steps import Value

NullsAt = tuple[int, str, list[int]]
"""Row and column of an array, and its places of NULL; from 1, as Lua counts."""


def statement_text(given: Value) -> str:
    """The text of a statement."""
    if not isinstance(given, str) or not given.strip() or "\0" in given:
        raise UnitFailed(invalid("a statement must be text in UTF-8, not empty and without NUL"))
    return given


def bound(values: Value, kinds: Value) -> list[Value]:
    """The values to bind. `kinds` has a letter for each: null, binary, text, float or any (".")."""
    given: Any = values
    return [_bound(index, value, kind) for index, (value, kind) in enumerate(zip(given, str(kinds), strict=True), 1)]


def _bound(index: int, value: Value, kind: str) -> Value:
    if kind == "n":
        return None
    if kind == "b" and isinstance(value, (str, bytes)):
        return bytes_of(value)
    if kind == "t" and not isinstance(value, str):
        raise UnitFailed(invalid(f"parameter {index}: text must be UTF-8; bytes are bound by sql.as.binary"))
    if kind == "f" and isinstance(value, (int, float)):
        return float(value)
    return value


def nulls_at(rows: Sequence[Row]) -> list[NullsAt]:
    """Where arrays have NULLs; looks no deeper than one."""
    return [
        (number, column, places)
        for number, row in enumerate(rows, 1)
        for column, value in row.items()
        if isinstance(value, list) and (places := [at for at, item in enumerate(value, 1) if item is None])
    ]
