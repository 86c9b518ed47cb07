"""Fetches what observations leave open: how a run began, and how it ended once its last step is taken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from temporalio.service import RPCError

from engine.contracts.catalog import Catalog
from engine.errors import UnitFailed
from wippy_console.services.projection import (
    Clients,
    Fact,
    Ref,
    Vanished,
    Written,
    fetch_beginning,
    fetch_ending,
    is_gone,
)

logger = logging.getLogger(__name__)

AT_ONCE = 8
# A run's last step is observed a moment before the server records the end.
CLOSING_PAUSES = (0.03, 0.1, 0.3, 1.0)


class Followup:
    """All on the node's loop but `after`, which the projection's thread calls. What fails is left to the reconciler."""

    def __init__(self, catalog: Catalog, clients: Clients, offer: Callable[[Fact], None]) -> None:
        self._catalog = catalog
        self._clients = clients
        self._offer = offer
        self._loop = asyncio.get_running_loop()
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}

    def after(self, written: Written) -> None:
        """Follow up what a batch left open; from any thread."""
        if written.closing or written.incomplete:
            self._loop.call_soon_threadsafe(self._take, written)

    def begin_soon(self, ref: Ref) -> None:
        """Fetch how the run began."""
        self._do("begin", ref, self._begin(ref))

    def close_soon(self, ref: Ref) -> None:
        """Fetch how the run ended; nothing comes of it when it has not."""
        self._do("close", ref, self._close(ref, (0.0,)))

    async def settle(self, seconds: float) -> None:
        """Wait for what is under way, `seconds` at most, then drop the rest."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=seconds)
        for task in self._tasks.values():
            task.cancel()

    def _take(self, written: Written) -> None:
        for ref in written.incomplete:
            self.begin_soon(ref)
        for ref in written.closing:
            self._do("closing", ref, self._close(ref, CLOSING_PAUSES))

    def _do(self, what: str, ref: Ref, work: Coroutine[Any, Any, None]) -> None:
        """One task for each thing to fetch: asking again while it runs changes nothing."""
        key = (what, ref.run_id)
        if key in self._tasks:
            work.close()
            return
        task = self._tasks[key] = asyncio.create_task(self._guarded(work, ref), name=f"{what} {ref.workflow_id}")
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    async def _guarded(self, work: Coroutine[Any, Any, None], ref: Ref) -> None:
        try:
            await work
        except (RPCError, UnitFailed, RuntimeError) as error:
            logger.info("could not fetch %s from Temporal, the reconciler will: %s", ref.workflow_id, error)
        except Exception:
            logger.exception("could not follow up %s", ref.workflow_id)

    async def _begin(self, ref: Ref) -> None:
        async with self._gate:
            client = await self._clients.client(ref.client)
            try:
                self._offer(await fetch_beginning(self._catalog, client, ref))
            except RPCError as error:
                if not is_gone(error):
                    raise

    async def _close(self, ref: Ref, pauses: tuple[float, ...]) -> None:
        client = await self._clients.client(ref.client)
        for pause in pauses:
            await asyncio.sleep(pause)
            async with self._gate:
                try:
                    ended = await fetch_ending(self._catalog, client, ref)
                except RPCError as error:
                    if not is_gone(error):
                        raise
                    self._offer(Vanished(ref.run_id, datetime.now(UTC)))
                    return
            if ended is not None:
                self._offer(ended)
                return
