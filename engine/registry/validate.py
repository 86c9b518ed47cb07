"""Validates entries as a whole: each by itself, its Lua source, and what they are to each other."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping
from dataclasses import replace

from engine.bounded import schemas
from engine.entry import Entry
from engine.registry import contexts, fields, imports, kinds, references
from engine.registry.hooks import check as hooks
from engine.registry.problems import Problem, errors_in, in_order
from engine.registry.sources import Named, Source, SourceCheck
from engine.registry.words import did_you_mean

MOST_CHECKS = 100_000
"""For all schemas of one entry (`engine/bounded/schemas.py`): some seconds at worst, however many there are."""

MAX_MISSING = 20
"""So many ids that a source names and nothing has are told; the first place of each."""


def validate(
    entries: Mapping[str, Entry],
    check_source: SourceCheck,
    *,
    touched: Collection[str] | None = None,
    deleted: Collection[str] = (),
    elsewhere: Container[str] = (),
) -> tuple[Problem, ...]:
    """Every problem of the entries, keyed by id.

    What concerns one entry alone is checked for the `touched` ones only (None = all); what they are to each
    other is always checked for all. `deleted` names entries that this change removes: they must not be in use.
    `elsewhere` knows ids that something besides entries answers to.
    """
    chosen = entries.values() if touched is None else [entries[each] for each in touched if each in entries]
    problems = [problem for entry in chosen for problem in _check_alone(entry, entries, check_source, elsewhere)]
    problems += _check_together(entries, frozenset(deleted), elsewhere)
    told = {(each.entry_id, each.field) for each in errors_in(problems)}
    problems += [each for each in hooks.check_together(entries, touched) if (each.entry_id, each.field) not in told]
    return in_order(problems)


def _check_alone(
    entry: Entry, entries: Mapping[str, Entry], check_source: SourceCheck, elsewhere: Container[str]
) -> Iterator[Problem]:
    with schemas.budget(MOST_CHECKS):
        found = list(fields.check(entry))
    yield from found
    source = entry.data.get("source")
    sound = not any(problem.field == "source" for problem in found)
    if entry.kind in kinds.LUA and isinstance(source, str) and sound:
        yield from _of_source(entry, entries, check_source(source, entry.id), elsewhere)


def _of_source(
    entry: Entry, entries: Mapping[str, Entry], source: Source, elsewhere: Container[str]
) -> Iterator[Problem]:
    if source.problem is not None:
        yield replace(source.problem, entry_id=entry.id, field="source")
    named = [each for each in source.named if each.target not in entries and each.target not in elsewhere]
    missing = {each.target: each for each in reversed(named)}
    for first in sorted(missing.values(), key=lambda each: each.line)[:MAX_MISSING]:
        yield _missing(entry, entries, first)


def _missing(entry: Entry, entries: Mapping[str, Entry], named: Named) -> Problem:
    """A warning: it may be published later, or be a workflow of another language."""
    message = f"there is no entry `{named.target}`: what calls or starts it will fail"
    namespace = named.target.partition(":")[0]
    hint = did_you_mean(named.target, (each.id for each in entries.values() if each.namespace == namespace))
    return Problem(message, entry_id=entry.id, field="source", line=named.line, hint=hint, severity="warning")


def _check_together(
    entries: Mapping[str, Entry], deleted: frozenset[str], elsewhere: Container[str]
) -> Iterator[Problem]:
    for entry in entries.values():
        yield from references.check(entry, entries, deleted, elsewhere)
    for entry_id in deleted:
        users = [f"{user.id} ({field})" for user, field in references.users(entry_id, entries)]
        if users:
            yield Problem(f"can't be deleted: used by {', '.join(users)}", entry_id=entry_id)
    yield from imports.check(entries)
    yield from contexts.check(entries)
