"""A queue of facts that never blocks its producers and never grows without bound."""

from __future__ import annotations

import threading
from collections import deque

from engine.hosts.temporal.observations import Observation
from wippy_console.services.projection.facts import Fact


class Mailbox:
    """Thread-safe. When more than `capacity` facts wait, a run's older observations give way to its newest.

    Nothing else is dropped: the newest observation holds the whole state, so what is lost is only that a run
    passed through a wait quickly. What remains is bounded by the number of runs in motion.
    """

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._facts: deque[Fact] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, fact: Fact) -> None:
        """Add a fact."""
        with self._changed:
            self._facts.append(fact)
            if len(self._facts) > self._capacity:
                self._shrink()
            self._changed.notify()

    def take(self, limit: int, timeout: float) -> list[Fact]:
        """Up to `limit` facts, oldest first; none when nothing came in `timeout` seconds."""
        with self._changed:
            if not self._facts and not self._closed:
                self._changed.wait(timeout)
            return [self._facts.popleft() for _ in range(min(limit, len(self._facts)))]

    def close(self) -> None:
        """Wake whoever waits; what is queued can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._facts)

    def _shrink(self) -> None:
        """Keep each run's newest observation, then allow twice what is left, so that this stays rare."""
        seen = [fact for fact in self._facts if isinstance(fact, Observation)]
        newest = {fact.run_id: fact for fact in seen}
        first = {fact.run_id: fact for fact in seen if fact.input is not None}
        kept = {id(fact) for fact in (*newest.values(), *first.values())}
        self._facts = deque(fact for fact in self._facts if not isinstance(fact, Observation) or id(fact) in kept)
        self._capacity = max(self._capacity, 2 * len(self._facts))
