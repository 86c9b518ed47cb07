"""A value as it may be shown: dots in place of what its JSON Schema marks `writeOnly`, or a password."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from wippy_console.services.masking import MASK
from wippy_console.services.pointers import find

T = TypeVar("T")

_DEPTH = 64
"""Values within values; deeper ones are masked as a whole where the schema says anything of them."""


def masked(schema: Any, value: Any) -> Any:
    """The value, the very same where the schema has no secrets. What might be one by some alternative is masked."""
    if not holds(schema):
        return value
    return _masked(schema, [schema], value, 0)


def arguments(schema: Any, values: Sequence[Any]) -> list[Any]:
    """Arguments, of which the first is of the schema."""
    return [masked(schema, value) if index == 0 else value for index, value in enumerate(values)]


def holds(schema: Any) -> bool:
    """Whether the schema marks anything."""
    if not isinstance(schema, Mapping):
        return False
    text = json.dumps(schema, default=str)
    return '"writeOnly"' in text or '"password"' in text


def _masked(root: Any, parts: Iterable[Any], value: Any, depth: int) -> Any:
    every = _holding(root, parts)
    if any(part.get("writeOnly") is True or part.get("format") == "password" for part in every):
        return None if value is None else MASK
    if not every or not isinstance(value, dict | list):
        return value
    if depth > _DEPTH:
        return MASK  # rather too much than a secret
    if isinstance(value, dict):
        return {name: _masked(root, _all(_named, every, name), item, depth + 1) for name, item in value.items()}
    return [_masked(root, _all(_placed, every, index), item, depth + 1) for index, item in enumerate(value)]


def _holding(root: Any, parts: Iterable[Any]) -> list[Mapping[str, Any]]:
    """All that holds for a value of these parts, each once: alternatives of alternatives would double the work."""
    waiting, found = list(parts), dict[int, Mapping[str, Any]]()
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping) and id(part) not in found:
            found[id(part)] = part
            waiting.extend(_beside(root, part))
    return list(found.values())


def _all(
    within: Callable[[Mapping[str, Any], T], Iterable[Any]], parts: Iterable[Mapping[str, Any]], at: T
) -> list[Any]:
    return [each for part in parts for each in within(part, at)]


def _beside(root: Any, part: Mapping[str, Any]) -> Iterator[Any]:
    """What else holds for a value of the part."""
    if isinstance(ref := part.get("$ref"), str):
        yield find(root, ref)
    for word in ("allOf", "anyOf", "oneOf"):
        found = part.get(word)
        yield from found if isinstance(found, list) else ()
    yield from (part.get(word) for word in ("if", "then", "else"))
    dependent = part.get("dependentSchemas")
    yield from dependent.values() if isinstance(dependent, Mapping) else ()


def _named(part: Mapping[str, Any], name: str) -> Iterator[Any]:
    """What holds for a property; patterns are taken to fit every name."""
    described = part.get("properties")
    if isinstance(described, Mapping) and name in described:
        yield described[name]
    else:
        yield from (part.get(word) for word in ("additionalProperties", "unevaluatedProperties"))
    patterns = part.get("patternProperties")
    yield from patterns.values() if isinstance(patterns, Mapping) else ()


def _placed(part: Mapping[str, Any], index: int) -> Iterator[Any]:
    first = part.get("prefixItems")
    if isinstance(first, list) and index < len(first):
        yield first[index]
    else:
        yield from (part.get(word) for word in ("items", "unevaluatedItems"))
    yield part.get("contains")
