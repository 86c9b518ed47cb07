"""Temporal workers kept running: made, run, and made again when they fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from temporalio.service import RPCError
from temporalio.worker import Worker

from engine.errors import UnitFailed

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
EXPECTED = (UnitFailed, RPCError, RuntimeError)

Make = Callable[[], Awaitable[Sequence[Worker]]]


class Kept:
    """Some workers that belong together. `on_change` is called on the loop when `running` changes."""

    def __init__(self, name: str, queues: tuple[str, ...], make: Make, on_change: Callable[[], None]) -> None:
        self.name = name
        self.queues = queues
        self.running = False
        self._make = make
        self._on_change = on_change
        self._stopping = asyncio.Event()
        self._task = asyncio.create_task(self._keep(), name=f"keep {name}")

    async def stop(self) -> None:
        """Let running activities end within their grace, then return."""
        self._stopping.set()
        await asyncio.wait([self._task])

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                workers = await self._make()
                pause = FIRST_PAUSE
                await self._serve(workers)
            except EXPECTED as error:
                logger.warning("%s does not run, trying again in %g s: %s", self.name, pause, error)
            except Exception:
                logger.exception("%s broke, trying again in %g s", self.name, pause)
            if not self._stopping.is_set():
                await self._pause(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _serve(self, workers: Sequence[Worker]) -> None:
        """Run until told to stop, or until one fails, which ends the others as well."""
        runs = [asyncio.create_task(worker.run()) for worker in workers]
        stop = asyncio.create_task(self._stopping.wait())
        self._set_running(True)
        try:
            await asyncio.wait([*runs, stop], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._set_running(False)
            stop.cancel()
            await asyncio.gather(*(worker.shutdown() for worker in workers), return_exceptions=True)
            results = await asyncio.gather(*runs, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    def _set_running(self, running: bool) -> None:
        self.running = running
        self._on_change()
