"""Changes between two states of the registry, and what becomes of them when the state has moved on."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from engine.entry import Entry, without_nulls
from engine.registry.problems import Problem

EXACT = 2**53
"""Above it, databases give back whole floats as integers."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Entries to create and to update (as they shall be), and ids of entries to delete."""

    create: tuple[Entry, ...] = ()
    update: tuple[Entry, ...] = ()
    delete: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.create or self.update or self.delete)

    @property
    def touched(self) -> tuple[str, ...]:
        """The ids of all entries that change, in order."""
        return tuple(sorted([*(entry.id for entry in (*self.create, *self.update)), *self.delete]))

    def wanted(self, entry_id: str) -> Entry | None:
        """What the entry shall be; None when it is deleted or not touched."""
        return next((entry for entry in (*self.create, *self.update) if entry.id == entry_id), None)


def diff(old: Mapping[str, Entry], new: Mapping[str, Entry], *, delete: Iterable[str] | None = None) -> Changes:
    """What leads from `old` to `new`; unchanged entries don't appear.

    `delete` limits which absent entries are deleted (None = every one).
    """
    gone = set(old) - set(new) if delete is None else (set(old) - set(new)) & set(delete)
    return Changes(
        create=tuple(new[each] for each in sorted(set(new) - set(old))),
        update=tuple(new[each] for each in sorted(set(new) & set(old)) if not same(old[each], new[each])),
        delete=tuple(sorted(gone)),
    )


def without(changes: Changes, ids: Collection[str]) -> Changes:
    """The changes but those of some entries."""
    return Changes(
        create=tuple(each for each in changes.create if each.id not in ids),
        update=tuple(each for each in changes.update if each.id not in ids),
        delete=tuple(each for each in changes.delete if each not in ids),
    )


def apply(entries: Mapping[str, Entry], changes: Changes) -> dict[str, Entry]:
    """The state after the changes, which `check` must have found to fit."""
    after = {**entries, **{entry.id: entry for entry in (*changes.create, *changes.update)}}
    for entry_id in changes.delete:
        after.pop(entry_id, None)
    return after


def check(entries: Mapping[str, Entry], changes: Changes) -> list[Problem]:
    """What does not fit: creating what is there, changing what is not, one entry changed twice."""
    problems = [
        Problem("exists already", entry_id=entry.id, field="name") for entry in changes.create if entry.id in entries
    ]
    missing = (*(entry.id for entry in changes.update), *changes.delete)
    problems += [Problem("there is no such entry", entry_id=each) for each in missing if each not in entries]
    touched = changes.touched
    twice = {each for each, following in pairwise(touched) if each == following}
    return [*problems, *(Problem("is changed twice at once", entry_id=each) for each in sorted(twice))]


@dataclass(frozen=True, slots=True)
class Merge:
    """Changes fitted to a newer state, and the ids of entries that both sides changed differently."""

    changes: Changes
    conflicts: tuple[str, ...]


def merge(base: Mapping[str, Entry], current: Mapping[str, Entry], changes: Changes) -> Merge:
    """Fit changes that were made on `base` to `current`, entry by entry.

    An entry that `current` already has as wanted drops out; one that `current` has as `base` had it goes through;
    any other is a conflict.
    """
    conflicts = []
    wanted: dict[str, Entry] = {}
    deleted: list[str] = []
    for entry_id in changes.touched:
        mine, theirs = changes.wanted(entry_id), current.get(entry_id)
        if same(mine, theirs):
            continue
        if not same(base.get(entry_id), theirs):
            conflicts.append(entry_id)
        elif mine is None:
            deleted.append(entry_id)
        else:
            wanted[entry_id] = mine
    untouched = {each: entry for each, entry in current.items() if each in wanted or each in deleted}
    return Merge(diff(untouched, wanted, delete=deleted), tuple(conflicts))


def same(a: Entry | None, b: Entry | None) -> bool:
    """Whether two entries hold the same content; the order of keys does not count, `true` is not 1."""
    if a is None or b is None:
        return a is b
    return a is b or canonical(a) == canonical(b)


def canonical(entry: Entry) -> str:
    """The content as text that is equal for equal content, whichever database it went through."""
    return spelled(without_nulls(entry).to_json())


def spelled(value: Any) -> str:
    """The same of a part of an entry."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False)


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return {str(key): _plain(child) for key, child in value.items()}
        case list() | tuple():
            return [_plain(child) for child in value]
        case float() if value.is_integer() and abs(value) >= EXACT:
            return int(value)
        case _:
            return value
