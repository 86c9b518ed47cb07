"""Timers by deadline, with one timer of the loop for all: a hundred thousand may wait, and be due at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count

from engine.hosts.actor.concurrency.lock import OwnedLock

logger = logging.getLogger(__name__)

Callback = Callable[[], object]

PORTION = 256
"""Timers that go off in one turn of the loop."""
LINGERING = 128
"""So many stopped ones may stay, or as many as there are others."""


class Timer:
    """One callback to come. It is small: the garbage collector looks at each of them."""

    __slots__ = ("callback", "deadline", "waits")

    def __init__(self, deadline: float, callback: Callback) -> None:
        self.deadline = deadline
        self.callback: Callback | None = callback
        self.waits = False


class Deadlines:
    """Calls back with the lock held. On the loop, but for `Timer.callback`: whoever holds the lock may take it away."""

    def __init__(self, lock: OwnedLock) -> None:
        self._lock = lock
        self._heap: list[tuple[float, int, Timer]] = []
        self._numbers = count()
        self._stopped = 0
        self._alarm: asyncio.TimerHandle | None = None

    def add(self, loop: asyncio.AbstractEventLoop, timer: Timer) -> None:
        """Wait for a timer, unless it was stopped already."""
        if timer.callback is None:
            return
        timer.waits = True
        heappush(self._heap, (timer.deadline, next(self._numbers), timer))
        if self._alarm is None or timer.deadline < self._alarm.when():
            self._set(loop)

    def stopped(self, timer: Timer) -> None:
        """A timer lost its callback: a long one does not linger when there are many."""
        if not timer.waits:
            return
        timer.waits = False
        self._stopped += 1
        if self._stopped > LINGERING and self._stopped * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].callback is not None]
            heapify(self._heap)
            self._stopped = 0

    def clear(self) -> None:
        """Forget all: the loop is about to go away."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm, self._heap, self._stopped = None, [], 0

    def _set(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = loop.call_at(self._heap[0][0], self._ring, loop) if self._heap else None

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for _ in range(PORTION):
            if not self._heap or self._heap[0][0] > now:
                break
            self._go_off(heappop(self._heap)[2])
        self._set(loop)

    def _go_off(self, timer: Timer) -> None:
        if not timer.waits:
            self._stopped -= 1
        timer.waits = False
        with self._lock:
            callback, timer.callback = timer.callback, None
            if callback is None:
                return
            try:
                callback()
            except Exception:
                logger.exception("a timer of the actor host failed")
