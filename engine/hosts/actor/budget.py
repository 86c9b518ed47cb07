"""What the units of a node hold: bytes of memory by host, kept as they step, and what is refused for it."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from engine.errors import Failure
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.failures import memory_full
from engine.steps import Exited

FIRST = 320 << 10
"""What a unit counts until its first step has ended, so that a burst of spawns is seen while it comes."""
BESIDE = 96 << 10
"""What a unit takes beside its Lua memory: Python's part of it, and what the allocator can't use (measured)."""
CGROUP = Path("/sys/fs/cgroup/memory.max")


class Budget:
    """Guarded by the lock of the `Table`. `limit` is that of the node, in bytes.

    Processes may fill three quarters of it, those of one host half unless its entry says otherwise: a quarter is left
    to function calls. What one family calls may fill a quarter, so that its neighbours are not refused.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.total = 0
        self.high = 0
        """The most since `forget_high`."""
        self._used: Counter[str] = Counter()
        self._calls: Counter[str] = Counter()

    def used(self, host_id: str) -> int:
        """Bytes of all units of a host."""
        return self._used[host_id]

    def of_host(self, wanted: int) -> int:
        """The most of a host whose entry wants so much; 0 means that it says nothing."""
        return wanted or self.limit // 2

    def no_process(self, host_id: str, limit: int) -> Failure | None:
        """Why one more process of a host with that limit can't start now, if so."""
        if self._used[host_id] + FIRST > limit:
            return memory_full(f"host '{host_id}'", limit)
        most = self.limit * 3 // 4
        return memory_full("node", most) if self.total + FIRST > most else None

    def no_call(self, family: str) -> Failure | None:
        """Why one more function called by a unit of that family can't start now, if so."""
        share = self.limit // 4
        if self._calls[family] + FIRST > share:
            return memory_full("the caller's share of the node", share)
        return memory_full("node", self.limit) if self.total + FIRST > self.limit else None

    def enter(self, actor: Actor, size: int = 0) -> None:
        """Count a unit that is about to begin with `size` bytes, with all that its program may have above the default.

        It counts so until its first step has ended: who asks for much most likely takes it at once.
        """
        asked = min(actor.program.limits.memory << 20, actor.limits.most_memory)
        self._set(actor, FIRST + size + max(0, asked - actor.limits.max_memory))

    def weigh(self, actor: Actor, lua: int) -> None:
        """Count what a unit holds after a step, `lua` bytes of Lua memory, and what waits for it. None once ended."""
        if not actor.ended:
            self._set(actor, lua + BESIDE + actor.waiting_bytes)

    def leave(self, actor: Actor, exited: Exited) -> None:
        """Count a unit no more."""
        self._set(actor, 0)

    def forget_high(self) -> None:
        """Begin to look for the highest anew."""
        self.high = self.total

    def _set(self, actor: Actor, size: int) -> None:
        change = size - actor.memory
        actor.memory = size
        self._used[actor.host_id] += change
        self.total += change
        if actor.kind == "function":
            self._count_call(actor.family, change)
        self.high = max(self.high, self.total)

    def _count_call(self, family: str, change: int) -> None:
        self._calls[family] += change
        if not self._calls[family]:
            del self._calls[family]


def half_of_the_machine() -> int:
    """Half of the memory that this machine, or the container that we are in, has; in bytes."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        allowed = CGROUP.read_text().strip()
    except OSError:
        allowed = "max"
    return min(physical, int(allowed) if allowed.isdecimal() else physical) // 2
