"""Which nodes run, as their heartbeats say: an `engine.contracts.directory.Directory` over the database."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial

from django.db import DatabaseError, InterfaceError

from wippy_console.database.threads import in_thread
from wippy_console.services import fleet
from wippy_console.worker.fleet.machine import is_running, machine_id

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
# After an outage of the database every heartbeat is old: each node has time for its next one.
GRACE_SECONDS = 5.0


class DatabaseDirectory:
    """Used on the loop. While the database does not answer, all is taken to be as it was."""

    def __init__(self) -> None:
        self._alive: set[str] = set()
        self._callbacks: list[Callable[[str], None]] = []
        self._trusts_from = 0.0

    async def run(self) -> None:
        """Refresh every half second, until cancelled."""
        while True:
            try:
                await self.refresh()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("the nodes can't be read, trying again: %s", error)
                self._trusts_from = time.monotonic() + GRACE_SECONDS
            await asyncio.sleep(POLL_SECONDS)

    async def refresh(self) -> None:
        """Read which nodes run, and call back for each that does so no more."""
        before = set(self._alive)
        found = await in_thread(_alive_nodes)
        if time.monotonic() < self._trusts_from:
            found |= before
        # Whoever was asked for meanwhile may be newer than what was found.
        self._alive = found | (self._alive - before)
        for node_id in sorted(before - found):
            logger.info("node %s runs no more", node_id)
            for callback in self._callbacks:
                callback(node_id)

    def knows_others(self, node_id: str) -> bool:
        """Whether another node than that one ran when this was last known."""
        return bool(self._alive - {node_id})

    async def is_alive(self, node_id: str) -> bool:
        """Whether the node runs. One that was not seen yet may have just come: the database knows."""
        if node_id in self._alive:
            return True
        try:
            known = await in_thread(partial(fleet.is_alive, node_id))
        except (DatabaseError, InterfaceError) as error:
            logger.warning("whether %s runs can't be read: %s", node_id, error)
            return True
        if known:
            self._alive.add(node_id)
        return known

    def on_lost(self, callback: Callable[[str], None]) -> None:
        """Call back with the id of each node that ran and does so no more."""
        self._callbacks.append(callback)


def _alive_nodes() -> set[str]:
    fleet.expire_killed(machine_id(), is_running)
    return set(fleet.alive().values_list("id", flat=True))
