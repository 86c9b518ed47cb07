"""Entries that carry credentials or reach this machine: publishing them takes more than an author's right.

A client decides where the machine's keys are sent, and storages of the process environment and of files let Lua code
read them. A database has a password, and whoever names its server or file reads what others keep there. A variable or
router is as guarded as the storages that it leads to, a store as its database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from engine.entry import Entry
from engine.registry import contexts
from engine.registry.hooks.route import ENDPOINT, ROUTER, WORKFLOW
from engine.registry.kinds import PYTHON_FUNCTION
from engine.registry.references import references
from engine.registry.words import names

KINDS = frozenset(names("temporal.client env.storage.os env.storage.file db.sql.sqlite db.sql.postgres db.django"))

LEADING = frozenset({"store.sql"})
"""Beside environment entries: a table that it names is read and written with no right to its database."""

Entries = Mapping[str, Entry]


def is_guarded(entry: Entry, entries: Entries) -> bool:
    """Whether the entry is of a guarded kind, or leads to one through environment entries."""
    return any(each.kind in KINDS for each in _reached(entry, entries))


def guarded(touched: Collection[str], before: Entries, after: Entries) -> list[str]:
    """The ids among `touched` that are guarded before or after a change."""
    return [each for each in touched if any(_holds(each, entries) for entries in (before, after))]


def naming_python(touched: Collection[str], before: Entries, after: Entries) -> list[str]:
    """The ids among `touched` that name other Python code after a change than before, or the same otherwise."""
    return [each for each in touched if each in after and _names_anew(before.get(each), after[each])]


def _names_anew(before: Entry | None, after: Entry) -> bool:
    if after.kind != PYTHON_FUNCTION:
        return False
    return before is None or (before.kind, dict(before.data)) != (after.kind, dict(after.data))


def forbidden_to_lua(touched: Collection[str], before: Entries, after: Entries, allowed: Collection[str]) -> list[str]:
    """The ids among `touched` that Lua code, which no user stands behind, may not publish; `allowed` names kinds.

    Besides guarded entries: policies and token stores, and entries that say under whom they run, since code could
    give itself rights by them; and what opens a door to other systems. Entries that name Python code it may never,
    whatever is allowed.
    """
    secret = set(guarded(touched, before, after))
    return [
        each
        for each in touched
        for states in [[entries[each] for entries in (before, after) if each in entries]]
        for kinds in [{state.kind for state in states}]
        if PYTHON_FUNCTION in kinds
        or (
            not kinds <= set(allowed)
            and (each in secret or any(map(_gives_rights, states)) or _opens_a_door(before.get(each), after.get(each)))
        )
    ]


def _gives_rights(entry: Entry) -> bool:
    return entry.kind.startswith("security.") or any(contexts.blocks(entry))


def _opens_a_door(before: Entry | None, after: Entry | None) -> bool:
    """Whether other systems may send what they might not before; taking an address away is no such change."""
    if after is None:
        return False
    if after.kind in (ENDPOINT, ROUTER):
        return before != after
    return bool(after.kind == WORKFLOW and (now := after.meta.get("webhooks"))) and (
        before is None or (before.kind, before.meta.get("webhooks")) != (after.kind, now)
    )


def _holds(entry_id: str, entries: Entries) -> bool:
    return entry_id in entries and is_guarded(entries[entry_id], entries)


def _reached(entry: Entry, entries: Entries) -> Iterator[Entry]:
    seen = {entry.id}
    queue = [entry]
    for current in queue:
        yield current
        for reference in references(current) if current.kind in LEADING or current.kind.startswith("env.") else ():
            target = entries.get(reference.target)
            if target is not None and target.id not in seen:
                seen.add(target.id)
                queue.append(target)
