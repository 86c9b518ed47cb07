"""The registry for Lua code of this node: the catalog's versions, and publishing through the registry service."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from django.db import DatabaseError, InterfaceError

from engine.asks import failures
from engine.asks.threads import on_thread
from engine.contracts.registry import Author
from engine.entry import Entry
from engine.errors import UNAVAILABLE, Failure, UnitFailed
from engine.registry.changes import Changes
from wippy_console.database.threads import in_thread
from wippy_console.models import Version
from wippy_console.services import registry
from wippy_console.services.registry import ChangesRefused, DatabaseCatalog, ForbiddenError, StaleBaseError

logger = logging.getLogger(__name__)

T = TypeVar("T")
UNREACHABLE = Failure(UNAVAILABLE, "the registry's database does not answer", retryable=True)


class DatabaseRegistry:
    """Implements `RegistryAccess`. `on_publish` is called on the loop when the catalog knows the new version."""

    def __init__(self, catalog: DatabaseCatalog, on_publish: Callable[[], None]) -> None:
        self._catalog = catalog
        self._on_publish = on_publish
        self._in_force = (0, 0)

    async def current(self) -> int:
        """The number of the version in force, at most a moment old."""
        newest = await self._newest()
        if self._in_force[0] != newest:
            self._in_force = newest, await _read(in_thread(partial(registry.in_force, newest)))
        return self._in_force[1]

    async def versions(self) -> Sequence[int]:
        """The numbers of all versions, ascending, without those that only restored another."""
        return await _read(in_thread(registry.version_numbers))

    async def _newest(self) -> int:
        return await _read(on_thread(self._catalog.version))

    async def entries(self, version: int) -> Mapping[str, Entry]:
        """All entries of a version."""
        if version > await self._newest() and version > await _read(on_thread(self._catalog.refresh)):
            raise UnitFailed(failures.no_version(version))
        return await _read(on_thread(self._catalog.state, version))

    async def apply(self, changes: Changes, base: int, author: Author) -> int:
        """Publish in one transaction, then let this node know."""
        version = await self._publish(partial(registry.publish_from_lua, author, changes, base=base), author)
        return version.restores or version.number

    async def restore(self, version: int, author: Author) -> None:
        """The same for what an earlier version held."""
        await self.entries(version)
        await self._publish(partial(registry.restore_from_lua, author, version), author)

    async def _publish(self, publishing: Callable[[], Version], author: Author) -> Version:
        version = await in_thread(partial(_refusing, publishing, author))
        await on_thread(self._catalog.refresh)
        self._on_publish()
        return version


def _refusing(publishing: Callable[[], Version], author: Author) -> Version:
    try:
        return publishing()
    except ChangesRefused as error:
        raise UnitFailed(failures.refused(error.problems)) from error
    except StaleBaseError as error:
        ids = [revision.entry_id for revision in error.revisions]
        raise UnitFailed(failures.conflict(error.message, ids)) from error
    except ForbiddenError as error:
        raise UnitFailed(failures.forbidden(error.entries)) from error
    except (DatabaseError, InterfaceError) as error:
        logger.warning("%s of %s could not publish: %s", author.pid, author.entry, error)
        raise UnitFailed(UNREACHABLE) from error


async def _read(reading: Awaitable[T]) -> T:
    try:
        return await reading
    except (DatabaseError, InterfaceError) as error:
        logger.warning("the registry can't be read: %s", error)
        raise UnitFailed(UNREACHABLE) from error
