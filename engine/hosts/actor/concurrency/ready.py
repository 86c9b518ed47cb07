"""Who is ready to run, and who must wait though a thread is free: what already holds its share of the threads.

A step that never ends holds its thread until the watch interrupts it, and a core with it: what starts many of them
may hold so many threads and no more. Who comes next of the same family or program is held, all others pass by.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.hosts.actor.concurrency.fair import FairQueue

Item = TypeVar("Item")

Turn = tuple[Item, str, str]
"""What runs or wants to, its family and its program."""
Share = tuple[str, str]
"""What shares a bound: (family, ""), ("", program) or (family, program)."""

TURN = 8  # time slices of one family before the next
MOST_CORES = 32  # what one family may use of a larger machine


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most steps at once: of a family; of one program in it, so that its other programs have a thread left;
    and of one program in all families together."""

    family: int
    program_of_family: int
    program: int


def bounds_of_this_machine() -> Bounds:
    """As many as use all cores, and one or two more."""
    cores = min(os.cpu_count() or 1, MOST_CORES)
    return Bounds(cores + 2, cores + 1, 2 * cores + 4)


class ReadyQueue(Generic[Item]):
    """Families take turns. Its length is that of what may be tried: what is held does not count."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._fair: FairQueue[Turn[Item]] = FairQueue(TURN)
        self._running: list[Turn[Item]] = []
        self._held: dict[Share, deque[Turn[Item]]] = {}

    def __len__(self) -> int:
        return len(self._fair)

    def push(self, item: Item, family: str, program: str) -> None:
        """Queue an item behind those of its family; one without a program is never held."""
        self._fair.push((item, family, program), family)

    def pop(self) -> Turn[Item] | None:
        """Take the next that may run, which counts as running until `done`; None when none may."""
        while self._fair:
            turn = self._fair.pop()
            full = self._full(turn)
            if full is None:
                self._running.append(turn)
                return turn
            self._held.setdefault(full, deque()).append(turn)
            self._let_go(turn)  # it was let go in the place of another, which may do what it can't
        return None

    def done(self, turn: Turn[Item]) -> bool:
        """It runs no more. Whether others were held: one that it stood in the way of is tried again."""
        self._running.remove(turn)
        if not self._held:
            return False
        self._let_go(turn)
        return True

    def _full(self, turn: Turn[Item]) -> Share | None:
        """The first share of the turn that has no room, None when all have."""
        if len(self._running) < self._bounds.program_of_family:  # the least of the bounds
            return None
        return next((share for share in _shares(turn) if not self._has_room(share)), None)

    def _has_room(self, share: Share) -> bool:
        family, program = share
        running = sum(1 for _, of, runs in self._running if runs and family in ("", of) and program in ("", runs))
        return running < self._bound(share)

    def _bound(self, share: Share) -> int:
        match share:
            case (_, ""):
                return self._bounds.family
            case ("", _):
                return self._bounds.program
            case _:
                return self._bounds.program_of_family

    def _let_go(self, turn: Turn[Item]) -> None:
        """Try one of each share of the turn that has room."""
        for share in _shares(turn):
            if (held := self._held.get(share)) and self._has_room(share):
                released = held.popleft()
                self._fair.push_first(released, released[1])
                if not held:
                    del self._held[share]


def _shares(turn: Turn[Item]) -> Iterator[Share]:
    _, family, program = turn
    if program:
        yield family, program
        yield "", program
        yield family, ""
