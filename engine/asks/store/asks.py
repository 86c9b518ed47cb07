"""The asks of the `store` module (docs/lua.md#store). Rights are the kernel's to check."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from engine.asks.sql.databases import Databases
from engine.asks.store import memory, sql
from engine.asks.store.keeping import Info, Kept, Store, Wish
from engine.asks.store.values import decode, encode
from engine.asks.threads import on_thread
from engine.contracts.catalog import Catalog
from engine.contracts.operation import Operation
from engine.durations import SECOND, option_duration
from engine.entry import Entry
from engine.errors import UnitFailed, invalid, not_found
from engine.steps import Value

logger = logging.getLogger(__name__)

MAX_KEY = 1024
MAX_TTL = 100 * 366 * 86_400
PAGE, MAX_PAGE, PAGE_BYTES = 100, 1000, 4 << 20
FAMILY = "store."
CLEANUP = 5 * 60 * SECOND
TICK = 1.0
"""Seconds between looks at which stores are due to be swept."""


class StoreAsks:
    """A memory store lives as long as this object does, and its entry is one; `databases` are closed by others."""

    def __init__(
        self, catalog: Catalog, databases: Databases | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._catalog = catalog
        self._databases = databases
        self._tables: set[sql.Table] = set()
        self._clock = clock
        self._total = memory.Total()
        self._memory: dict[str, memory.MemoryStore] = {}
        self._swept: dict[str, float] = {}
        self._sweeper: asyncio.Task[None] | None = None

    def operations(self) -> Mapping[str, Operation]:
        """Every operation by name."""
        works = {
            "store.open": self._open,
            "store.read": self._read,
            "store.write": self._write,
            "store.has": self._has,
            "store.delete": self._delete,
            "store.list": self._list,
        }
        return {name: Operation(work, partial(_told, name)) for name, work in works.items()}

    async def close(self) -> None:
        """Forget everything."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        for store in self._memory.values():
            store.clear()

    # --- asks -------------------------------------------------------------------------------------

    async def _open(self, asker: object, args: tuple[Value, ...]) -> Value:
        """(id) -> what `Store:info` says; NotFound."""
        info, _ = self._store(args[0])
        return {
            "id": args[0],
            "backend": info.backend,
            "consistency": info.consistency,
            "durable": info.durable,
            "list": True,
            "versioned": info.versioned,
            "conditional_put": info.conditional_put,
            "ttl": True,
        }

    async def _read(self, asker: object, args: tuple[Value, ...]) -> Value:
        """(id, key) -> {key, value, version}; NotFound."""
        _, store = self._store(args[0])
        kept = await store.get(_key(args[1]))
        if kept is None:
            raise UnitFailed(not_found("store: there is no such key"))
        return (await _entries([kept]))[0]

    async def _write(self, asker: object, args: tuple[Value, ...]) -> Value:
        """(id, key, value, ttl, only if absent, if version) -> {key, value, version}."""
        info, store = self._store(args[0])
        key, value, ttl, absent, version = args[1:6]
        data = await on_thread(encode, value)
        wish = Wish(_key(key), data, _ttl(ttl), absent is True, version or "")
        if wish.conditional and not info.conditional_put:
            raise UnitFailed(invalid(f"store: a {info.backend} store has no conditional writes"))
        kept = await store.put(wish)
        return {"key": kept.key, "value": value, "version": kept.version}

    async def _has(self, asker: object, args: tuple[Value, ...]) -> Value:
        """(id, key) -> whether it is there."""
        _, store = self._store(args[0])
        return await store.get(_key(args[1])) is not None

    async def _delete(self, asker: object, args: tuple[Value, ...]) -> Value:
        """(id, key) -> whether it was there."""
        _, store = self._store(args[0])
        return await store.delete(_key(args[1]))

    async def _list(self, asker: object, args: tuple[Value, ...]) -> Value:
        """(id, prefix, after, limit) -> {items, cursor, has_more}."""
        _, store = self._store(args[0])
        prefix, after, limit = args[1:4]
        most = min(limit or PAGE, MAX_PAGE)
        if most < 1:
            raise UnitFailed(invalid("store: limit must be at least 1"))
        found = await store.list(_text(prefix, "prefix"), _text(after, "cursor"), most + 1)
        page = _page(found[:most])
        cursor = page[-1].key if page else after
        return {"items": await _entries(page), "cursor": cursor, "has_more": len(page) < len(found)}

    # --- stores -----------------------------------------------------------------------------------

    def _store(self, entry_id: Value) -> tuple[Info, Store]:
        entry = self._catalog.entry(entry_id) if isinstance(entry_id, str) else None
        if entry is None or not entry.kind.startswith(FAMILY):
            raise UnitFailed(not_found(f"store '{entry_id}' not found"))
        made = self._made(entry)
        if entry.id not in self._swept:
            self._swept[entry.id] = self._clock()
            self._sweep_by_itself()
        return made

    def _made(self, entry: Entry) -> tuple[Info, Store]:
        match entry.kind:
            case memory.KIND:
                store = self._memory.get(entry.id)
                if store is None:
                    store = self._memory[entry.id] = memory.MemoryStore(entry.id, self._total, self._clock)
                store.limits = memory.Limits.of(entry)
                return memory.INFO, store
            case sql.KIND if self._databases is not None:
                return sql.INFO, sql.SqlStore(sql.Table.of(entry), self._databases, self._tables)
            case kind:
                raise UnitFailed(not_found(f"store '{entry.id}' is a {kind}, which no node runs here"))

    # --- sweeping ---------------------------------------------------------------------------------

    async def sweep(self) -> None:
        """Drop what has expired in the stores whose `cleanup_interval` has passed, and stores that are none now."""
        for entry_id, last in list(self._swept.items()):
            entry = self._catalog.entry(entry_id)
            if entry is None or entry.kind != memory.KIND:
                self._forget_memory(entry_id)
            if entry is None or not entry.kind.startswith(FAMILY):
                del self._swept[entry_id]
            elif (every := _interval(entry)) and self._clock() - last >= every:
                self._swept[entry_id] = self._clock()
                await self._sweep(entry)

    async def _sweep(self, entry: Entry) -> None:
        try:
            await self._made(entry)[1].sweep()
        except UnitFailed as error:
            logger.warning("store %s can't be cleaned now: %s", entry.id, error.failure.kind)

    def _forget_memory(self, entry_id: str) -> None:
        if store := self._memory.pop(entry_id, None):
            store.clear()

    def _sweep_by_itself(self) -> None:
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().create_task(self._sweep_for_ever(), name="stores")

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            try:
                await self.sweep()
            except Exception:
                logger.exception("stores could not be cleaned")


