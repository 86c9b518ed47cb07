"""When a child counts as ready."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Coroutine
from typing import Any

from asgiref.sync import sync_to_async

from wippy_console.services import fleet
from wippy_console.supervision.children.child import Child, ChildDied

PATIENCE = 60.0


async def ready_or_dead(child: Child, ready: Coroutine[Any, Any, None], patience: float = PATIENCE) -> None:
    """Wait until the child is ready; raises ChildDied or TimeoutError, each naming the child."""
    waiting = asyncio.ensure_future(ready)
    death = asyncio.ensure_future(child.until_dead())
    try:
        done, _ = await asyncio.wait({waiting, death}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            raise TimeoutError(f"{child.spec.name} was not ready after {patience:g} s; see {child.log.path}")
        await (death if death in done else waiting)
    finally:
        waiting.cancel()
        death.cancel()
        await asyncio.gather(waiting, death, return_exceptions=True)


async def web_answers(listener: socket.socket) -> None:
    """Wait for the first answer of the web process.

    Asked once: the socket listens already, so the request waits until the web process takes it.
    """
    host, port = listener.getsockname()[:2]
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f"GET /login/ HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
    status_line = (await reader.readline()).decode()
    writer.close()
    if not re.match(r"HTTP/1\.1 [234]", status_line):
        raise ChildDied(f"web answers {status_line.strip() or 'nothing'}; see its log")


async def node_registered(child: Child) -> None:
    """Wait until the worker's node is in the table with a fresh heartbeat."""
    while not await sync_to_async(_node_is_fresh)(child.process.pid):
        await asyncio.sleep(0.1)


def _node_is_fresh(os_pid: int) -> bool:
    return fleet.alive().filter(os_pid=os_pid).exists()
