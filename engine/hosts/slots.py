"""How many runs of one program step at once on a queue: stuck ones hold a few of its threads, not all, and a few cores.

Short steps lose nothing: as many as there are cores run, and one more. Who finds all places taken waits for one, unless
those who have them are slow: then his task fails and is tried again, and the thread is there for other programs.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

SLOW = 0.4
"""Seconds after which a step is slow; nine of ten tasks of runs take a hundredth of it."""
LOOK = 0.05


def places_of_this_machine() -> int:
    """As many as use all cores, and one more."""
    return (os.cpu_count() or 1) + 1


class Slots:
    """The places of all programs of a queue; from any thread, each in one place at a time."""

    def __init__(self, most: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most or places_of_this_machine()
        self._clock = clock
        self._lock = threading.Lock()
        self._programs: dict[str, _Places] = {}

    def enter(self, program: str) -> bool:
        """Take a place, perhaps after a while; False when there is none and all who have one are slow."""
        with self._lock:
            places = self._programs.get(program)
            if places is None:
                places = self._programs[program] = _Places(threading.Condition(self._lock))
            return self._take(places)

    def leave(self, program: str) -> None:
        """Give this thread's place back."""
        with self._lock:
            places = self._programs[program]
            del places.began[threading.get_ident()]
            if places.waiting:
                places.changed.notify()
            elif not places.began:
                del self._programs[program]

    def _take(self, places: _Places) -> bool:
        while len(places.began) >= self._most:
            if self._clock() >= max(places.began.values()) + SLOW:
                return False
            places.waiting += 1
            places.changed.wait(LOOK)
            places.waiting -= 1
        places.began[threading.get_ident()] = self._clock()
        return True


@dataclass(slots=True)
class _Places:
    """Those of one program: when each thread took its own, and how many wait for one."""

    changed: threading.Condition
    began: dict[int, float] = field(default_factory=dict)
    waiting: int = 0
