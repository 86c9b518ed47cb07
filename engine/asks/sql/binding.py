"""Statements and bound values as the kernel hands them over, and rows as it takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.asks.sql.connection import Row
from engine.errors import UnitFailed, invalid
from engine.lua.marshal import bytes_of
from engine.steps import Value


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


def table_of(rows: Sequence[Row]) -> dict[str, Value]:
    """Rows as a unit gets them: names once, the cells by column.

    `nulls` has [column, row, places] of each array with NULLs, counted from 1 as Lua does; it looks no deeper than one.
    """
    columns = list(rows[0]) if rows else []
    cells = [[row[name] for row in rows] for name in columns]
    nulls = [
        [at, number, places]
        for at, column in enumerate(cells, 1)
        for number, value in enumerate(column, 1)
        if isinstance(value, list) and (places := [place for place, item in enumerate(value, 1) if item is None])
    ]
    return {"columns": columns, "count": len(rows), "cells": cells, "nulls": nulls}
