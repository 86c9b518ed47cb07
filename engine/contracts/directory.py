"""The contract of the directory: which nodes of the fleet run. A node alone needs none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Directory(Protocol):
    """Which nodes run. What it says may be old by a moment; that a node is lost is final for whoever heard of it."""

    async def is_alive(self, node_id: str) -> bool:
        """Whether that node runs, as far as is known."""
        ...

    def on_lost(self, callback: Callable[[str], None]) -> None:
        """Call back on the loop with the id of each node that ran and does so no more: it stopped, or it died."""
        ...
