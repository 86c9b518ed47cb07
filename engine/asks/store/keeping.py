"""The contract of a store: what is kept under keys, as bytes, for a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Kept:
    """What a store has under a key. `version` is opaque, "" where a store has none."""

    key: str
    data: bytes
    version: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """A write. `ttl` in seconds, 0 for ever; `absent`: only where nothing is; `version`: only while that one stands."""

    key: str
    data: bytes
    ttl: float = 0
    absent: bool = False
    version: str = ""

    @property
    def conditional(self) -> bool:
        """Whether it depends on what is there."""
        return self.absent or bool(self.version)


@dataclass(frozen=True, slots=True)
class Info:
    """What a kind of store can do: the words of `Store:info`."""

    backend: str
    consistency: str
    durable: bool
    versioned: bool
    conditional_put: bool


class Store(Protocol):
    """Coroutines of the node's loop; operational failures are UnitFailed. What expired is not there."""

    async def get(self, key: str) -> Kept | None:
        """What is kept under the key."""
        ...

    async def put(self, wish: Wish) -> Kept:
        """Write; AlreadyExists, Conflict, Invalid, LimitExceeded."""
        ...

    async def delete(self, key: str) -> bool:
        """Forget it; whether it was there."""
        ...

    async def list(self, prefix: str, after: str, most: int) -> Sequence[Kept]:
        """Up to so many, in the order of the bytes of their keys, of those behind `after`."""
        ...

    async def sweep(self) -> None:
        """Drop what has expired."""
        ...
