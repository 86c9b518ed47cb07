"""Has a node follow the registry: looks for a new version, and makes the node as that wants it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Set

from engine.entry import Entry
from engine.node import LocalNode
from engine.registry.changes import diff
from engine.registry.kinds import PYTHON_FUNCTION
from wippy_console.services import python_functions
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
        self._left_out: Set[str] = frozenset()

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
        self._say_what_is_left_out()

    def _say_what_is_left_out(self) -> None:
        """An app that is taken away leaves entries that name its code."""
        entries = self._catalog.entries(PYTHON_FUNCTION)
        found = {each.id: text for each in entries if (text := python_functions.left_out(each))}
        if found.keys() - self._left_out:
            first, text = next(iter(found.items()))
            logger.warning("%s (of %d such entries): %s", first, len(found), text)
        self._left_out = found.keys()

    def _announce(self, version: int) -> None:
        """Tell the units what changed since the last version that this node saw; the first one tells nothing."""
        before, self._announced = self._announced, self._catalog.state(version)
        if before is not None:
            self._node.announce(diff(before, self._announced))
