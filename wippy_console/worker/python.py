"""What Python functions run in on a worker: how they are found, and connections of the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.db import DatabaseError, InterfaceError, connections

from engine.errors import INTERNAL, Failure, UnitFailed
from engine.hosts.python.call import PythonCall
from engine.hosts.python.surroundings import Surroundings
from wippy_console.sdk.context import Context
from wippy_console.services.django_failures import failure_of

logger = logging.getLogger(__name__)


def surroundings(resolve: Any) -> Surroundings:
    """Those of this worker; `resolve(entry id, callable)` finds what entries name."""
    return Surroundings(
        resolve, Context, around=connected, around_async=connected_async, failure_of=failure_of, at_end=_close_all
    )


@contextmanager
def connected(call: PythonCall) -> Iterator[None]:
    """Sound connections before the call, none with an open transaction after it: UnitFailed tells of one."""
    _refresh()
    try:
        yield
    except BaseException:
        _tidied(call)
        raise
    left = _tidied(call)
    if left:
        raise UnitFailed(_left_open(left))


@asynccontextmanager
async def connected_async(call: PythonCall) -> AsyncIterator[None]:
    """A thread of its own for what the call does by `sync_to_async`, the ORM included; its connections end with it."""
    threads = ThreadPoolExecutor(1, "python function")
    try:
        async with ThreadSensitiveContext(executor=threads):
            yield
    except BaseException:
        threads.submit(_ended, call)
        raise
    else:
        left = await asyncio.wrap_future(threads.submit(_ended, call))
        if left:
            raise UnitFailed(_left_open(left))
    finally:
        threads.shutdown(wait=False)


def _refresh() -> None:
    for connection in connections.all(initialized_only=True):
        connection.close_if_unusable_or_obsolete()


def _tidied(call: PythonCall) -> str:
    """Roll back what is left open and close what is old; the names of the databases where something was."""
    found = []
    for connection in connections.all(initialized_only=True):
        try:
            if _is_open(connection):
                found.append(connection.alias)
                _drop(connection)
            else:
                connection.close_if_unusable_or_obsolete()
        except Exception as error:
            logger.warning("%s left a connection that can't be used: %s", call, error)
            _drop(connection)
    if found:
        logger.warning("%s left a transaction open: rolled back", call)
    return ", ".join(found)


def _is_open(connection: Any) -> bool:
    """Whether a transaction is under way, by Django's count or the driver's own."""
    raw = connection.connection
    if raw is None:
        return bool(connection.in_atomic_block)
    if connection.in_atomic_block or not connection.autocommit:
        return True
    if connection.vendor == "sqlite":
        return bool(raw.in_transaction)
    return connection.vendor == "postgresql" and raw.info.transaction_status.name in ("ACTIVE", "INTRANS", "INERROR")


def _drop(connection: Any) -> None:
    """Close it, which rolls back, and forget it with all that Django thinks of its transaction."""
    with suppress(Exception):
        if connection.connection is not None:
            connection.connection.close()
    with suppress(AttributeError):
        del connections[connection.alias]


def _ended(call: PythonCall) -> str:
    """What `_tidied` finds; the thread ends."""
    found = _tidied(call)
    _close_all()
    return found


def _close_all() -> None:
    with suppress(DatabaseError, InterfaceError):
        connections.close_all()


def _left_open(where: str) -> Failure:
    text = f"the function left a transaction open on {where}: what it wrote there was rolled back"
    return Failure(INTERNAL, text, retryable=False)
