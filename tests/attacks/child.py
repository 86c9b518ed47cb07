"""Runs one attack here and prints its report: `python -m tests.attacks.child NAME KIND [SETTLE [ADDRESS]]`.

A process of its own: memory is counted for the whole of it, and what holds a thread for hours is ended with it.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable

from engine.errors import UnitFailed
from tests.attacks.corpus import attack
from tests.attacks.memory import forget_highest, highest, resident
from tests.attacks.report import Report
from tests.attacks.stage import Stage, stage

PATIENCE, SHORT_PATIENCE = 60.0, 10.0
"""An attack that still runs after so many seconds counts as `waiting`: sooner where that is how it may end."""
EVERY = 0.1
EVERY_WORKFLOW = 0.5


class Neighbour:
    """Makes a simple call every so often, whether the one before has come back or not."""

    def __init__(self, call: Callable[[int], Awaitable[None]], every: float) -> None:
        self._call = call
        self._every = every
        self._longest = 0.0
        self._due: dict[int, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Go on until cancelled."""
        number, due = 0, time.monotonic()
        while True:
            number, due = number + 1, due + self._every
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self._due[number] = due
            task = asyncio.create_task(self._one(number))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _one(self, number: int) -> None:
        await self._call(number)
        self._longest = max(self._longest, time.monotonic() - self._due.pop(number))

    def longest(self) -> float:
        """Seconds of the longest wait, also of calls that have not come back."""
        return max([self._longest, *(time.monotonic() - due for due in self._due.values())])


async def _ended(run: Awaitable[object], patience: float) -> tuple[str, str]:
    try:
        await asyncio.wait_for(run, patience)
    except UnitFailed as error:
        return error.failure.kind or "Unknown", error.failure.message
    except TimeoutError:
        return "waiting", ""
    return "returned", ""


async def _beside_neighbours(here: Stage, kind: str, patience: float, settle: float) -> Report:
    neighbours = [Neighbour(here.neighbour, EVERY)]
    if kind == "workflow":
        neighbours.append(Neighbour(here.neighbour_workflow, EVERY_WORKFLOW))
        await here.neighbour_workflow(0)
    await here.neighbour(0)
    gc.collect()
    before = resident()
    forget_highest()
    tasks = [asyncio.create_task(neighbour.run()) for neighbour in neighbours]
    began = time.monotonic()
    ended, text = await _ended(here.attack(kind), patience)
    seconds = time.monotonic() - began
    await asyncio.sleep(settle)  # what it left behind may still hurt, and memory is given back late
    wait = max(neighbour.longest() for neighbour in neighbours)
    for task in tasks:
        task.cancel()
    return Report(ended, seconds, before, highest(), resident(), wait, text[:200])


async def _main(name: str, kind: str, settle: str = "3", temporal: str = "") -> None:
    chosen = attack(name)
    patience = SHORT_PATIENCE if "waiting" in chosen.ends else PATIENCE
    async with stage(chosen, kind, temporal) as here:
        report = await _beside_neighbours(here, kind, patience, float(settle))
        sys.stdout.write(f"{report.dumped()}\n")
        sys.stdout.flush()
        os._exit(0)  # a thread may be held for hours


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(_main(*sys.argv[1:]))
