"""What Python functions run in on a worker: how they are found, connections of the database, exceptions of Django."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import DatabaseError, InterfaceError, OperationalError, connections
from django.http import Http404

from engine.errors import INTERNAL, INVALID, NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE, Failure, UnitFailed
from engine.hosts.python.call import PythonCall
from engine.hosts.python.surroundings import Surroundings
from wippy_console.sdk.context import Context

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


def failure_of(error: BaseException) -> Failure | None:
    """The failures that exceptions of Django stand for."""
    match error:
        case ValidationError():
            details = error.message_dict if hasattr(error, "error_dict") else {}
            return Failure(INVALID, ", ".join(error.messages), retryable=False, details=details)
        case ObjectDoesNotExist() | Http404():
            return Failure(NOT_FOUND, str(error), retryable=False)
        case PermissionDenied():
            return Failure(PERMISSION_DENIED, str(error) or "permission denied", retryable=False)
        case OperationalError() | InterfaceError() if not _is_mistaken(error):
            return Failure(UNAVAILABLE, f"the database: {error}", retryable=True)
        case _:
            return None


def _is_mistaken(error: BaseException) -> bool:
    """SQLite says of a wrong statement what others say of a server that is down."""
    cause = error.__cause__
    return isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) == sqlite3.SQLITE_ERROR


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
