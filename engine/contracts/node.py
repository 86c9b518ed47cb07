"""The contract of a node: how its units find hosts, functions and each other."""

from __future__ import annotations

from typing import Protocol

from engine.contracts.catalog import Catalog
from engine.contracts.host import CallRequest, Host
from engine.steps import Value


class Node(Protocol):
    """One worker OS process as its units see it: the router between hosts. `engine.node` implements it."""

    id: str
    catalog: Catalog

    def host(self, host_id: str) -> Host | None:
        """The host of that entry id on this node, or None."""
        ...

    def host_of(self, pid: str) -> Host | None:
        """The host that a pid belongs to, on this node or another, or None when malformed or unknown."""
        ...

    async def call(self, request: CallRequest) -> Value:
        """Run a function on this node (the actor host's `call`), with retries and timeouts of its options."""
        ...

    async def find(self, dest: str) -> str | None:
        """The pid that `dest` is or names, on this node or in the fleet, or None; UnitFailed: Unavailable."""
        ...

    async def link(self, pid: str, peer: str) -> None:
        """Let an actor of this node hold its side of a link with one of another; NotFound when it is gone."""
        ...

    async def unlink(self, pid: str, peer: str) -> None:
        """Undo `link`; whatever is gone has no link."""
        ...
