"""The contract of a fleet: what a node asks of all of them together. A node alone needs none of it.

The console implements it over its database, `engine.memory` for one OS process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from engine.contracts.host import Host


class Directory(Protocol):
    """Which nodes run. What it says may be old by a moment; that a node is lost is final for whoever was told."""

    async def is_alive(self, node_id: str) -> bool:
        """Whether that node runs, as far as is known."""
        ...

    def on_lost(self, callback: Callable[[str], None]) -> None:
        """Call back on the loop with the id of each node that ran and does so no more: it stopped, or it died."""
        ...


class Peers(Protocol):
    """The other nodes, each as the host of the actors that live there."""

    def host(self, node_id: str) -> Host | None:
        """The host of that node's actors. From any thread; whether the node runs shows in use."""
        ...


@runtime_checkable
class PeerHost(Host, Protocol):
    """The actors of another node: they can link back."""

    async def link(self, pid: str, peer: str) -> None:
        """Let the actor `pid` there hold its side of a link with `peer` here; NotFound when it is gone."""
        ...

    async def unlink(self, pid: str, peer: str) -> None:
        """Undo `link`; whatever is gone has no link."""
        ...


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
