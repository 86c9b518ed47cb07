"""What entries are called: `meta.title`, for pages where an id alone would say little.

Cheap enough for every page: one query for the newest version's number; what that version holds is kept in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from wippy_console.models import Version
from wippy_console.services.registry import reading

WORKFLOW = "workflow.lua"
LONGEST = 100
Named = tuple[tuple[str, str, str], ...]


def titles() -> Mapping[str, str]:
    """Titles by entry id, of the entries that have one now."""
    return MappingProxyType({entry_id: title for entry_id, _, title in _newest() if title})


def workflows() -> list[tuple[str, str]]:
    """(id, title or else id) of every workflow that there is now, in the order of what is read."""
    found = [(entry_id, title or entry_id) for entry_id, kind, title in _newest() if kind == WORKFLOW]
    return sorted(found, key=lambda each: (each[1].casefold(), each[0]))


def _newest() -> Named:
    newest = Version.objects.order_by("-number").values_list("number", "created_at").first()
    return _in_version(*newest) if newest else ()


@lru_cache(maxsize=4)
def _in_version(number: int, created_at: datetime) -> Named:
    """(id, kind, title) of a version's entries; `created_at` tells the versions of two databases apart."""
    rows = reading.newest_revisions(number).filter(deleted=False).values_list("entry_id", "kind", "meta")
    return tuple((entry_id, kind, _title(meta)) for entry_id, kind, meta in rows)


def _title(meta: Mapping[str, Any]) -> str:
    title = meta.get("title")
    return " ".join(title.split())[:LONGEST] if isinstance(title, str) else ""
