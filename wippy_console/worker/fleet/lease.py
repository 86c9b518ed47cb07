"""The lease on the services: one node of the fleet holds it, and runs all of them.

They are singletons, and start and stop in the order in which they require each other: that is kept where all are
in one place. A node that stops releases the lease; that of one that dies falls with its heartbeat, at once
where its successor is on the same machine.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from django.db import DatabaseError, InterfaceError

from wippy_console.database.threads import in_thread
from wippy_console.services import claims
from wippy_console.services.errors import Unavailable

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
KEY = "all"


class ServiceLease:
    """Taken when it is free. `changed` is awaited after each change; `doubtful` says that others may hold it.

    A database that is down leaves the lease where it is, unless that is doubtful: a node alone goes on.
    """

    def __init__(self, node_id: str, changed: Callable[[], Awaitable[None]], doubtful: Callable[[], bool]) -> None:
        self._node_id = node_id
        self._changed = changed
        self._doubtful = doubtful
        self._held = False

    @property
    def held(self) -> bool:
        """Whether this node holds it."""
        return self._held

    def may_run(self, entry_id: str) -> bool:
        """Whether this node runs the service (`Supervisor`)."""
        return self._held

    async def acquire(self) -> None:
        """Take it if it is free; on the loop, as all of this."""
        try:
            claim = await in_thread(partial(claims.acquire, claims.SERVICE, KEY, self._node_id))
            held = claim.node_id == self._node_id
        except (DatabaseError, InterfaceError, Unavailable) as error:
            logger.warning("who holds the lease on services can't be read: %s", error)
            held = self._held and not self._doubtful()
        if held != self._held:
            self._held = held
            logger.info("services run %s", "here" if held else "on another node")

    async def run(self) -> None:
        """Try every half second, until cancelled."""
        while True:
            before = self._held
            await self.acquire()
            if self._held != before:
                await self._changed()
            await asyncio.sleep(POLL_SECONDS)

    async def release(self) -> None:
        """Let another node take it: this one's services have stopped."""
        self._held = False
        try:
            await in_thread(partial(claims.release, claims.SERVICE, self._node_id))
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the lease on services falls with the heartbeat: %s", error)
