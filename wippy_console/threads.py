"""The ORM from coroutines: on pool threads, each call with a healthy connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from django.db import close_old_connections

T = TypeVar("T")


def in_thread(function: Callable[[], T]) -> Awaitable[T]:
    """Run `function`, which uses the ORM, on a pool thread: callers must not queue behind each other on one thread."""
    return asyncio.to_thread(partial(_with_connection, function))


def _with_connection(function: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return function()
    finally:
        close_old_connections()
