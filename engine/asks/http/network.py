"""The thread on which requests are made: a peer that sends crumbs, or a long list of headers, stalls no unit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

Result = TypeVar("Result")

CLOSING_SECONDS = 2.0
TURNS = 3
"""Of the loop, until sockets that are closed are so."""


class Network:
    """A loop on a thread of its own, which begins with the first work."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    async def run(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """The result of work there; canceled with whoever waits."""
        return await asyncio.wrap_future(self._begin(work))

    def leave(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Let work be done there, waited for by nobody."""
        if self._loop is not None:
            self._begin(work)

    def _begin(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Future[Result]:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="http", daemon=True)
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(work(), self._loop)

    async def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Cancel what is under way, do the last work, end the thread."""
        loop, thread, self._loop = self._loop, self._thread, None
        if loop is None or thread is None:
            return
        ending = asyncio.run_coroutine_threadsafe(_end(last), loop)
        try:
            await asyncio.wait_for(asyncio.wrap_future(ending), CLOSING_SECONDS)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            await asyncio.to_thread(thread.join, CLOSING_SECONDS)
            if not thread.is_alive():
                loop.close()


async def _end(last: Callable[[], Coroutine[Any, Any, None]]) -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await last()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    await asyncio.get_running_loop().shutdown_asyncgens()
