"""Answers as they come: one look at the table, for all requests of this process that wait for one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from wippy_console.hooks import pool
from wippy_console.services.hooks import calling

logger = logging.getLogger(__name__)

PAUSE = 0.05
"""Between two looks."""


Look = Callable[[list[UUID]], set[UUID]]
"""Which of the deliveries have what is waited for."""


class Arrivals:
    """On the loop of the web process."""

    def __init__(self) -> None:
        self._awaited: dict[Look, dict[UUID, asyncio.Event]] = {calling.arrived: {}, calling.coming: {}}
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def of(self, delivery_id: UUID, look: Look) -> Iterator[asyncio.Task[Any]]:
        """Done when that look finds it."""
        event = self._awaited[look][delivery_id] = asyncio.Event()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        waiting = asyncio.create_task(event.wait())
        try:
            yield waiting
        finally:
            waiting.cancel()
            self._awaited[look].pop(delivery_id, None)

    async def _look(self) -> None:
        await asyncio.sleep(PAUSE)
        while any(self._awaited.values()):
            for look, awaited in self._awaited.items():
                if awaited:
                    await self._tell(look, awaited)
            await asyncio.sleep(PAUSE)

    async def _tell(self, look: Look, awaited: dict[UUID, asyncio.Event]) -> None:
        ids = list(awaited)
        try:
            found = await pool.run(lambda: look(ids))
        except (DatabaseError, InterfaceError, pool.Crowded) as error:
            logger.warning("the database does not answer, looking again: %s", error)
            return
        for delivery_id in found:
            if (event := awaited.pop(delivery_id, None)) is not None:
                event.set()


arrivals = Arrivals()
