"""The loop: about once a second, one look at each Temporal client that is in use."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial

from django.db import DatabaseError, InterfaceError
from temporalio.service import RPCError

from engine.contracts.catalog import Catalog
from engine.errors import UnitFailed
from wippy_console.database.threads import in_thread
from wippy_console.services import batches, clock, fleet, notifications, outgoing, subscriptions
from wippy_console.services.decisions import resume_pending
from wippy_console.services.errors import Unavailable
from wippy_console.services.hooks import later
from wippy_console.services.projection import Clients, Fact, describe_some
from wippy_console.services.reconciler.follower import Follower, Followup
from wippy_console.services.visibility import clients_in_use

logger = logging.getLogger(__name__)

PERIOD = 1.0
LONGEST_PAUSE = 15.0


class Reconciler:
    """Runs on the node's loop; does nothing while another node leads."""

    def __init__(
        self, node_id: str, catalog: Catalog, clients: Clients, followup: Followup, offer: Callable[[Fact], None]
    ) -> None:
        self._node_id = node_id
        self._catalog = catalog
        self._clients = clients
        self._followup = followup
        self._offer = offer
        self._followers: dict[str, Follower] = {}
        self._pauses: dict[str, tuple[float, float]] = {}
        self._beside: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        try:
            while True:
                began = time.monotonic()
                await self._poll()
                await asyncio.sleep(max(0.1, PERIOD - (time.monotonic() - began)))
        finally:
            self._drop_followers()
            for task in self._beside.values():
                task.cancel()

    async def _poll(self) -> None:
        """One look; whatever fails is said and tried again."""
        try:
            if await in_thread(fleet.leader) != self._node_id:
                self._drop_followers()
                return
            await self._compare_after_losses()
            await asyncio.gather(*(self._step(client_id) for client_id in clients_in_use(self._catalog)))
            self._start_beside("batches", batches.tick)
            self._start_beside("outgoing", outgoing.tick)
            self._start_beside("deliveries", later.tick)
            self._start_beside("subscriptions", subscriptions.tick)
            await in_thread(clock.tick)
            await in_thread(notifications.deliver)
            await in_thread(resume_pending)
            await in_thread(partial(describe_some, self._catalog))
        except Unavailable as unavailable:
            logger.warning("Temporal does not answer, trying again: %s", unavailable)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the database does not answer, trying again: %s", error)
        except Exception:
            logger.exception("the reconciler stumbled; trying again")

    def _start_beside(self, name: str, tick: Callable[[], object]) -> None:
        """A slice beside all else: an act may wait long for its Temporal, and due dates and messages must not."""
        if name not in self._beside or self._beside[name].done():
            self._beside[name] = asyncio.create_task(self._do_beside(name, tick), name=name)

    async def _do_beside(self, name: str, tick: Callable[[], object]) -> None:
        try:
            await in_thread(tick)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the database does not answer, %s: it waits: %s", name, error)
        except Exception:
            logger.exception("%s stumbled; trying again", name)

    async def _compare_after_losses(self) -> None:
        """A node that died may have lost observations."""
        if await in_thread(fleet.announce_silent):
            for follower in self._followers.values():
                follower.compare_again()

    async def _step(self, client_id: str) -> None:
        """One step of one client; a Temporal that does not answer is asked less and less often."""
        wait_until, pause = self._pauses.get(client_id, (0.0, PERIOD))
        if time.monotonic() < wait_until:
            return
        try:
            await self._follower(client_id).step()
        except (RPCError, UnitFailed, RuntimeError) as error:
            logger.warning("Temporal (%s) does not answer, trying again in %g s: %s", client_id, pause, error)
            self._pauses[client_id] = (time.monotonic() + pause, min(pause * 2, LONGEST_PAUSE))
        else:
            self._pauses.pop(client_id, None)

    def _follower(self, client_id: str) -> Follower:
        if client_id not in self._followers:
            self._followers[client_id] = Follower(client_id, self._catalog, self._clients, self._followup, self._offer)
        return self._followers[client_id]

    def _drop_followers(self) -> None:
        for follower in self._followers.values():
            follower.stop()
        self._followers.clear()
