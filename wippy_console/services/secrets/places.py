"""Where the secrets of a value stand, for what is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from wippy_console.services.exact import Path
from wippy_console.services.masking import MASK
from wippy_console.services.secrets.masking import masked


class Places:
    """Those of one value, by its schema; a cheap question where the schema marks nothing."""

    def __init__(self, schema: Any, value: Any) -> None:
        self._schema = schema
        self._value = value

    def secret(self, path: Path) -> Path | None:
        """The nearest place at or around the path that may be told, when it is in a secret; None when it is not.

        Names within a secret are told only where the schema has them, for the value's own may say too much.
        """
        shown = self._shown
        for length, step in enumerate(path):
            if shown is MASK:
                return path[:length] + self._told(path[length:])
            shown = _within(shown, step)
        return path if shown is MASK else None

    def within(self, path: Path) -> bool:
        """Whether something in what stands there is one."""
        shown = self._shown
        for step in path:
            shown = _within(shown, step)
        return any(each is MASK for each in _every(shown))

    def _told(self, path: Path) -> Path:
        found: list[str | int] = []
        for step in path:
            if not isinstance(step, int) and step not in self._names:
                break
            found.append(step)
        return tuple(found)

    @cached_property
    def _shown(self) -> Any:
        return masked(self._schema, self._value)

    @cached_property
    def _names(self) -> set[str]:
        parts = [part.get("properties") for part in _every(self._schema) if isinstance(part, Mapping)]
        return {name for part in parts if isinstance(part, Mapping) for name in part}


def _within(value: Any, step: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(step)
    return value[step] if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value) else None


def _every(value: Any) -> Iterator[Any]:
    """The value and all within it."""
    waiting = [value]
    while waiting:
        yield (each := waiting.pop())
        if isinstance(each, Mapping):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
