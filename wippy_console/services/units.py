"""Units on nodes: call functions, spawn processes, send messages, wait for ends; through Temporal.

`user` None is the command line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.client import WorkflowFailureError
from temporalio.common import RawValue
from temporalio.service import RPCError

from engine.contracts.host import CallRequest, SpawnRequest
from engine.entry import Entry
from engine.errors import ALREADY_EXISTS, NOT_FOUND, TIMEOUT, UNAVAILABLE, Failure, UnitFailed
from engine.hosts.temporal.node.client import NodeClient
from engine.hosts.temporal.settings import reference
from engine.hosts.temporal.wire.failures import from_exception
from engine.hosts.temporal.wire.payloads import decode
from engine.pids import Pid
from engine.registry.references import default_host
from wippy_console import permissions
from wippy_console.database.storable import storable
from wippy_console.services import fleet, registry, schemas, temporal
from wippy_console.services.errors import Conflict, NotFoundError, Refused, Unavailable
from wippy_console.services.runs.starting import WORKER, only
from wippy_console.services.runs.values import Started

PROCESS, PROCESS_HOST = "process.lua", "process.host"
CALLABLE = ("function.lua", "process.lua")

_MARGIN = 15.0

T = TypeVar("T")


def call(user: Any, entry_id: str, args: list[Any], timeout: float = 600, host: str = "") -> Any:
    """The value of a function, run once on some node; UnitFailed with the function's own failure.

    A process.lua runs on its `meta.default_host`, else on `host`, else on the only process.host; `timeout` in seconds.
    """
    _require(user, permissions.RAW_SIGNAL_RUN)
    entry = registry.entry(entry_id)
    if entry.kind not in CALLABLE:
        raise Refused(f"{entry_id} is a {entry.kind}, which can't be called.")
    schemas.refuse_oversize(args, "The arguments")
    request = CallRequest(entry_id, tuple(args), options=_options(entry, host))
    return temporal.run(_fleet().call(request, timeout=timedelta(seconds=timeout)), timeout + _MARGIN)


def spawn(user: Any, entry_id: str, host: str, args: list[Any], name: str = "") -> str:
    """The pid of a new process; `host` "" means the only process.host, `name` registers it."""
    return _told(_fleet().spawn(_process(user, entry_id, host, args, name)))


def run(user: Any, entry_id: str, host: str, args: list[Any], name: str = "", timeout: float = 600) -> tuple[str, Any]:
    """`spawn`, and wait for the end: the pid and the value, or the Failure in its place; `timeout` in seconds."""
    request = _process(user, entry_id, host, args, name)
    return temporal.run(_fleet().run(request, timeout=timedelta(seconds=timeout)), timeout + _MARGIN)


def _process(user: Any, entry_id: str, host: str, args: list[Any], name: str) -> SpawnRequest:
    _require(user, permissions.START_RUN)
    entry = registry.entry(entry_id)
    if entry.kind != PROCESS:
        raise Refused(f"{entry_id} is a {entry.kind}, not a {PROCESS}.")
    schemas.refuse_oversize(args, "The input")
    return SpawnRequest(entry_id, host or only(PROCESS_HOST, entry_id), args=tuple(args), name=name)


def send(user: Any, pid: str, topic: str, values: tuple[Any, ...], sender: str) -> None:
    """Send a message to a process, or a signal to a workflow; NotFoundError when it is not there."""
    _require(user, permissions.RAW_SIGNAL_RUN)
    parsed = Pid.parse(pid)
    if parsed is None:
        raise Refused(f"{pid!r} is no pid: it looks like {{client@worker|id}}, with its braces.")
    if _kind(parsed.host) == WORKER:
        host = temporal.host(parsed.host)
        _told(host.signal(parsed.uniq, topic, values, sender=sender, identity=sender))
    elif parsed.node and not fleet.is_alive(parsed.node):
        raise NotFoundError(f"{pid} is not here: its node does not run.")
    else:
        _told(_fleet().send(pid, topic, values, parsed.node, sender))


def result(started: Started, timeout: float | None = None) -> Any:
    """Wait for a run (and those that go on for it); its result, UnitFailed with its failure or as late."""
    pid = Pid.parse(started.pid)
    assert pid is not None
    client = temporal.client(pid.node)
    handle = client.get_workflow_handle(started.workflow_id, run_id=started.run_id or None, result_type=RawValue)
    try:
        found = temporal.run(asyncio.wait_for(handle.result(), timeout), timeout=None)
    except TimeoutError as error:
        raise UnitFailed(Failure(TIMEOUT, f"not done after {timeout:g} seconds", retryable=False)) from error
    except (WorkflowFailureError, RPCError) as error:
        raise UnitFailed(from_exception(error)) from error
    return storable(decode(found.payload))


def _require(user: Any, permission: str) -> None:
    if user is not None:
        permissions.require(user, permission)


def _options(entry: Entry, host: str) -> dict[str, Any]:
    if host:
        return {"default_host": host}
    if entry.kind != PROCESS or default_host(entry):
        return {}
    return {"default_host": only(PROCESS_HOST, entry.id)}


def _kind(entry_id: str) -> str:
    try:
        return registry.entry(entry_id).kind
    except NotFoundError:
        return ""


def _fleet() -> NodeClient:
    """By the client of a worker, since nodes are where workers are; Unavailable when no node is alive."""
    if not fleet.alive().exists():
        raise Unavailable("No worker is alive. Start one: manage.py worker.")
    workers = [entry for entry in registry.entries() if entry.kind == WORKER]
    clients = [reference(entry, "client") for entry in workers] or [only(temporal.CLIENT)]
    return NodeClient(temporal.client(clients[0]))


def reached(act: Callable[[NodeClient], Coroutine[Any, Any, T]]) -> T:
    """Ask nodes something; NotFoundError, Conflict, Refused, or Unavailable, which leaves open whether it was done."""
    return _told(act(_fleet()))


def _told(act: Coroutine[Any, Any, T]) -> T:
    """Failures of the node itself in the words of services."""
    try:
        return temporal.run(act, timeout=45)
    except UnitFailed as error:
        kinds = {NOT_FOUND: NotFoundError, UNAVAILABLE: Unavailable, ALREADY_EXISTS: Conflict}
        raise kinds.get(error.failure.kind, Refused)(error.failure.message) from error
