"""What one unit does outside of its node, and holds there: made with its first operation, ended with the unit."""

from __future__ import annotations

import asyncio
import logging

from engine.asks.operations import Closer, Held
from engine.contracts.operation import CLOSING_SECONDS
from engine.contracts.operations import Doing
from engine.hosts.actor.concurrency.loop import LoopBridge
from engine.steps import Value

logger = logging.getLogger(__name__)

MOST_LISTED = 8
"""Of the operations of a unit; the oldest are."""


class Outside:
    """The operations and handles of one unit. `tasks` and `held` are the loop's, all else is guarded by the lock."""

    __slots__ = ("_bridge", "_closer", "_doing", "_pid", "entry", "held", "tasks")

    def __init__(self, bridge: LoopBridge, closer: Closer, pid: str, entry: str) -> None:
        self.entry = entry
        self.held = Held(closer, f"{pid} ({entry})")
        self.tasks: set[asyncio.Task[Value]] = set()
        self._bridge = bridge
        self._closer = closer
        self._pid = pid
        self._doing: dict[int, Doing] = {}

    # --- under the lock --------------------------------------------------------------------------

    def begun(self, seq: int, doing: Doing) -> None:
        """An operation is under way."""
        self._doing[seq] = doing

    def over(self, seq: int) -> None:
        """It is not any more, or never was."""
        self._doing.pop(seq, None)

    def doing(self) -> tuple[tuple[Doing, ...], int]:
        """The oldest operations, and how many there are."""
        some = [each for each, _ in zip(self._doing.values(), range(MOST_LISTED), strict=False)]
        return tuple(some), len(self._doing)

    def end(self) -> None:
        """The unit has ended: when its operations have, close what it holds. From any thread."""
        self._bridge.post(self._begin_end)

    # --- on the loop -----------------------------------------------------------------------------

    def _begin_end(self) -> None:
        self.held.refuse()
        if self.tasks or len(self.held):
            self._closer.keep(self._end())

    async def _end(self) -> None:
        if self.tasks:
            _, stuck = await asyncio.wait(self.tasks, timeout=CLOSING_SECONDS)
            if stuck:
                logger.error("%d operations of %s (%s) do not end", len(stuck), self._pid, self.entry)
        await self.held.end()
