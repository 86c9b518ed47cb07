"""The contract of a fleet: what a node asks of all of them together. A node alone needs none of it.

The console implements it over its database, `engine.testing` in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from engine.host import Host


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
