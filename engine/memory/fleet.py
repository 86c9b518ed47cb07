"""A fleet in memory: for tests, and for several nodes in one OS process."""

from __future__ import annotations

from collections.abc import Callable

from engine.contracts.fleet_names import FleetNames


class MemoryFleet:
    """A `Directory` whose nodes come and go as they are added and removed. Used on the loop."""

    def __init__(self) -> None:
        self._names: dict[str, tuple[str, str]] = {}
        self._alive: set[str] = set()
        self._callbacks: list[Callable[[str], None]] = []

    def add(self, node_id: str) -> None:
        """The node runs."""
        self._alive.add(node_id)

    def remove(self, node_id: str) -> None:
        """The node stopped or died; everybody hears of it."""
        if node_id in self._alive:
            self._alive.remove(node_id)
            self.forget(lambda node, _: node == node_id)
            for callback in self._callbacks:
                callback(node_id)

    async def is_alive(self, node_id: str) -> bool:
        """Whether the node was added and not removed."""
        return node_id in self._alive

    def on_lost(self, callback: Callable[[str], None]) -> None:
        """Call back with the id of each node that is removed."""
        self._callbacks.append(callback)

    def names(self, node_id: str) -> FleetNames:
        """The names of the fleet, for one of its nodes."""
        return _Names(node_id, self._names, self.forget)

    def forget(self, which: Callable[[str, str], bool]) -> None:
        """Free the names of which (node, pid) is one of those."""
        for name in [name for name, holder in self._names.items() if which(*holder)]:
            del self._names[name]


class _Names:
    """`FleetNames` of one node: (node, pid) by name."""

    def __init__(
        self, node_id: str, names: dict[str, tuple[str, str]], forget: Callable[[Callable[[str, str], bool]], None]
    ) -> None:
        self._node_id = node_id
        self._names = names
        self._forget = forget

    async def claim(self, name: str, pid: str) -> str:
        return self._names.setdefault(name, (self._node_id, pid))[1]

    async def lookup(self, name: str) -> str | None:
        return self._names[name][1] if name in self._names else None

    async def release(self, name: str) -> bool:
        return self._names.pop(name, None) is not None

    async def drop(self, pid: str) -> None:
        self._forget(lambda node, holder: (node, holder) == (self._node_id, pid))
