"""The business keys that a run is started with, for Temporal's own searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.entry import Entry
from wippy_console.services import business_keys, secrets


def starting_keys(entry: Entry, arguments: Sequence[Any]) -> list[str]:
    """Each as `order.id=42`; secrets and masked values are in none. Asks nobody: it is called while a loop waits."""
    if not arguments or "search" not in entry.meta:
        return []
    shown = secrets.arguments(entry.meta.get("input_schema"), arguments)[0]
    found = business_keys.keys_of(entry.meta, business_keys.shown_of(entry.meta, shown))
    return [business_keys.line_of(path, text) for path, text in found.items()]
