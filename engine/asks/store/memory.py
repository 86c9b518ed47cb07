"""`store.memory`: what is kept in the memory of one node until it stops."""

from __future__ import annotations

import asyncio
import heapq
import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.asks.store.keeping import Info, Kept, Wish
from engine.entry import Entry
from engine.errors import ALREADY_EXISTS, CONFLICT, LIMIT_EXCEEDED, Failure, UnitFailed

KIND = "store.memory"
INFO = Info("memory", "local", durable=False, versioned=True, conditional_put=True)
MAX_SIZE = 10_000
MAX_BYTES = 64 << 20
NODE_BYTES = 512 << 20
"""Of all such stores of a node."""
OVERHEAD = 400
"""Bytes that a key costs besides its own and its value's (measured: 380)."""
FEW, PORTION, SPARE = 100, 10_000, 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a store may hold."""

    keys: int = MAX_SIZE
    bytes: int = MAX_BYTES

    @classmethod
    def of(cls, entry: Entry) -> Limits:
        """Those of an entry; 0 stands for the default."""
        return cls(entry.data.get("max_size") or MAX_SIZE, entry.data.get("max_bytes") or MAX_BYTES)


@dataclass(slots=True)
class Total:
    """Bytes that all stores of a node hold."""

    most: int = NODE_BYTES
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Row:
    data: bytes
    version: int
    expires: float | None


class MemoryStore:
    """On the loop alone, so each act is whole. `limits` may change while it is used: what is there stays."""

    def __init__(self, entry_id: str, total: Total, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = Limits()
        self._id = entry_id
        self._total = total
        self._clock = clock
        self._rows: dict[str, _Row] = {}
        self._order: list[str] = []
        self._expiring: list[tuple[float, str]] = []
        self._version = time.time_ns()
        self._bytes = 0

    async def get(self, key: str) -> Kept | None:
        """What is kept under the key."""
        row = self._row(key)
        return _kept(key, row) if row else None

    async def put(self, wish: Wish) -> Kept:
        """Write; AlreadyExists, Conflict, LimitExceeded."""
        self._make_room(len(wish.data))
        old = self._row(wish.key)
        self._check(wish, old)
        if old is None and wish.key in self._rows:
            self._drop(wish.key)
        more = len(wish.data) - len(old.data) if old else _size(wish.key, wish.data)
        self._make_sure_it_fits(more, new=old is None)
        self._version += 1
        expires = self._clock() + wish.ttl if wish.ttl else None
        row = self._rows[wish.key] = _Row(wish.data, self._version, expires)
        if old is None:
            insort(self._order, wish.key)
        self._grow(more)
        self._remember(wish.key, expires)
        return _kept(wish.key, row)

    async def delete(self, key: str) -> bool:
        """Forget it; whether it was there."""
        there = self._row(key) is not None
        if key in self._rows:
            self._drop(key)
        return there

    async def list(self, prefix: str, after: str, most: int) -> Sequence[Kept]:
        """Up to so many, in the order of their keys, of those behind `after`."""
        found: list[Kept] = []
        begin = max(bisect_left(self._order, prefix), bisect_right(self._order, after) if after else 0)
        for at in range(begin, len(self._order)):
            key = self._order[at]
            if len(found) == most or not key.startswith(prefix):
                break
            if row := self._row(key):
                found.append(_kept(key, row))
        return found

    async def sweep(self) -> None:
        """Drop what has expired, in portions between which others have the loop."""
        while self._expire(PORTION) == PORTION:
            await asyncio.sleep(0)

    def clear(self) -> None:
        """Drop everything."""
        self._rows.clear()
        self._order.clear()
        self._expiring.clear()
        self._grow(-self._bytes)

    def _make_room(self, more: int) -> None:
        crowded = len(self._rows) >= self.limits.keys or self._bytes + more + OVERHEAD > self.limits.bytes
        self._expire(len(self._expiring) if crowded else FEW)

    def _expire(self, most: int) -> int:
        """Drop up to so many that have expired: how many were due."""
        now, due = self._clock(), 0
        gone: list[str] = []
        while due < most and self._expiring and self._expiring[0][0] <= now:
            expires, key = heapq.heappop(self._expiring)
            due += 1
            if (row := self._rows.get(key)) and row.expires == expires:
                gone.append(key)
                self._grow(-_size(key, self._rows.pop(key).data))
        self._forget(gone)
        return due

    def _forget(self, gone: Sequence[str]) -> None:
        """Each costs a move of all behind it, so many are left out at once."""
        if len(gone) > FEW:
            self._order = [key for key in self._order if key in self._rows]
            return
        for key in gone:
            del self._order[bisect_left(self._order, key)]

    def _row(self, key: str) -> _Row | None:
        row = self._rows.get(key)
        return None if row is None or (row.expires is not None and row.expires <= self._clock()) else row

    def _check(self, wish: Wish, old: _Row | None) -> None:
        if wish.absent and old:
            raise UnitFailed(Failure(ALREADY_EXISTS, "store: the key exists already", retryable=False))
        if wish.version and (old is None or str(old.version) != wish.version):
            raise UnitFailed(Failure(CONFLICT, "store: the key has another version by now", retryable=True))

    def _make_sure_it_fits(self, more: int, *, new: bool) -> None:
        if new and len(self._rows) >= self.limits.keys:
            raise _full(f"store '{self._id}' is full: it has {len(self._rows)} keys, its max_size", self.limits.keys)
        if more > 0 and self._bytes + more > self.limits.bytes:
            raise _full(f"store '{self._id}' is full: it would hold more bytes than its max_bytes", self.limits.bytes)
        if more > 0 and self._total.bytes + more > self._total.most:
            raise _full("store: the memory stores of this node are full together", self._total.most)

    def _remember(self, key: str, expires: float | None) -> None:
        """Keys that are written again leave what they were due; too much of that is thrown out."""
        if expires is not None:
            heapq.heappush(self._expiring, (expires, key))
        if len(self._expiring) > 2 * len(self._rows) + SPARE:
            self._expiring = [(row.expires, key) for key, row in self._rows.items() if row.expires is not None]
            heapq.heapify(self._expiring)

    def _drop(self, key: str) -> None:
        self._grow(-_size(key, self._rows.pop(key).data))
        self._forget([key])

    def _grow(self, more: int) -> None:
        self._bytes += more
        self._total.bytes += more


def _size(key: str, data: bytes) -> int:
    return OVERHEAD + 2 * len(key) + len(data)


def _kept(key: str, row: _Row) -> Kept:
    return Kept(key, row.data, str(row.version))


def _full(message: str, limit: Any) -> UnitFailed:
    return UnitFailed(Failure(LIMIT_EXCEEDED, message, retryable=True, details={"limit": limit}))
