"""Asks Temporal for a page: of several things at once, each answer in time, or in words why there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar

from temporalio.client import Client
from temporalio.service import RPCError

from engine.errors import UnitFailed
from engine.hosts.temporal.wire.failures import from_exception
from wippy_console.services import temporal
from wippy_console.services.by_kind import CLIENT

K = TypeVar("K")
T = TypeVar("T")

PATIENCE_SECONDS = 2.0
"""So long a page waits for all of them together."""


async def each_in_time(keys: Collection[K], ask: Callable[[K], Any]) -> dict[K, Any]:
    """The answer of the coroutine `ask(key)` for each key, or in words that it is late; on the loop of `temporal`."""
    tasks = {key: asyncio.create_task(ask(key)) for key in keys}
    if not tasks:
        return {}
    await asyncio.wait(tasks.values(), timeout=PATIENCE_SECONDS)
    late = f"Temporal did not answer within {PATIENCE_SECONDS:g} seconds."
    found = {key: task.result() if task.done() else late for key, task in tasks.items()}
    for task in tasks.values():
        task.cancel()
    return found


async def or_why_not(client_id: str, ask: Callable[[Client], Awaitable[T]]) -> T | str:
    """What `ask` finds out by the client of a `temporal.client` entry, or in words why it can't."""
    entry = temporal.catalog().entry(client_id)
    if entry is None or entry.kind != CLIENT:
        return f"There is no {CLIENT} {client_id} any more."
    try:
        return await ask(await temporal.connected(entry))
    except RPCError as error:
        return from_exception(error).message
    except UnitFailed as error:
        return error.failure.message
    except (RuntimeError, OSError) as error:
        return str(temporal.translated(error))
