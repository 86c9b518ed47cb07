"""A registry in memory: for tests, and for programs that embed the engine without a database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from engine.asks import failures
from engine.check import check_source
from engine.contracts.registry import Author
from engine.entry import Entry
from engine.errors import UnitFailed
from engine.memory.catalog import MemoryCatalog
from engine.registry import changes as changing
from engine.registry.changes import Changes
from engine.registry.guarded import forbidden_to_lua
from engine.registry.problems import errors_in
from engine.registry.validate import validate


class MemoryRegistry:
    """Implements `engine.contracts.registry.RegistryAccess` over a `MemoryCatalog`.

    `allowed` names kinds, else forbidden, that Lua code may publish; `on_publish` is called after each version.
    """

    def __init__(
        self,
        catalog: MemoryCatalog,
        *,
        allowed: Collection[str] = (),
        on_publish: Callable[[Changes], None] = lambda _: None,
    ) -> None:
        self._catalog = catalog
        self._allowed = allowed
        self._on_publish = on_publish
        self._restored: dict[int, int] = {}  # what versions of the catalog are but another one's content again

    async def current(self) -> int:
        """The number of the version in force."""
        number = self._catalog.version()
        return self._restored.get(number, number)

    async def versions(self) -> Sequence[int]:
        """The numbers of all versions but those that only restored another."""
        return [number for number in range(1, self._catalog.version() + 1) if number not in self._restored]

    async def entries(self, version: int) -> Mapping[str, Entry]:
        """All entries of a version."""
        if not 0 <= version <= self._catalog.version():
            raise UnitFailed(failures.no_version(version))
        return self._catalog.state(version)

    async def apply(self, changes: Changes, base: int, author: Author) -> int:
        """Publish; nothing else runs on the loop meanwhile, so that nobody comes between."""
        number = self._catalog.version()
        current, before = self._catalog.state(number), self._catalog.state(base)
        if problems := changing.check(before, changes):
            raise UnitFailed(failures.refused(problems))
        merged = changing.merge(before, current, changes)
        if merged.conflicts:
            text = f"{', '.join(merged.conflicts)} changed since version {base}"
            raise UnitFailed(failures.conflict(text, merged.conflicts))
        if not merged.changes:
            return await self.current()
        return self._publish(merged.changes)

    async def restore(self, version: int, author: Author) -> None:
        """Make a version of what an earlier one held."""
        wanted, current = await self.entries(version), self._catalog.state(self._catalog.version())
        number = self._publish(changing.diff(current, wanted))
        self._restored[number] = self._restored.get(version, version)

    def _publish(self, changes: Changes) -> int:
        self._check(self._catalog.state(self._catalog.version()), changes)
        number = self._catalog.publish(*changes.create, *changes.update, delete=changes.delete)
        self._on_publish(changes)
        return number

    def _check(self, current: Mapping[str, Entry], changes: Changes) -> None:
        after = changing.apply(current, changes)
        if forbidden := forbidden_to_lua(changes.touched, current, after, self._allowed):
            raise UnitFailed(failures.forbidden(forbidden))
        problems = validate(after, check_source, touched=changes.touched, deleted=changes.delete)
        if errors_in(problems):
            raise UnitFailed(failures.refused(problems))
