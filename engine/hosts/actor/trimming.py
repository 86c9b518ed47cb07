"""Gives memory back to the operating system after a burst: glibc keeps what thousands of ended units leave."""

from __future__ import annotations

import threading
from collections.abc import Callable

from engine.heap import LEAST, PAUSE, malloc_trim
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.budget import Budget
from engine.hosts.actor.concurrency.loop import LoopBridge
from engine.steps import Exited

DELAY = 1.0


class Trimmer:
    """Trims when less than half of the most is left, on a thread of its own; a while later at the earliest again."""

    def __init__(self, bridge: LoopBridge, budget: Budget, trim: Callable[[], None] | None = None) -> None:
        self._bridge = bridge
        self._budget = budget
        self._trim = trim or malloc_trim()
        self._resting = False

    def at_end(self, actor: Actor, exited: Exited) -> None:
        """See whether it is time; with the lock held."""
        if self._trim is not None and not self._resting and self._has_fallen():
            self._resting = True
            self._bridge.timer(DELAY, self._begin)  # the threads have units to close yet

    def _has_fallen(self) -> bool:
        budget = self._budget
        return budget.high - budget.total >= LEAST and budget.total < budget.high / 2

    def _begin(self) -> None:
        self._budget.forget_high()
        threading.Thread(target=self._trim, name="trim", daemon=True).start()
        self._bridge.timer(PAUSE, self._look_again)

    def _look_again(self) -> None:
        self._resting = False
        if self._has_fallen():
            self._resting = True
            self._begin()
