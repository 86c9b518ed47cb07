"""Workers with background tasks: whichever of them fails ends the worker, with its reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from temporalio.worker import Worker

BackgroundTask = Callable[[], Coroutine[Any, Any, None]]


class WorkerWithBackground(Worker):
    """A worker and its background tasks; `background` is set before it runs."""

    background: tuple[BackgroundTask, ...] = ()

    async def run(self) -> None:
        """Run until shut down, or until a background task fails; raises what it raised."""
        background: asyncio.Future[Any] = asyncio.gather(*(task() for task in self.background))
        running: asyncio.Future[Any] = asyncio.ensure_future(super().run())
        try:
            await asyncio.wait([running, background], return_when=asyncio.FIRST_COMPLETED)
            if not running.done() and background.exception() is not None:
                await self.shutdown()
            await running
            if background.done():
                background.result()
        finally:
            background.cancel()
            running.cancel()
            await asyncio.gather(running, background, return_exceptions=True)
