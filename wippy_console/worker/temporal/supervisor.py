"""Supervises Temporal workers: makes them, runs them, and makes them again when they fail."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from temporalio.service import RPCError
from temporalio.worker import Worker

from engine.durations import SECOND
from engine.errors import UnitFailed
from engine.hosts.actor.supervision.state import FAILED, RUNNING, STARTING, STOPPED, STOPPING, ServiceState
from engine.hosts.temporal.client.connections import brief

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
EXPECTED = (UnitFailed, RPCError, RuntimeError)

Make = Callable[[], Awaitable[Sequence[Worker]]]


class WorkerSupervisor:
    """Some workers that belong together, for one entry. `on_change` is called on the loop when `state` changed."""

    def __init__(
        self,
        entry_id: str,
        kind: str,
        queues: tuple[str, ...],
        make: Make,
        on_change: Callable[[WorkerSupervisor], None],
    ) -> None:
        self.queues = queues
        self.running = asyncio.Event()
        self.state = ServiceState(entry_id, STARTING, time.time_ns(), kind=kind)
        self._make = make
        self._on_change = on_change
        self._stopping = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name=f"supervise {kind} {entry_id}")

    async def stop(self) -> None:
        """Let running activities end within their grace, then return."""
        self._stopping.set()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        self._change(STARTING)
        while not self._stopping.is_set():
            try:
                workers = await self._make_unless_stopped()
                pause = FIRST_PAUSE
                await self._serve(workers)
            except EXPECTED as error:
                logger.warning("%s does not run, trying again in %g s: %s", self.state.entry_id, pause, brief(error))
                self._change(FAILED, error=brief(error), pause=pause)
            except Exception as error:
                logger.exception("%s broke, trying again in %g s", self.state.entry_id, pause)
                self._change(FAILED, error=f"{type(error).__name__}: {error}", pause=pause)
            if not self._stopping.is_set():
                await self._pause(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        self._change(STOPPED)

    async def _make_unless_stopped(self) -> Sequence[Worker]:
        """The workers, or none when there is no need of them any more: what they wait for may never come."""
        making = asyncio.ensure_future(self._make())
        stop = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([making, stop], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if making.done():
            return making.result()
        making.cancel()
        return ()

    async def _serve(self, workers: Sequence[Worker]) -> None:
        """Run until told to stop, or until one fails, which ends the others as well."""
        if not workers:
            return
        runs = [asyncio.create_task(worker.run()) for worker in workers]
        stop = asyncio.create_task(self._stopping.wait())
        self._change(RUNNING)
        try:
            await asyncio.wait([*runs, stop], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._change(STOPPING)
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

    def _change(self, state: str, *, error: str = "", pause: float = 0.0) -> None:
        now, before = time.time_ns(), self.state
        restarts = before.restarts + (before.state == FAILED)
        attempt = now + round(pause * SECOND) if pause else 0
        self.state = ServiceState(before.entry_id, state, now, "", restarts, error, attempt, kind=before.kind)
        if state == RUNNING:
            self.running.set()
        else:
            self.running.clear()
        self._on_change(self)
