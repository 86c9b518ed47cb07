"""The registry for Lua code of this node: the catalog's versions, and publishing through the registry service."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from django.db import DatabaseError, InterfaceError

from engine.asks import failures
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

    async def current(self) -> int:
        """The number of the newest version, at most a moment old."""
        return await _read(asyncio.to_thread(self._catalog.version))

    async def versions(self) -> Sequence[int]:
        """The numbers of all versions, ascending."""
        return await _read(in_thread(lambda: list(Version.objects.order_by("number").values_list("number", flat=True))))

    async def entries(self, version: int) -> Mapping[str, Entry]:
        """All entries of a version."""
        if version > await self.current() and version > await _read(asyncio.to_thread(self._catalog.refresh)):
            raise UnitFailed(failures.no_version(version))
        return await _read(asyncio.to_thread(self._catalog.state, version))

    async def apply(self, changes: Changes, base: int, author: Author) -> int:
        """Publish in one transaction, then let this node know."""
        version = await in_thread(partial(_publish, changes, base, author))
        await asyncio.to_thread(self._catalog.refresh)
        self._on_publish()
        return version


def _publish(changes: Changes, base: int, author: Author) -> int:
    try:
        return registry.publish_from_lua(author, changes, base=base).number
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
