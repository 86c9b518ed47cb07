"""The ORM from coroutines: on a few threads of its own, each with a connection that stays open and healthy."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

T = TypeVar("T")

_threads = ThreadPoolExecutor(4, thread_name_prefix="orm")


def in_thread(function: Callable[[], T]) -> Awaitable[T]:
    """Run `function`, which uses the ORM, on one of the threads."""
    return asyncio.get_running_loop().run_in_executor(_threads, partial(_with_connection, function))


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
