"""Values out of databases as Lua gets them, and their size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.asks.sql.connection import Limits, Row
from engine.asks.sql.failures import too_many_bytes, too_many_rows
from engine.steps import Value

_CELL = 16


class Reading:
    """The rows of an answer, counted as they come."""

    def __init__(self, limits: Limits) -> None:
        self.rows: list[Row] = []
        self._limits = limits
        self._bytes = 0

    def take(self, columns: Sequence[str], row: Sequence[Any]) -> None:
        """One more row; LimitExceeded when that is too many."""
        if len(self.rows) >= self._limits.rows:
            raise too_many_rows(self._limits.rows)
        self._bytes += sum(map(_size, row)) + _CELL * len(row)
        if self._bytes > self._limits.bytes:
            raise too_many_bytes(self._limits.bytes)
        self.rows.append(dict(zip(columns, row, strict=True)))


def _size(value: Value) -> int:
    if isinstance(value, (str, bytes)):
        return len(value)
    return sum(map(_size, value)) + _CELL * len(value) if isinstance(value, list) else 0
