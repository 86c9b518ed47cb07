"""Which paths entries mask, by what their `meta.mask` says now and said in the version that a run began with.

Read from all revisions once, then from the newer ones only: cheap enough for every row of a list.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wippy_console.models.registry import Revision, Version

FRESH = 1.0
"""Seconds within which it is not asked whether there is a newer version; each request asks once, if it matters to it,
and this process's own versions are noticed at once."""

Paths = tuple[str, ...]
Newest = tuple[int, datetime] | None


@dataclass
class _Known:
    """Of each entry that ever masked something: the versions that changed it, and what it masked from then on."""

    newest: Newest = None
    entries: dict[str, tuple[list[int], list[Paths]]] = field(default_factory=dict)
    asked: float = 0.0
    turn: int = 0


_known = _Known()
_lock = threading.Lock()


def of_entry(entry_id: str, version: int | None = None) -> Paths:
    """Those that the entry names now, and those that it named in that version."""
    found = _current().get(entry_id)
    if found is None:
        return ()
    versions, paths = found
    then = bisect_right(versions, version) if version is not None else 0
    return tuple(dict.fromkeys([*paths[-1], *(paths[then - 1] if then else ())]))


def turn() -> int:
    """A number that is another one once some entry masks other paths than before."""
    _current()
    return _known.turn


def anything() -> bool:
    """Whether any entry masks, or ever masked, something."""
    return bool(_current())


def forget(**_: Any) -> None:
    """Ask for the newest version with the next question: one was just written here."""
    _known.asked = 0.0


def _current() -> Mapping[str, tuple[list[int], list[Paths]]]:
    with _lock:
        if time.monotonic() - _known.asked > FRESH or not _known.asked:
            _known.asked = time.monotonic()
            try:
                _follow()
            except BaseException:  # what is not known must not pass for nothing
                _known.asked = 0.0
                raise
        return _known.entries


def _follow() -> None:
    newest = Version.objects.order_by("-number").values_list("number", "created_at").first()
    if newest == _known.newest:
        return
    before = _masks(_known.entries)
    if not _is_there(_known.newest):
        _known.newest, _known.entries = None, {}
    entries = _with_newer(_known.entries, _known.newest[0] if _known.newest else 0)
    if _masks(entries) != before:
        _known.turn += 1
    _known.entries, _known.newest = entries, newest


def _masks(entries: Mapping[str, tuple[list[int], list[Paths]]]) -> dict[str, list[Paths]]:
    """What there was to mask, and what there is now, whichever versions said so."""
    return {entry_id: [paths[-1], *dict.fromkeys(paths)] for entry_id, (_, paths) in entries.items()}


def _is_there(version: Newest) -> bool:
    """Whether the database still has the version: tests and restored copies bring others."""
    return version is None or Version.objects.filter(number=version[0], created_at=version[1]).exists()


def _with_newer(
    known: Mapping[str, tuple[list[int], list[Paths]]], after: int
) -> dict[str, tuple[list[int], list[Paths]]]:
    rows = Revision.objects.filter(version_id__gt=after)
    masking = rows.filter(meta__has_key="mask").values_list("entry_id", flat=True)
    wanted = {*known, *masking}
    found = {entry_id: (list(versions), list(paths)) for entry_id, (versions, paths) in known.items()}
    for entry_id, version, meta in (
        rows.filter(entry_id__in=wanted).order_by("version_id").values_list("entry_id", "version_id", "meta")
    ):
        versions, paths = found.setdefault(entry_id, ([], []))
        versions.append(version)
        paths.append(_paths(meta))
    return found


def _paths(meta: Any) -> Paths:
    found = meta.get("mask") if isinstance(meta, Mapping) else None
    found = [found] if isinstance(found, str) else found  # of kinds that are not checked
    return tuple(path for path in found if isinstance(path, str)) if isinstance(found, list) else ()
