"""Whether databases and Lua can hold values: JSON, numbers of 64 bits, text without NUL, not nested too deeply."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.registry.problems import Problem

MAX_DEPTH = 64
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def check(value: Any, path: str = "") -> Iterator[Problem]:
    """What can't be kept of the value, each with its path below `path`."""
    yield from _check(value, path, 0)


def _check(value: Any, path: str, depth: int) -> Iterator[Problem]:
    if depth > MAX_DEPTH:
        yield Problem(f"nested deeper than {MAX_DEPTH} levels", field=path)
        return
    match value:
        case Mapping():
            for key, child in value.items():
                where = f"{path}.{key}" if path else str(key)
                if not isinstance(key, str) or _UNSTORABLE.search(key):
                    yield Problem("a key must be text without NUL characters", field=path)
                else:
                    yield from _check(child, where, depth + 1)
        case list() | tuple():
            for index, child in enumerate(value):
                yield from _check(child, f"{path}.{index}" if path else str(index), depth + 1)
        case _:
            yield from _check_scalar(value, path)


def _check_scalar(value: Any, path: str) -> Iterator[Problem]:
    match value:
        case None | bool():
            return
        case str() if found := _UNSTORABLE.search(value):
            what = "a NUL character" if found[0] == "\0" else "half of a Unicode surrogate pair"
            line = value.count("\n", 0, found.start()) + 1 if path == "source" else None
            yield Problem(f"text must not hold {what}", field=path, line=line)
        case int() if not -(2**63) <= value < 2**63:
            yield Problem("a whole number must fit into 64 bits", field=path)
        case float() if not math.isfinite(value):
            yield Problem("a number must be finite", field=path)
        case str() | int() | float():
            return
        case _:
            yield Problem(f"a value of type {type(value).__name__} can't be kept", field=path)
