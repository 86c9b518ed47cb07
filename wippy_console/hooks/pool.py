"""Threads of their own for requests to `/hooks/`: however many come, pages have theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from wippy_console.database.threads import begin
from wippy_console.services.errors import Unavailable

T = TypeVar("T")

BEGUN_WITHIN = 10.0
"""Seconds; whoever waits longer for a thread is told to come again, and nothing was done."""
CROWDED = "There is more to do than can be done now. Nothing was changed. Try again in a moment."

_short = ThreadPoolExecutor(8, thread_name_prefix="hooks")
_acting = ThreadPoolExecutor(16, thread_name_prefix="hooks acting")


class Crowded(Unavailable):
    """No thread was free in time."""


async def run(function: Callable[[], T]) -> T:
    """Run what asks the database; Crowded, or what the database raises. Once begun it is not broken off."""
    return await _done(begin(function, _short))


async def act(function: Callable[[], T]) -> T:
    """Run what asks Temporal, which may take long to say that it does not answer."""
    return await _done(begin(function, _acting))


async def _done(begun: Future[T]) -> T:
    future = asyncio.wrap_future(begun)
    done, _ = await asyncio.wait({future}, timeout=BEGUN_WITHIN)
    if not done and begun.cancel():
        raise Crowded(CROWDED)
    return await asyncio.shield(future)
