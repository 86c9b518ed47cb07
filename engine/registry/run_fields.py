"""What a run of a workflow reads of entries besides programs: `meta.options`, and the `policy` of a policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.entry import Entry
from engine.registry import kinds, placeholders

OPTIONS = "options"
POLICY = "policy"


def fields(entry: Entry) -> Mapping[str, Any]:
    """Those of the fields that the entry has, by name."""
    held = {OPTIONS: entry.meta.get(OPTIONS), POLICY: entry.data.get(POLICY) if entry.kind in kinds.POLICIES else None}
    return {name: value for name, value in held.items() if value is not None}


def is_open(entry: Entry) -> bool:
    """Whether one of the fields holds a placeholder that hosts fill in."""
    if not kinds.has_placeholders(entry.kind) or entry.kind in kinds.FILLED:
        return False
    return any(True for _ in placeholders.found(dict(fields(entry))))


def with_fields(entry: Entry, filled: Mapping[str, Any]) -> Entry:
    """The entry with these fields in place of its own."""
    meta = {**entry.meta, OPTIONS: filled[OPTIONS]} if OPTIONS in filled else entry.meta
    data = {**entry.data, POLICY: filled[POLICY]} if POLICY in filled else entry.data
    return replace(entry, meta=meta, data=data)
