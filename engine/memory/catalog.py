"""A catalog in memory: for tests, benchmarks and programs that embed the engine without a database."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from engine.entry import Entry
from engine.errors import ProgramError
from engine.program import Program
from engine.registry.linking import link


class MemoryCatalog:
    """Implements `engine.contracts.catalog.Catalog`. Every `publish` makes a version; safe from any thread."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._lock = threading.Lock()
        self._versions: list[Mapping[str, Entry]] = [{}]
        self._current: dict[str, Program] = {}
        self._pinned: dict[str, Program] = {}
        self.publish(*entries)

    def publish(self, *entries: Entry, delete: Iterable[str] = ()) -> int:
        """Add or replace entries and delete others; the number of the new version."""
        gone = set(delete)
        with self._lock:
            untouched = {key: entry for key, entry in self._versions[-1].items() if key not in gone}
            changed = {entry.id: entry for entry in entries}
            self._versions.append(dict(sorted({**untouched, **changed}.items())))
            self._current = {}
            return len(self._versions) - 1

    def entry(self, entry_id: str) -> Entry | None:
        """The entry in the current version."""
        return self._versions[-1].get(entry_id)

    def entry_at(self, entry_id: str, version: int) -> Entry | None:
        """The entry in that version."""
        return self._versions[version].get(entry_id) if 0 <= version < len(self._versions) else None

    def written_at(self, entry_id: str, version: int) -> Entry | None:
        """The same: nothing is filled in here."""
        return self.entry_at(entry_id, version)

    def state(self, version: int) -> Mapping[str, Entry]:
        """All entries of a version that there is, by id."""
        return self._versions[version]

    def entries(self, kind: str) -> list[Entry]:
        """The entries of one kind, by id."""
        return [entry for entry in self._versions[-1].values() if entry.kind == kind]

    def current(self, entry_id: str) -> Program:
        """The program of the entry in the current version."""
        with self._lock:
            program = self._current.get(entry_id)
            if program is None:
                program = link(entry_id, self._versions[-1])
                self._current[entry_id] = program
                self._pinned[program.digest] = program
            return program

    def pinned(self, digest: str) -> Program:
        """A program that `current` gave out before."""
        program = self._pinned.get(digest)
        if program is None:
            raise ProgramError(f"there is no program {digest}")
        return program

    def version(self) -> int:
        """The number of the current version."""
        return len(self._versions) - 1
