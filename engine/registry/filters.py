"""Filters of `registry.find` (docs/lua.md#registry): what a table of conditions says of an entry.

`.kind`, `.name`, `.ns` and `.id` are globs; `meta.x` is equality, with `~` (regular expression), `*` (contains), `^`
(begins with) or `$` (ends with) before it another test. An array asks for all of its values. Other keys mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from engine.bounded import patterns
from engine.bounded.errors import TooCostlyError
from engine.bounded.globs import glob
from engine.entry import Entry

MAX_WORK = 100_000
"""What the regular expressions of one filter may cost over all entries, in the units of `engine.bounded.patterns`."""

Test = Callable[[Any, Any], bool]
Condition = Callable[[Entry], bool]
_ABSENT = object()


class FilterError(Exception):
    """A filter that can't be used; the text names the key."""


class _Budget:
    """The work that is left for the regular expressions of one search."""

    def __init__(self) -> None:
        self._left = MAX_WORK

    def spend(self, work: int) -> None:
        self._left -= work
        if self._left < 0:
            raise FilterError("the regular expressions of the filter take too long")


def matcher(conditions: Mapping[Any, Any]) -> Condition:
    """Whether an entry fits all conditions. Raises FilterError, and so may the result, which serves one search."""
    budget = _Budget()
    found = [_condition(str(key), wanted, budget) for key, wanted in conditions.items()]
    tests = [each for each in found if each is not None]
    return lambda entry: all(test(entry) for test in tests)


_FIELDS: Mapping[str, Callable[[Entry], str]] = {
    ".kind": lambda entry: entry.kind,
    ".name": lambda entry: entry.name,
    ".ns": lambda entry: entry.namespace,
    ".id": lambda entry: entry.id,
}


def _condition(key: str, wanted: Any, budget: _Budget) -> Condition | None:
    if key in _FIELDS:
        return _field(key, wanted)
    operator, path = (key[:1], key[1:]) if key[:1] in _OPERATORS else ("", key)
    if not path.startswith("meta."):
        return None
    path = path.removeprefix("meta.")
    test = _test(key, operator, wanted, budget)
    needles = wanted if isinstance(wanted, list) else [wanted]
    return lambda entry: _holds_all(test, needles, _at(entry.meta, path))


def _field(key: str, wanted: Any) -> Condition:
    read = _FIELDS[key]
    globs = wanted if isinstance(wanted, list) else [wanted]
    if not all(isinstance(each, str) for each in globs):
        raise FilterError(f"filter {key}: text expected")
    return lambda entry: all(glob(each, read(entry)) for each in globs)


def _test(key: str, operator: str, wanted: Any, budget: _Budget) -> Test:
    if not operator:
        return _equal
    needles = wanted if isinstance(wanted, list) else [wanted]
    if not all(isinstance(each, str) for each in needles):
        raise FilterError(f"filter {key}: text expected")
    return _searching(key, needles, budget) if operator == "~" else _OPERATORS[operator]


def _searching(key: str, needles: list[str], budget: _Budget) -> Test:
    def search(wanted: Any, found: Any) -> bool:
        try:
            return isinstance(found, str) and patterns.search(wanted, found, budget.spend)
        except TooCostlyError as error:
            raise FilterError(f"filter {key}: {error}") from None

    for each in needles:
        try:
            search(each, "")
        except re.error as error:
            raise FilterError(f"filter {key}: no regular expression: {error}") from None
    return search


def _equal(wanted: Any, found: Any) -> bool:
    return bool(wanted == found) and isinstance(wanted, bool) == isinstance(found, bool)


_OPERATORS: Mapping[str, Test] = {
    "~": lambda wanted, found: False,  # `_searching` makes the test
    "*": lambda wanted, found: isinstance(found, str) and wanted in found,
    "^": lambda wanted, found: isinstance(found, str) and found.startswith(wanted),
    "$": lambda wanted, found: isinstance(found, str) and found.endswith(wanted),
}


def _holds_all(test: Test, needles: list[Any], found: Any) -> bool:
    """A list in meta holds a value when one of its items does."""
    if found is _ABSENT:
        return False
    items = found if isinstance(found, list) else [found]
    return all(any(test(needle, item) for item in items) for needle in needles)


def _at(meta: Mapping[str, Any], path: str) -> Any:
    """The value of a key, dots and all, or else of a path through nested maps."""
    if path in meta:
        return meta[path]
    value: Any = meta
    for step in path.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return _ABSENT
        value = value[step]
    return value
