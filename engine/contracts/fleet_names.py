"""The contract of names that hold in the whole fleet. A node alone needs none."""

from __future__ import annotations

from typing import Protocol


class FleetNames(Protocol):
    """Names that one unit of the whole fleet holds: the scopes above LOCAL of docs/lua.md#process-names.

    Used on the loop. A name falls when its unit ends, and when the node that registered it is lost. Operational
    failures are UnitFailed: Unavailable while it can't be known who holds a name.
    """

    async def claim(self, name: str, pid: str) -> str:
        """Give the name to `pid` unless it is held; the holder, which is `pid` on success."""
        ...

    async def lookup(self, name: str) -> str | None:
        """The pid that holds the name now, or None."""
        ...

    async def release(self, name: str) -> bool:
        """Free the name; whether it was held."""
        ...

    async def drop(self, pid: str) -> None:
        """Free what a unit that ended got by this node; keeps trying by itself when that can't be done at once."""
        ...