def _told(name: str, args: tuple[Value, ...]) -> str:
    """What people read: the store, and no key, which may be a secret."""
    return f"{name.replace('.', ' ')} {args[0]}"


def _interval(entry: Entry) -> float:
    """Seconds between two sweeps; 0 for none."""
    given = entry.data.get("cleanup_interval")
    default = CLEANUP if entry.kind == memory.KIND else 0
    return (default if given is None else option_duration(given) or 0) / SECOND


def _key(key: Value) -> str:
    if key == "":
        raise UnitFailed(invalid("store: a key must not be empty"))
    return _text(key, "key")


def _text(text: Value, what: str) -> str:
    """Keys are texts everywhere, so that all stores order and find them alike."""
    if not isinstance(text, str) or "\0" in text:
        raise UnitFailed(invalid(f"store: a {what} must be UTF-8 without NUL"))
    if len(text.encode("utf-8", "surrogatepass")) > MAX_KEY:
        raise UnitFailed(invalid(f"store: a {what} may have {MAX_KEY} bytes", limit=MAX_KEY))
    return text


def _ttl(seconds: Value) -> float:
    if not isinstance(seconds, int | float) or not math.isfinite(seconds) or not 0 <= seconds <= MAX_TTL:
        raise UnitFailed(invalid("store: a TTL is a number of seconds from 0, which is for ever, to a hundred years"))
    return seconds


def _page(found: Sequence[Kept]) -> list[Kept]:
    """As many as fit into an answer, at least one."""
    page: list[Kept] = []
    room = PAGE_BYTES
    for kept in found:
        room -= len(kept.data) + len(kept.key)
        if page and room < 0:
            break
        page.append(kept)
    return page


async def _entries(rows: Sequence[Kept]) -> list[Value]:
    return await on_thread(
        lambda: [{"key": row.key, "value": decode(row.data), "version": row.version} for row in rows]
    )
