"""Workers with work beside them: whatever of it fails ends the worker, with its reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

from engine.errors import UNAVAILABLE, Failure, UnitFailed

Work = Callable[[], Coroutine[Any, Any, None]]


class TendedWorker(Worker):
    """A worker and the work beside it; `beside` is set before it runs."""

    beside: tuple[Work, ...] = ()

    async def run(self) -> None:
        """Run until shut down, or until some work beside it fails; raises what it raised."""
        beside: asyncio.Future[Any] = asyncio.gather(*(work() for work in self.beside))
        running: asyncio.Future[Any] = asyncio.ensure_future(super().run())
        try:
            await asyncio.wait([running, beside], return_when=asyncio.FIRST_COMPLETED)
            if not running.done() and beside.exception() is not None:
                await self.shutdown()
            await running
            if beside.done():
                beside.result()
        finally:
            beside.cancel()
            running.cancel()
            await asyncio.gather(running, beside, return_exceptions=True)


async def check_health(client: Client, interval: timedelta) -> None:
    """Ask the server for its health at each interval; raises Unavailable when it fails twice in a row."""
    failed = False
    while True:
        await asyncio.sleep(interval.total_seconds())
        try:
            healthy, why = await client.service_client.check_health(timeout=interval), "it is not serving"
        except RPCError as error:
            healthy, why = False, error.message
        if not healthy and failed:
            address = client.service_client.config.target_host
            raise UnitFailed(Failure(UNAVAILABLE, f"Temporal at {address} is not healthy: {why}", retryable=True))
        failed = not healthy
