"""The contract of a node's peers: the other nodes of the fleet. A node alone needs none."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from engine.contracts.host import Host


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
