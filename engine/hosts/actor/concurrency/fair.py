"""A queue whose groups take turns, so that who queues much waits behind itself and not before others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """First come, first served within a group; of several groups each gives `turn` items, then the next."""

    def __init__(self, turn: int = 1) -> None:
        self._turn = turn
        self._groups: dict[str, deque[Item]] = {}
        self._order: deque[str] = deque()
        self._left = turn
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def push(self, item: Item, group: str) -> None:
        """Append an item to its group; a group without items goes behind all others."""
        self._size += 1
        queue = self._groups.get(group)
        if queue is not None:
            queue.append(item)
            return
        self._groups[group] = deque((item,))
        self._order.append(group)

    def push_first(self, item: Item, group: str) -> None:
        """As `push`, but before the others of its group."""
        self.push(item, group)
        self._groups[group].rotate()

    def keep(self, wanted: Callable[[Item], bool]) -> None:
        """Drop all items that are not wanted."""
        kept = {group: deque(filter(wanted, self._groups[group])) for group in self._order}
        self._groups = {group: queue for group, queue in kept.items() if queue}
        self._order = deque(group for group in self._order if group in self._groups)
        self._size = sum(map(len, self._groups.values()))
        self._left = self._turn

    def pop(self) -> Item:
        """Take the next item; IndexError when there is none."""
        group = self._order[0]
        queue = self._groups[group]
        item = queue.popleft()
        self._size -= 1
        self._left -= 1
        if not queue:
            del self._groups[group]
            self._order.popleft()
            self._left = self._turn
        elif self._left <= 0:
            self._order.rotate(-1)
            self._left = self._turn
        return item
