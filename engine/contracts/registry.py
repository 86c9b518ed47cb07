"""The contract of the registry as Lua code reads and changes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.entry import Entry
from engine.registry.changes import Changes


@dataclass(frozen=True, slots=True)
class Author:
    """The unit that publishes: its pid, and the entry that it runs."""

    pid: str
    entry: str


class RegistryAccess(Protocol):
    """The registry as Lua code uses it (docs/lua.md#registry). Versions are numbered from 1; 0 is empty."""

    async def current(self) -> int:
        """The number of the version in force: the newest, or the one that was restored since."""
        ...

    async def versions(self) -> Sequence[int]:
        """The numbers of all versions, ascending, without those that only restored another."""
        ...

    async def entries(self, version: int) -> Mapping[str, Entry]:
        """All entries of a version, in order of their ids; NotFound. Not to be changed."""
        ...

    async def apply(self, changes: Changes, base: int, author: Author) -> int:
        """Publish what was made on version `base`; the number of the version that holds it.

        When it returns, units that start on this node run by it. Conflict when others changed the same entries since,
        PermissionDenied for what Lua code may not publish, Invalid with all `problems` in the details.
        """
        ...

    async def restore(self, version: int, author: Author) -> None:
        """Put an earlier version in force again; NotFound, and whatever `apply` refuses."""
        ...
