"""Which parts of a JSON Schema are schemas, for tables of Lua's: an empty one is no list there."""

from __future__ import annotations

from typing import Any

# The keywords whose value is a schema, a table of schemas by name, a list of schemas.
_HOLD_SCHEMA = {"items", "contains", "additionalItems", "unevaluatedItems", "not", "if", "then", "else"}
_HOLD_SCHEMA |= {"additionalProperties", "unevaluatedProperties", "propertyNames"}
_HOLD_NAMED = {"properties", "patternProperties", "dependentSchemas", "definitions", "$defs"}
_HOLD_LIST = {"allOf", "anyOf", "oneOf", "prefixItems"}


def with_objects(value: Any) -> Any:
    """The schema with objects for the empty tables where objects must be: Lua's came as lists."""
    if value == []:
        return {}
    return {key: _part(key, part) for key, part in value.items()} if isinstance(value, dict) else value


def _part(key: Any, part: Any) -> Any:
    if key in _HOLD_SCHEMA:
        return [with_objects(each) for each in part] if part and isinstance(part, list) else with_objects(part)
    if key in _HOLD_NAMED:
        named = part or {}
        return {name: with_objects(each) for name, each in named.items()} if isinstance(named, dict) else part
    return [with_objects(each) for each in part] if key in _HOLD_LIST and isinstance(part, list) else part
