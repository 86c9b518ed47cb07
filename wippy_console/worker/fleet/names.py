"""Names that one unit of the fleet holds: an `engine.contracts.fleet_names.FleetNames` over the claims of nodes.

Nothing is cached, so the table alone says who holds a name: a node that can't read it answers Unavailable, and a
holder whose node is taken for dead is none any more, whatever it believes. The holder hears nothing of it; one that
must know whether it still is asks `lookup`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from django.db import DatabaseError, InterfaceError

from engine.errors import UNAVAILABLE, Failure, UnitFailed, invalid
from wippy_console.database.storable import storable_text
from wippy_console.database.threads import in_thread
from wippy_console.models import Claim
from wippy_console.services import claims
from wippy_console.services.errors import Unavailable

logger = logging.getLogger(__name__)

LONGEST = 500
RETRY_SECONDS = 1.0

T = TypeVar("T")


class DatabaseNames:
    """The names of the fleet as one node claims and finds them; used on the loop."""

    def __init__(self, node_id: str) -> None:
        self._node_id = node_id
        # One at a time: a process that starts in the place of another finds the name of that free.
        self._lock = asyncio.Lock()

    async def claim(self, name: str, pid: str) -> str:
        """Give the name to `pid` unless it is held; the holder."""
        if len(name) > LONGEST or storable_text(name) != name:
            raise UnitFailed(invalid(f"a name in the fleet is a text of at most {LONGEST} characters"))
        return (await self._do(partial(claims.acquire, claims.NAME, name, self._node_id, pid))).pid

    async def lookup(self, name: str) -> str | None:
        """The pid that holds the name now."""
        if len(name) > LONGEST or storable_text(name) != name:
            return None
        claim: Claim | None = await self._do(partial(claims.holder, claims.NAME, name))
        return claim.pid if claim else None

    async def release(self, name: str) -> bool:
        """Free the name, whichever node claimed it."""
        return await self.lookup(name) is not None and await self._do(partial(claims.revoke, claims.NAME, name))

    async def drop(self, pid: str) -> None:
        """Free what a unit that ended had; waits for a database that is down."""
        while True:
            try:
                await self._do(partial(claims.release, claims.NAME, self._node_id, pid=pid))
            except UnitFailed as error:
                logger.warning("the names of %s can't be freed, trying again: %s", pid, error)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _do(self, work: Callable[[], T]) -> T:
        async with self._lock:
            try:
                return await in_thread(work)
            except (DatabaseError, InterfaceError, Unavailable) as error:
                failure = Failure(UNAVAILABLE, f"names of the fleet can't be reached: {error}", retryable=True)
                raise UnitFailed(failure) from error
