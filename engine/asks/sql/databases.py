"""The databases of a node, by the ids of their entries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from engine.asks.sql import postgres, sqlite
from engine.asks.sql.connection import POSTGRES, SQLITE, Connection
from engine.asks.sql.pool import Lease, Pool
from engine.asks.sql.settings import DJANGO_KIND, KINDS, Postgres, Settings, Sqlite, pool_of, settings_of
from engine.contracts.catalog import Catalog
from engine.entry import Entry
from engine.errors import UnitFailed, invalid, not_found

Own = Callable[[Entry], Awaitable[Sqlite | Postgres]]
"""Where a `db.django` entry's data lives: whoever knows Django makes the room there, and tells."""


class Databases:
    """Pools, made when first asked for and anew when an entry changed; on one loop, until `close`.

    `variables` fill in fields `<name>_env`; `folder` is where files of SQLite live; `own` serves `db.django`.
    """

    def __init__(self, catalog: Catalog, variables: Mapping[str, str], folder: Path, own: Own | None = None) -> None:
        self._catalog = catalog
        self._variables = variables
        self._folder = folder
        self._own = own
        self._pools: dict[str, tuple[Settings, Pool]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def connection(self, entry_id: str, holder: str = "the node") -> AsyncIterator[Connection]:
        """A connection to that database until the end of the block, made clean afterwards.

        `holder` is who is named when others wait for one. UnitFailed: NotFound and Invalid for the entry, Unavailable
        when none can be had within ten seconds.
        """
        pool = await self.pool(entry_id)
        async with pool.connection(holder) as connection:
            yield connection

    async def take(self, entry_id: str, holder: str) -> tuple[Pool, Lease]:
        """A connection to keep for a while; give it back to its pool."""
        pool = await self.pool(entry_id)
        return pool, await pool.take(holder)

    async def pool(self, entry_id: str) -> Pool:
        """The pool of a database; UnitFailed (NotFound, Invalid)."""
        settings = await self._settings(self._entry(entry_id))
        known = self._pools.get(entry_id)
        if known is not None and known[0] == settings:
            return known[1]
        pool = Pool(entry_id, settings.pool, partial(_connect, settings))
        self._pools[entry_id] = settings, pool
        if known is not None:
            task = asyncio.get_running_loop().create_task(known[1].close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        return pool

    async def dialect(self, entry_id: str) -> str:
        """SQLITE or POSTGRES; UnitFailed (NotFound, Invalid). Does not connect."""
        settings = await self._settings(self._entry(entry_id))
        return SQLITE if isinstance(settings.target, Sqlite) else POSTGRES

    async def close(self) -> None:
        """Close all; does not raise."""
        pools, self._pools = [pool for _, pool in self._pools.values()], {}
        await asyncio.gather(*(pool.close() for pool in pools), *self._closing, return_exceptions=True)

    def _entry(self, entry_id: str) -> Entry:
        entry = self._catalog.entry(entry_id)
        if entry is None:
            raise UnitFailed(not_found(f"database '{entry_id[:200]}' not found"))
        if entry.kind not in KINDS:
            raise UnitFailed(invalid(f"'{entry_id}' is not a database but a {entry.kind}"))
        return entry

    async def _settings(self, entry: Entry) -> Settings:
        if entry.kind != DJANGO_KIND:
            return settings_of(entry, self._variables, self._folder)
        if self._own is None:
            raise UnitFailed(invalid(f"database '{entry.id}': there is no Django here"))
        target = await self._own(entry)
        return Settings(entry.id, target, pool_of(entry, target))


async def _connect(settings: Settings) -> Connection:
    if isinstance(settings.target, Sqlite):
        return await sqlite.connect(settings.target)
    return await postgres.connect(settings.entry_id, settings.target)
