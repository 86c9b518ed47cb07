"""Gives memory back to the operating system after a burst of runs, whose units no budget of a host counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine.heap import LEAST, PAUSE, free_bytes, malloc_trim

LOOK_SECONDS = 2.0


class Bursts:
    """Tells when much more is free than was; what was given back stays free, as glibc counts."""

    def __init__(self, free: Callable[[], int]) -> None:
        self._free = free
        self._low = free()

    def over(self) -> bool:
        """Whether a burst has ended since the last that this said."""
        now = self._free()
        if now - self._low < LEAST:
            self._low = min(self._low, now)
            return False
        self._low = now
        return True


async def trim_after_bursts() -> None:
    """Look now and then, for ever; at once done where there is no glibc."""
    free, trim = free_bytes(), malloc_trim()
    if free is None or trim is None:
        return
    bursts = Bursts(free)
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if bursts.over():
            await asyncio.to_thread(trim)
            await asyncio.sleep(PAUSE)
