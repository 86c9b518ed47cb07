"""A fleet in memory: for tests, and for several nodes in one OS process."""

from __future__ import annotations

from collections.abc import Callable


class MemoryFleet:
    """A `Directory` whose nodes come and go as they are added and removed. Used on the loop."""

    def __init__(self) -> None:
        self._alive: set[str] = set()
        self._callbacks: list[Callable[[str], None]] = []

    def add(self, node_id: str) -> None:
        """The node runs."""
        self._alive.add(node_id)

    def remove(self, node_id: str) -> None:
        """The node stopped or died; everybody hears of it."""
        if node_id in self._alive:
            self._alive.remove(node_id)
            for callback in self._callbacks:
                callback(node_id)

    async def is_alive(self, node_id: str) -> bool:
        """Whether the node was added and not removed."""
        return node_id in self._alive

    def on_lost(self, callback: Callable[[str], None]) -> None:
        """Call back with the id of each node that is removed."""
        self._callbacks.append(callback)
