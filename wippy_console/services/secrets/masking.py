"""A value as it may be shown: dots in place of what its JSON Schema marks `writeOnly`, or a password."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from wippy_console.services.pointers import find

MASK = "••••••"
_DEPTH = 64


def masked(schema: Any, value: Any) -> Any:
    """The value, the very same where the schema has no secrets. What might be one by some alternative is masked."""
    if not holds(schema):
        return value
    return _masked(schema, schema, value, 0)


def arguments(schema: Any, values: Sequence[Any]) -> list[Any]:
    """Arguments, of which the first is of the schema."""
    return [masked(schema, value) if index == 0 else value for index, value in enumerate(values)]


def holds(schema: Any) -> bool:
    """Whether the schema marks anything."""
    if not isinstance(schema, Mapping):
        return False
    text = json.dumps(schema, default=str)
    return '"writeOnly"' in text or '"password"' in text


def _masked(root: Any, part: Any, value: Any, depth: int) -> Any:
    if not isinstance(part, Mapping) or depth > _DEPTH:
        return value
    if part.get("writeOnly") is True or part.get("format") == "password":
        return None if value is None else MASK
    for other in _beside(root, part):
        value = _masked(root, other, value, depth + 1)
    if isinstance(value, dict):
        return {name: _all(root, _named(part, name), item, depth) for name, item in value.items()}
    if isinstance(value, list):
        return [_all(root, _placed(part, index), item, depth) for index, item in enumerate(value)]
    return value


def _all(root: Any, parts: Iterable[Any], value: Any, depth: int) -> Any:
    for part in parts:
        value = _masked(root, part, value, depth + 1)
    return value


def _beside(root: Any, part: Mapping[str, Any]) -> Iterator[Any]:
    """What else holds for a value of the part."""
    if isinstance(ref := part.get("$ref"), str):
        yield find(root, ref)
    for word in ("allOf", "anyOf", "oneOf"):
        found = part.get(word)
        yield from found if isinstance(found, list) else ()
    yield from (part.get(word) for word in ("if", "then", "else"))


def _named(part: Mapping[str, Any], name: str) -> Iterator[Any]:
    """What holds for a property; patterns are taken to fit every name."""
    described = part.get("properties")
    if isinstance(described, Mapping) and name in described:
        yield described[name]
    else:
        yield part.get("additionalProperties")
    patterns = part.get("patternProperties")
    yield from patterns.values() if isinstance(patterns, Mapping) else ()


def _placed(part: Mapping[str, Any], index: int) -> Iterator[Any]:
    first = part.get("prefixItems")
    if isinstance(first, list) and index < len(first):
        yield first[index]
    else:
        yield part.get("items")
