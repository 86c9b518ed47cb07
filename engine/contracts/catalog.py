"""The contract of a catalog: what hosts know of the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from engine.entry import Entry
from engine.program import Program


class Catalog(Protocol):
    """What hosts know of the registry: synchronous, cached, safe to call from any thread.

    Implemented by the console's registry service, and by `engine.memory` from entries in memory.
    """

    def entry(self, entry_id: str) -> Entry | None:
        """The entry in the current registry version, or None."""
        ...

    def entry_at(self, entry_id: str, version: int) -> Entry | None:
        """The entry as it stood in that registry version, or None; placeholders are filled in by what is known now."""
        ...

    def written_at(self, entry_id: str, version: int) -> Entry | None:
        """As `entry_at`, with all placeholders as they are written: the same answer for ever, which runs go by."""
        ...

    def state(self, version: int) -> Mapping[str, Entry]:
        """All entries of a version that there is, by id; not to be changed."""
        ...

    def entries(self, kind: str) -> list[Entry]:
        """All entries of one kind in the current version, by id."""
        ...

    def current(self, entry_id: str) -> Program:
        """The program of the entry in the current version; raises ProgramError when there is none."""
        ...

    def pinned(self, digest: str) -> Program:
        """The immutable program of that digest; raises ProgramError when it is not known."""
        ...

    def version(self) -> int:
        """The number of the current registry version (0 when the registry is empty)."""
        ...
