"""Sockets that are open in this process, told to come back when it restarts.

Daphne drops its sockets without a close frame at SIGTERM. The code is 4012, not WebSocket's own 1012:
Daphne's library refuses to send any code but 1000 and 3000 to 4999.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

logger = logging.getLogger(__name__)

RESTART = 4012
FLUSH_SECONDS = 0.2


class Closable(Protocol):
    """A consumer."""

    async def close(self, code: int) -> None:
        """Send a close frame."""
        ...


open_sockets: set[Closable] = set()


def close_on_shutdown() -> None:
    """Before the server's reactor stops, close all sockets with 4012; does nothing under another server."""
    import sys  # noqa: PLC0415

    reactor: Any = sys.modules.get("twisted.internet.reactor")
    if reactor is None:
        return
    reactor.addSystemEventTrigger("before", "shutdown", _deferred_close)


def _deferred_close() -> Any:
    from twisted.internet.defer import Deferred  # noqa: PLC0415

    return Deferred.fromFuture(asyncio.ensure_future(_close_all()))


async def _close_all() -> None:
    for socket in tuple(open_sockets):
        try:
            await socket.close(RESTART)
        except Exception:
            logger.debug("a socket was gone already", exc_info=True)
    await asyncio.sleep(FLUSH_SECONDS)
