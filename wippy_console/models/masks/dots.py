"""Dots in place of what stands at the paths of a value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from engine.errors import Failure

MASK = "••••••"
"""What is shown in place of any value that is not: of a secret, or of a masked path."""


def masked(value: Any, paths: Iterable[str]) -> Any:
    """The value, the very same where nothing of it is masked.

    A path is written `card.number`, `$.lines.0.sku` or `lines.*.sku`; `$` is all of it. Where it meets a list it goes
    on in every item, unless its next step is a number; of a failure it means the details. A text that holds JSON is
    a text.
    """
    for path in paths:
        value = _at(value, steps(path))
    return value


def steps(path: str) -> tuple[str, ...]:
    """The names along the path; none for the whole value."""
    inner = path.removeprefix("$").removeprefix(".")
    return tuple(inner.split(".")) if inner else ()


def picked(value: Any, paths: Iterable[str]) -> Iterator[Any]:
    """What the dots would stand for, part by part: whatever is no list or object itself."""
    for path in paths:
        yield from _leaves(_found(value, steps(path)))


def _at(value: Any, rest: Sequence[str]) -> Any:
    if not rest:
        return value if value is None else MASK
    match value:
        case dict() if _is_cut(value):
            return {**value, "preview": MASK}  # where its path stands in half a text nobody can tell
        case dict():
            return _replaced(value, [rest[0]] if rest[0] != "*" else list(value), rest[1:])
        case list() | tuple():
            return _listed(value, rest)
        case Failure():
            details = _at(value.details, rest)
            return value if details is value.details else replace(value, details=details)
        case _:
            return value


def _is_cut(value: dict[str, Any]) -> bool:
    """Whether it stands for a longer value, of which it holds the beginning as a text."""
    return isinstance(value.get("preview"), str) and {"preview", "bytes"} <= value.keys() <= {
        "preview",
        "bytes",
        "cut",
        "key",
    }


def _replaced(value: dict[str, Any], names: Sequence[str], rest: Sequence[str]) -> dict[str, Any]:
    new = {name: _at(value[name], rest) for name in names if name in value}
    return {**value, **new} if any(new[name] is not value[name] for name in new) else value


def _listed(value: Sequence[Any], rest: Sequence[str]) -> Sequence[Any]:
    step = rest[0]
    if step.isascii() and step.isdecimal():
        new = [_at(each, rest[1:]) if index == int(step[:6]) else each for index, each in enumerate(value)]
    else:
        new = [_at(each, rest[1:] if step == "*" else rest) for each in value]
    return new if any(one is not other for one, other in zip(new, value, strict=True)) else value


def _found(value: Any, rest: Sequence[str]) -> Iterator[Any]:
    """Whatever the path leads to."""
    if not rest:
        yield value
        return
    match value:
        case Failure():
            yield from _found(value.details, rest)
        case dict():
            for name in value if rest[0] == "*" else [rest[0]]:
                yield from _found(value.get(name), rest[1:])
        case list() | tuple() if rest[0].isascii() and rest[0].isdecimal():
            yield from (each for item in value[int(rest[0][:6]) :][:1] for each in _found(item, rest[1:]))
        case list() | tuple():
            yield from (each for item in value for each in _found(item, rest[1:] if rest[0] == "*" else rest))


def _leaves(found: Iterable[Any]) -> Iterator[Any]:
    waiting = list(found)
    while waiting:
        match each := waiting.pop():
            case dict():
                waiting.extend(each.values())
            case list() | tuple():
                waiting.extend(each)
            case _:
                yield each
