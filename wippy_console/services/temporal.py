"""Temporal's client for synchronous code: an event loop thread per OS process, a client per temporal.client entry."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from django.conf import settings
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from engine.entry import Entry
from engine.errors import UNAVAILABLE, UnitFailed
from engine.hosts.temporal.client.connections import ADDRESS_VARIABLE, NAMESPACE_VARIABLE, Clients
from engine.hosts.temporal.client.host import WorkflowHost
from engine.hosts.temporal.settings import KeysOf, no_keys, worker_settings
from engine.hosts.temporal.wire.outages import in_words, is_raw
from wippy_console.env import variables_for_entries
from wippy_console.services.by_kind import CLIENT
from wippy_console.services.errors import NotFoundError, Unavailable
from wippy_console.services.registry import DatabaseCatalog
from wippy_console.services.temporal_doubt import Doubt

T = TypeVar("T")

logger = logging.getLogger(__name__)

TIMEOUT = 15.0
SHORT_SECONDS = 1.5
"""What a server may take that is only asked whether it answers."""

# Statuses that don't say whether the request had its effect, a connection that broke under it among them.
_SILENCE = {
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.UNKNOWN,
    RPCStatusCode.INTERNAL,
    RPCStatusCode.ABORTED,
    RPCStatusCode.DATA_LOSS,
}


def environ() -> dict[str, str]:
    """What client entries may refer to: the environment, with the address and namespace that this installation uses."""
    ours = {ADDRESS_VARIABLE: settings.TEMPORAL_ADDRESS, NAMESPACE_VARIABLE: settings.TEMPORAL_NAMESPACE}
    return {**variables_for_entries(), **ours}


class _Connections:
    """The loop thread of one OS process and what lives on it."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.catalog = DatabaseCatalog()
        self.clients = Clients(environ())
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="temporal-client", daemon=True)
        self._thread.start()

    def wait_for(self, coro: Coroutine[Any, Any, T], timeout: float | None) -> T:
        """Wait for the coroutine, which runs on the loop thread."""
        if threading.current_thread() is self._thread:
            coro.close()
            raise AssertionError("temporal.run would wait for itself: await the coroutine instead")
        future = asyncio.run_coroutine_threadsafe(coro, self._loop)
        try:
            return future.result(timeout)
        except concurrent.futures.TimeoutError as error:
            if not future.cancel():  # the coroutine itself raised it
                raise
            raise Unavailable(f"Temporal did not answer within {timeout:g} seconds.") from error

    def begin(self, coro: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Start the coroutine on the loop thread."""
        return asyncio.run_coroutine_threadsafe(coro, self._loop)

    def stop(self) -> None:
        """End the thread; the clients' connections go with their last reference."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()
        self.catalog.close()


class _Holder:
    """Makes the connections when they are first needed, and anew in a forked process, which has no such thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: _Connections | None = None

    def get(self) -> _Connections:
        """The connections of this OS process."""
        with self._lock:
            if self._held is None or self._held.process != os.getpid():
                self._held = _Connections()
            return self._held

    def drop(self) -> None:
        """Stop them; the next `get` makes new ones."""
        with self._lock:
            old, self._held = self._held, None
        if old is not None and old.process == os.getpid():
            old.stop()


_holder = _Holder()
_doubt = Doubt()


def reset() -> None:
    """Drop thread and clients; the next use makes new ones. For tests, which change registries under it."""
    _holder.drop()
    _doubt.end()


def doubt() -> None:
    """Ask in short, for a while, before anything else is asked: Temporal was seen not to answer."""
    _doubt.begin()


def catalog() -> DatabaseCatalog:
    """The registry as this process's client side sees it."""
    return _holder.get().catalog


def run(coro: Coroutine[Any, Any, T], timeout: float | None = TIMEOUT) -> T:
    """Run `coro` on the loop thread and wait, with `timeout` None for as long as it takes.

    Raises what it raises, but a Temporal that can't be reached, or is late, is `Unavailable`. Late does not
    mean undone: a request that timed out may still have its effect.
    """
    try:
        return _holder.get().wait_for(coro, timeout)
    except Unavailable:
        _doubt.begin()
        raise
    except (RPCError, UnitFailed, RuntimeError, OSError) as error:
        better = translated(error)
        if better is error:
            raise
        _doubt.begin()
        raise better from error


def begin(coro: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
    """Start `coro` on the loop thread, which bounds its own time; for what is asked beside something else."""
    return _holder.get().begin(coro)


def translated(error: Exception) -> Exception:
    """`Unavailable` for an error that says that Temporal can't be reached, else the error itself."""
    match error:
        case RPCError(status=status) if status in _SILENCE:
            return Unavailable(_silent(error.message))
        case UnitFailed(failure=failure) if failure.kind == UNAVAILABLE:
            return Unavailable(f"{failure.message.rstrip('.')}.")
        case RuntimeError() if "Failed client connect" in str(error):
            return Unavailable(_silent(str(error)))
        case OSError():
            return Unavailable(_silent(str(error)))
    return error


def _silent(said: str) -> str:
    """Why it is silent, in words; the log has what a transport says."""
    if not is_raw(said):
        return f"Temporal does not answer: {said.rstrip('.')}."
    logger.warning("Temporal can't be reached: %s", said)
    return f"Temporal {in_words(said)}."


async def connected(entry: Entry) -> Client:
    """The client of an entry, for coroutines that `run` runs; raises UnitFailed."""
    return await _holder.get().clients.of(entry)


def host(worker_id: str, keys: KeysOf = no_keys) -> WorkflowHost:
    """The client side of a temporal.worker entry, `keys` for those who start by it; NotFoundError, Unavailable."""
    try:
        found = worker_settings(catalog(), worker_id, strict=settings.STRICT_SECURITY, keys=keys)
    except UnitFailed as error:
        raise NotFoundError(f"There is no usable worker {worker_id}: {error}.") from error
    return WorkflowHost(client(found.client), found)


def client(client_id: str) -> Client:
    """The connected client of a temporal.client entry; NotFoundError, Unavailable (Away: at once)."""
    entry = catalog().entry(client_id)
    if entry is None or entry.kind != CLIENT:
        raise NotFoundError(f"The registry has no {CLIENT} {client_id}.")
    _doubt.refuse_away(client_id, lambda: run(_answers(entry), SHORT_SECONDS))
    try:
        return run(_holder.get().clients.of(entry))
    except UnitFailed as error:
        raise Unavailable(str(error)) from error


async def _answers(entry: Entry) -> None:
    found = await _holder.get().clients.of(entry)
    await found.workflow_service.get_system_info(GetSystemInfoRequest())
