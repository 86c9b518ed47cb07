"""Entries: what the registry keeps. An id is `namespace:name`, split at the first colon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


def namespace_of(entry_id: str) -> str:
    """What stands before the first colon of an entry's id, "" where there is none."""
    namespace, colon, _ = entry_id.partition(":")
    return namespace if colon else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One registry entry. `data` is everything but name, kind and meta; `data["source"]` is the text itself."""

    id: str
    kind: str
    meta: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        """What stands before the first colon of the id."""
        return self.id.partition(":")[0]

    @property
    def name(self) -> str:
        """What stands after the first colon of the id."""
        return self.id.partition(":")[2]

    def to_json(self) -> dict[str, Any]:
        """The entry as JSON data; the `registry.*` view of it (docs/lua.md#registry)."""
        return {"id": self.id, "kind": self.kind, "meta": dict(self.meta), "data": dict(self.data)}


def without_nulls(entry: Entry) -> Entry:
    """The entry as it is meant: a key without a value says what its absence says, since Lua tables hold no nil."""
    if all(value is not None for fields in (entry.meta, entry.data) for value in fields.values()):
        return entry
    return replace(entry, meta=_given(entry.meta), data=_given(entry.data))


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}
