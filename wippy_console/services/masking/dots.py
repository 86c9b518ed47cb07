"""Dots in place of what stands at the paths of a value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

MASK = "••••••"
"""What is shown in place of any value that is not: of a secret, or of a masked path."""


def masked(value: Any, paths: Iterable[str]) -> Any:
    """The value, the very same where nothing of it is masked.

    A path is written `card.number`, `$.lines.0.sku` or `lines.*.sku`; `$` is all of it. Where it meets a list it goes
    on in every item, unless its next step is a number. A text that holds JSON is a text.
    """
    for path in paths:
        value = _at(value, steps(path))
    return value


def steps(path: str) -> tuple[str, ...]:
    """The names along the path; none for the whole value."""
    inner = path.removeprefix("$").removeprefix(".")
    return tuple(inner.split(".")) if inner else ()


def _at(value: Any, rest: Sequence[str]) -> Any:
    if not rest:
        return value if value is None else MASK
    match value:
        case dict():
            return _replaced(value, [rest[0]] if rest[0] != "*" else list(value), rest[1:])
        case list():
            return _listed(value, rest)
        case _:
            return value


def _replaced(value: dict[str, Any], names: Sequence[str], rest: Sequence[str]) -> dict[str, Any]:
    new = {name: _at(value[name], rest) for name in names if name in value}
    return {**value, **new} if any(new[name] is not value[name] for name in new) else value


def _listed(value: list[Any], rest: Sequence[str]) -> list[Any]:
    step = rest[0]
    if step.isascii() and step.isdecimal():
        new = [_at(each, rest[1:]) if index == int(step[:6]) else each for index, each in enumerate(value)]
    else:
        new = [_at(each, rest[1:] if step == "*" else rest) for each in value]
    return new if any(one is not other for one, other in zip(new, value, strict=True)) else value
