"""Has a node follow the registry: looks for a new version, and makes the node as that wants it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from engine.entry import Entry
from engine.node import LocalNode
from engine.registry.changes import diff
from wippy_console.services.registry import DatabaseCatalog

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.25


class RegistryFollower:
    """`follow` is awaited after each new version, when hosts and units of the node know it."""

    def __init__(self, catalog: DatabaseCatalog, node: LocalNode, follow: Callable[[], Awaitable[None]]) -> None:
        self._catalog = catalog
        self._node = node
        self._follow = follow
        self._published = asyncio.Event()
        self._announced: Mapping[str, Entry] | None = None

    def on_publish(self) -> None:
        """A unit of this node published: hosts are there when it goes on, the rest follows at once. On the loop."""
        self._node.reconcile()
        self._published.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        followed = -1
        while True:
            try:
                version = await asyncio.to_thread(self._catalog.version)
                if version != followed:
                    await self._take(version)
                    followed = version
            except Exception:
                logger.exception("could not follow the registry, trying again")
            await self._pause()

    async def _pause(self) -> None:
        """Until it is time to look at the registry again."""
        try:
            await asyncio.wait_for(self._published.wait(), POLL_SECONDS)
        except TimeoutError:
            return
        self._published.clear()

    async def _take(self, version: int) -> None:
        """Hosts before services, since those run on hosts."""
        logger.info("registry version %s", version)
        self._node.reconcile()
        await asyncio.to_thread(self._announce, version)
        await self._follow()

    def _announce(self, version: int) -> None:
        """Tell the units what changed since the last version that this node saw; the first one tells nothing."""
        before, self._announced = self._announced, self._catalog.state(version)
        if before is not None:
            self._node.announce(diff(before, self._announced))
