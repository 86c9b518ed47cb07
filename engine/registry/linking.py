"""Linking: an entry and all that it imports become one immutable program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.entry import Entry
from engine.errors import ProgramError
from engine.program import Chunk, OwnLimits, Program
from engine.registry import kinds
from engine.registry.imports import reachable
from engine.registry.references import imports


def link(entry_id: str, entries: Mapping[str, Entry]) -> Program:
    """The program of a function, process or workflow; sources are the original text, types and all.

    Raises ProgramError when there is no such entry, it can't be run, or an import is missing.
    """
    entry = entries.get(entry_id)
    if entry is None:
        raise ProgramError(f"there is no entry {entry_id}", entry_id=entry_id)
    if entry.kind not in kinds.EXECUTABLE:
        raise ProgramError(f"{entry_id} is a {entry.kind}, which does not run", entry_id=entry_id)
    if entry.kind == kinds.PYTHON_FUNCTION:
        return _python(entry)
    chunks = {each: _chunk(entries[each], entries) for each in sorted(reachable(entry_id, entries))}
    method = entry.data.get("method", kinds.DEFAULT_METHOD)
    return Program(entry_id, entry.kind, method, chunks, _limits(entry.data.get("limits")))


def _python(entry: Entry) -> Program:
    """A program without code: the code is what its callable names on the node that runs it."""
    named = entry.data.get("callable")
    if not isinstance(named, str):
        raise ProgramError(f"{entry.id} has no callable", entry_id=entry.id)
    return Program(entry.id, entry.kind, named, {})


def _chunk(entry: Entry, entries: Mapping[str, Entry]) -> Chunk:
    for alias, target in imports(entry).items():
        if target not in entries or entries[target].kind not in kinds.IMPORTABLE:
            what = "which is neither a library nor a function"
            raise ProgramError(f"{entry.id} imports {target} as {alias}, {what}", entry_id=entry.id)
    source = entry.data.get("source")
    if not isinstance(source, str):
        raise ProgramError(f"{entry.id} has no source", entry_id=entry.id)
    # The order in which modules are listed means nothing, so it must not make another program.
    modules = tuple(sorted(set(entry.data.get("modules", ()))))
    return Chunk(entry.id, source, modules, imports(entry))


def _limits(given: Any) -> OwnLimits:
    """What is no limit is none: entries of old versions were not checked for it."""
    own = given if isinstance(given, Mapping) else {}
    return OwnLimits(**{name: _positive(own.get(name)) for name in ("instructions", "memory")})


def _positive(value: Any) -> int:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and value >= 1 else 0
