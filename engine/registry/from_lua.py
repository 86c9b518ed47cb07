"""Entries as Lua code gives them, where an empty table is neither a list nor a map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.entry import Entry
from engine.registry import fields, kinds


class NoEntryError(Exception):
    """A value that is no entry; the text says why."""


def read_entry(value: Any, before: Entry | None = None) -> Entry:
    """The entry of a table `{id, kind, meta, data}`; raises NoEntryError. `before` is what stood under its id.

    An empty table is a map where a map stood before, or where the kind's schema wants one.
    """
    entry_id = read_id(value)
    kind = value.get("kind") or (before.kind if before else None)
    if not isinstance(kind, str):
        raise NoEntryError(f"entry {entry_id}: kind (text) expected")
    meta = _part(value, "meta", entry_id, before and before.meta, fields.META)
    data = _part(value, "data", entry_id, before and before.data, kinds.SCHEMAS.get(kind, {}))
    return Entry(entry_id, kind, meta, data)


def read_id(value: Any) -> str:
    """The id of an entry's table, of `{ns, name}`, or of text; raises NoEntryError."""
    if isinstance(value, Mapping):
        value = value.get("id") or value
    if isinstance(value, Mapping) and isinstance(value.get("ns"), str) and isinstance(value.get("name"), str):
        return f"{value['ns']}:{value['name']}"
    if not isinstance(value, str) or not value:
        raise NoEntryError("an entry needs an id (text)")
    return value


def _part(value: Mapping[str, Any], name: str, entry_id: str, before: Any, schema: Any) -> Mapping[str, Any]:
    part = value.get(name)
    settled = {} if part is None else _settled(part, before or {}, schema)
    if not isinstance(settled, dict):
        raise NoEntryError(f"entry {entry_id}: {name} (table with text keys) expected")
    return settled


def _settled(value: Any, before: Any, schema: Any) -> Any:
    schema = schema if isinstance(schema, Mapping) else {}
    match value:
        case []:
            return {} if isinstance(before, Mapping) or schema.get("type") == "object" else []
        case list():
            items = [*(before if isinstance(before, list) else ()), *[None] * len(value)]
            return [_settled(item, was, schema.get("items")) for item, was in zip(value, items, strict=False)]
        case dict():
            old = before if isinstance(before, Mapping) else {}
            return {key: _settled(item, old.get(key), _schema_of(schema, key)) for key, item in value.items()}
        case _:
            return value


def _schema_of(schema: Mapping[str, Any], key: Any) -> Any:
    return schema.get("properties", {}).get(key, schema.get("additionalProperties"))
