"""Validates entries as a whole: each by itself, its Lua source, and what they are to each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

from engine.entry import Entry
from engine.registry import contexts, fields, imports, kinds, references
from engine.registry.problems import Problem, in_order

SourceCheck = Callable[[str, str], Problem | None]
"""Given Lua text and its chunk name, what is wrong with its syntax (message and line), or None."""


def validate(
    entries: Mapping[str, Entry],
    check_source: SourceCheck,
    *,
    touched: Collection[str] | None = None,
    deleted: Collection[str] = (),
) -> tuple[Problem, ...]:
    """Every problem of the entries, keyed by id.

    What concerns one entry alone is checked for the `touched` ones only (None = all); what they are to each
    other is always checked for all. `deleted` names entries that this change removes: they must not be in use.
    """
    chosen = entries.values() if touched is None else [entries[each] for each in touched if each in entries]
    problems = [problem for entry in chosen for problem in _check_alone(entry, check_source)]
    problems += _check_together(entries, frozenset(deleted))
    return in_order(problems)


def _check_alone(entry: Entry, check_source: SourceCheck) -> Iterator[Problem]:
    found = list(fields.check(entry))
    yield from found
    source = entry.data.get("source")
    sound = not any(problem.field == "source" for problem in found)
    if entry.kind in kinds.LUA and isinstance(source, str) and sound:
        problem = check_source(source, entry.id)
        if problem is not None:
            yield replace(problem, entry_id=entry.id, field="source")


def _check_together(entries: Mapping[str, Entry], deleted: frozenset[str]) -> Iterator[Problem]:
    for entry in entries.values():
        yield from references.check(entry, entries, deleted)
    for entry_id in deleted:
        users = [f"{user.id} ({field})" for user, field in references.users(entry_id, entries)]
        if users:
            yield Problem(f"can't be deleted: used by {', '.join(users)}", entry_id=entry_id)
    yield from imports.check(entries)
    yield from contexts.check(entries)
