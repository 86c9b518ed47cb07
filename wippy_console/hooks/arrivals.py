"""Answers that come in pieces: one look at the table, for all requests of this process that wait for one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from wippy_console.hooks import pool
from wippy_console.services.hooks import calling

logger = logging.getLogger(__name__)

PAUSE = 0.05
FIRST_LOOK = 0.1
"""Most answers are there before."""


class Arrivals:
    """On the loop of the web process."""

    def __init__(self) -> None:
        self._awaited: dict[UUID, asyncio.Event] = {}
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def of(self, delivery_id: UUID) -> Iterator[asyncio.Event]:
        """Set when the answer begins to come in pieces."""
        event = self._awaited[delivery_id] = asyncio.Event()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            yield event
        finally:
            self._awaited.pop(delivery_id, None)

    async def _look(self) -> None:
        await asyncio.sleep(FIRST_LOOK)
        while self._awaited:
            try:
                begun = await pool.run(lambda: calling.streaming(list(self._awaited)))
            except (DatabaseError, InterfaceError) as error:
                logger.warning("the database does not answer, looking again: %s", error)
                begun = set()
            for delivery_id in begun:
                if (event := self._awaited.pop(delivery_id, None)) is not None:
                    event.set()
            await asyncio.sleep(PAUSE)


arrivals = Arrivals()
