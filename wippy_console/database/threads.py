"""The ORM from coroutines: on a few threads of its own, each with a connection that stays open and healthy."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import TypeVar

from asgiref.sync import SyncToAsync, sync_to_async
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, connections

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0

T = TypeVar("T")

THREADS = 4

_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="orm")


def in_thread(function: Callable[[], T]) -> Awaitable[T]:
    """Run `function`, which uses the ORM, on one of the threads."""
    return asyncio.get_running_loop().run_in_executor(_threads, partial(_with_connection, function))


def begin(function: Callable[[], T], threads: ThreadPoolExecutor) -> Future[T]:
    """Run `function`, which uses the ORM, on one of other threads."""
    return threads.submit(_with_connection, function)


async def in_thread_persistently(function: Callable[[], T]) -> T:
    """The same, again and again as long as the database does not answer."""
    while True:
        try:
            return await in_thread(function)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the database does not answer, trying again: %s", error)
            await asyncio.sleep(RETRY_SECONDS)


async def let_go_of_request() -> None:
    """Give back the thread that Django keeps for a request until it is answered, with its connection: a stream of
    events is answered for hours, and uses neither. What Django wants to do on it afterwards gets a new one.
    """
    await sync_to_async(connections.close_all)()
    context = SyncToAsync.thread_sensitive_context.get(None)
    executor = SyncToAsync.context_to_thread_executor.pop(context, None) if context is not None else None
    if executor is not None:
        executor.shutdown(wait=False)


def settle(seconds: float) -> None:
    """Wait until all that was begun is done, and close the connections; for tests, whose database others empty next."""
    met = Barrier(THREADS + 1)

    def end() -> None:
        connections.close_all()
        met.wait(seconds)

    for _ in range(THREADS):
        _threads.submit(end)
    met.wait(seconds)


def _with_connection(function: Callable[[], T]) -> T:
    """A connection that failed is dropped. SQLite's stays: to open it costs more than most queries."""
    if connection.vendor != "sqlite":
        close_old_connections()
    try:
        return function()
    except (DatabaseError, InterfaceError):
        connection.close()
        raise
    finally:
        if connection.vendor != "sqlite":
            close_old_connections()
