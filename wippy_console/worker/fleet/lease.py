"""Which node runs the services: one of the fleet, all of them.

They are singletons, and start and stop in the order in which they require each other: that is kept where all are
in one place. When the node stops it gives its turn back; when it dies, the turn falls with its heartbeat, at once
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

LOOK_SECONDS = 0.5
KEY = "all"


class Turn:
    """Whether it is this node's. `changed` is awaited after each change; `doubtful` says that others may have it.

    A database that is down leaves the turn where it is, unless that is doubtful: a node alone goes on.
    """

    def __init__(self, node_id: str, changed: Callable[[], Awaitable[None]], doubtful: Callable[[], bool]) -> None:
        self._node_id = node_id
        self._changed = changed
        self._doubtful = doubtful
        self._mine = False

    @property
    def mine(self) -> bool:
        """Whether it is this node's."""
        return self._mine

    def may_run(self, entry_id: str) -> bool:
        """Whether this node runs the service (`Supervisor`)."""
        return self._mine

    async def look(self) -> None:
        """Take the turn if it is free; on the loop, as all of this."""
        try:
            claim = await in_thread(partial(claims.take, claims.SERVICE, KEY, self._node_id))
            mine = claim.node_id == self._node_id
        except (DatabaseError, InterfaceError, Unavailable) as error:
            logger.warning("whose turn it is to run services can't be read: %s", error)
            mine = self._mine and not self._doubtful()
        if mine != self._mine:
            self._mine = mine
            logger.info("services run %s", "here" if mine else "on another node")

    async def keep(self) -> None:
        """Look every half second, until cancelled."""
        while True:
            before = self._mine
            await self.look()
            if self._mine != before:
                await self._changed()
            await asyncio.sleep(LOOK_SECONDS)

    async def give_back(self) -> None:
        """Let another node have it: this one's services have stopped."""
        self._mine = False
        try:
            await in_thread(partial(claims.give_back, claims.SERVICE, self._node_id))
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the turn to run services falls with the heartbeat: %s", error)
