"""What people do to processes and services: spawn, run, message, cancel, terminate; start and stop; and calls.

By the console or at the command line, by the same rights and checks. Each leaves an OPERATION row, but for calls, which
leave none. A `key` is made once per drawn form: the same one again has no second effect, and is a Conflict.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from engine.contracts.host import CallRequest, SpawnRequest
from engine.entry import Entry, namespace_of
from engine.errors import TIMEOUT, UnitFailed
from engine.hosts.temporal.wire.requests import START, STOP
from engine.registry.references import default_host
from wippy_console import permissions
from wippy_console.database.storable import storable
from wippy_console.models import Process, Service
from wippy_console.services import accounts, audit, by_kind, feed, masking, registry, schemas, secrets
from wippy_console.services.by_kind import FUNCTIONS, PROCESS, PROCESS_HOST
from wippy_console.services.errors import NotFoundError, Refused, Unavailable
from wippy_console.services.processes import nodes, reading

SPAWN, MESSAGE, CANCEL, TERMINATE, RESTART = "spawn", "message", "cancel", "terminate", "restart"
SERVICE_ACTS = {START: permissions.START_RUN, RESTART: permissions.START_RUN, STOP: permissions.CANCEL_RUN}

NOT_KNOWN = "It is not known whether it was done: look before you do it again."
_NAME_LENGTH = 500
_RESERVED = "@"


@dataclass(slots=True)
class _Operation:
    """What the row will tell."""

    action: str
    data: Mapping[str, Any]
    pid: str = ""
    entry_id: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a call, as JSON: `took` in seconds, and its value or its failure (`Failure.to_json`)."""

    took: float
    value: Any = None
    failure: Any = None


def spawnable(user: Any) -> list[Entry]:
    """The process.lua entries that the user may spawn."""
    return by_kind.entries_for(user, permissions.START_RUN, PROCESS)


def spawn(
    user: Any, entry_id: str, host: str, args: list[Any], *, name: str = "", node: str = "", key: str = ""
) -> str:
    """The pid of a new process, or of the live one that has the name; `node` "" means any, `host` "" the only one near.

    Raises PermissionDenied; Refused (`fields` by path of the first argument, `host`, `name`); NotFoundError;
    Conflict; Unavailable.
    """
    request = _new_process(user, entry_id, host, args, name)
    with _recorded(user, _spawning(request, node)) as operation:
        operation.pid = nodes.ask(lambda client: client.spawn(request, node, key))
    return operation.pid


def run(
    user: Any, entry_id: str, host: str, args: list[Any], *, name: str = "", timeout: float = 600
) -> tuple[str, Any]:
    """`spawn`, and wait for the end: the pid and the value, or the Failure in its place; `timeout` in seconds.

    Raises UnitFailed, too, when the node refuses it or it is late.
    """
    request, limit = _new_process(user, entry_id, host, args, name), timedelta(seconds=timeout)
    with _recorded(user, _spawning(request)) as operation:
        operation.pid, ended = nodes.wait_for(lambda client: client.run(request, timeout=limit), timeout)
    return operation.pid, masking.told(user, entry_id, ended)


def call(
    user: Any, entry_id: str, args: list[Any], timeout: float = 600, context: Mapping[str, Any] | None = None
) -> Any:
    """The value of a function, run once on some node; UnitFailed with the function's own failure.

    A process.lua runs on its `meta.default_host`, else on the only process.host; `timeout` in seconds;
    `context` is what `ctx` reads in it and in all that it calls.
    """
    permissions.require(user, permissions.RAW_SIGNAL_RUN, namespace_of(entry_id))
    entry = registry.entry(entry_id)
    if entry.kind not in (*FUNCTIONS, PROCESS):
        raise Refused(f"{entry_id} is a {entry.kind}, which can't be called.")
    schemas.refuse_input(entry, args)
    request = CallRequest(entry_id, tuple(args), options=_call_options(entry), context=context or {})
    found = nodes.wait_for(lambda client: client.call(request, timeout=timedelta(seconds=timeout)), timeout)
    return masking.told(user, entry_id, found)


def trial(user: Any, entry_id: str, args: list[Any], seconds: float) -> Trial:
    """Call a function to see what it does; nothing is recorded as a run. Its own failure is a value here.

    Raises PermissionDenied; Refused (`paths` of the first argument); NotFoundError; Unavailable.
    """
    began = time.monotonic()
    try:
        value = call(user, entry_id, args, seconds)
    except UnitFailed as error:
        failure = storable(masking.told(user, entry_id, error.failure))
        return Trial(took=time.monotonic() - began, failure=failure)
    return Trial(took=time.monotonic() - began, value=storable(value))


def callable_by(user: Any, entry: Entry) -> bool:
    """Whether the user may call it."""
    return entry.kind in FUNCTIONS and permissions.allows(user, permissions.RAW_SIGNAL_RUN, entry.namespace)


def message(user: Any, pid: str, topic: str, *payload: Any, key: str = "") -> None:
    """Send a message with one JSON value, or with none; Refused names `topic` or `payload`."""
    _require(user, permissions.SIGNAL_RUN, pid)
    schemas.refuse_topic(topic, _RESERVED)
    schemas.refuse_unsendable(payload, "The payload")
    sender = accounts.identity(user)
    with _recorded(user, _on_process(MESSAGE, pid, topic=topic, payload=payload[0] if payload else None)) as on:
        nodes.ask(lambda client: client.send(pid, topic, payload, on.node, sender, key))


def cancel(user: Any, pid: str, reason: str, *, key: str = "") -> None:
    """Ask a process to stop (CANCEL); what it does then is its own affair."""
    _require(user, permissions.CANCEL_RUN, pid)
    sender = accounts.identity(user)
    with _recorded(user, _on_process(CANCEL, pid, reason=reason)) as on:
        nodes.ask(lambda client: client.cancel(pid, reason, on.node, sender, key))


def terminate(user: Any, pid: str, reason: str, *, key: str = "") -> None:
    """End a process now; the reason is required."""
    _require(user, permissions.TERMINATE_RUN, pid)
    if not reason.strip():
        raise Refused("Say why the process is to be terminated.", {"reason": ["A reason is required."]})
    sender = accounts.identity(user)
    with _recorded(user, _on_process(TERMINATE, pid, reason=reason)) as on:
        nodes.ask(lambda client: client.terminate(pid, reason, on.node, sender, key))


def move_service(user: Any, service: Service, action: str, *, key: str = "") -> None:
    """Start, stop or restart a service on its node; NotFoundError when the node has it no more."""
    if action not in SERVICE_ACTS or not service.is_movable:
        raise NotFoundError(f"{service.entry_id} can't be asked to {action}.")
    permissions.require(user, SERVICE_ACTS[action], namespace_of(service.entry_id))
    verb = STOP if action == STOP else START
    entry_id, node = service.entry_id, service.node_id
    with _recorded(user, _Operation(action, {}, entry_id=entry_id, node=node)):
        nodes.ask(lambda client: client.service(entry_id, verb, node, key))


def _new_process(user: Any, entry_id: str, host: str, args: list[Any], name: str) -> SpawnRequest:
    permissions.require(user, permissions.START_RUN, namespace_of(entry_id))
    entry = registry.entry(entry_id)
    if entry.kind != PROCESS:
        raise Refused(f"{entry.id} is a {entry.kind}, not a {PROCESS}: it can't be spawned.")
    by_kind.refuse_others(user, host, likely_host(entry))
    host = host or by_kind.only(PROCESS_HOST, entry_id)
    fields: dict[str, list[str]] = {}
    if host not in {each.id for each in by_kind.entries(PROCESS_HOST)}:
        fields["host"] = [f"{host} is no {PROCESS_HOST}."]
    if len(name) > _NAME_LENGTH:
        fields["name"] = [f"At most {_NAME_LENGTH} characters."]
    schemas.refuse_input(entry, args, fields)
    return SpawnRequest(entry_id, host, args=tuple(args), parent=accounts.identity(user), name=name)


def likely_host(entry: Entry) -> str:
    """The host that is meant when none is chosen, or "" when one must be."""
    try:
        return default_host(entry) or by_kind.only(PROCESS_HOST, entry.id)
    except (NotFoundError, Refused):
        return ""


def _require(user: Any, right: str, pid: str) -> None:
    """Where the process belongs; whoever may do it everywhere needs no look at it."""
    permissions.require(user, right)
    if not permissions.scope(user, right).everywhere:
        permissions.require(user, right, namespace_of(reading.entry_of(pid)))


def _call_options(entry: Entry) -> dict[str, Any]:
    if entry.kind != PROCESS or default_host(entry):
        return {}
    return {"default_host": by_kind.only(PROCESS_HOST, entry.id)}


def _spawning(request: SpawnRequest, node: str = "") -> _Operation:
    schema = registry.entry(request.entry).meta.get("input_schema")
    data = {"host": request.host, "args": secrets.arguments(schema, request.args), "name": request.name}
    return _Operation(SPAWN, data, entry_id=request.entry, node=node)


def _on_process(action: str, pid: str, **data: Any) -> _Operation:
    node, row = nodes.node_of(pid), Process.objects.filter(pid=pid).values_list("entry_id", flat=True)
    return _Operation(action, data, pid=pid, entry_id=row.first() or "", node=node)


@contextmanager
def _recorded(user: Any, operation: _Operation) -> Iterator[_Operation]:
    """Tell the feed who did it. Of an answer that did not come it is not known whether it was done."""
    outcome, at = "unknown", timezone.now()
    try:
        yield operation
        outcome = "done"
    except (Refused, UnitFailed) as error:
        if not _is_open(error):
            outcome = ""
        elif isinstance(error, Unavailable):
            raise Unavailable(f"{error.message.rstrip('.')}. {NOT_KNOWN}") from error
        raise
    finally:
        if outcome:
            data = {"action": operation.action, "user": user.get_username(), "outcome": outcome, **operation.data}
            pid, entry_id, node = operation.pid, operation.entry_id, operation.node
            with transaction.atomic():
                noted = {"pid": pid, "node": node, **operation.data}
                audit.append(_noted(operation.action), user, entry_id=entry_id, outcome=outcome, data=noted, at=at)
                feed.append(feed.OPERATION, pid=pid, entry_id=entry_id, node=node, data=data, at=at)


def _noted(action: str) -> str:
    return action if action in audit.ACTIONS and action != audit.START else audit.SERVICE


def _is_open(error: Refused | UnitFailed) -> bool:
    """Whether the error leaves open what became of it."""
    if isinstance(error, UnitFailed):
        return error.failure.kind == TIMEOUT
    return isinstance(error, Unavailable) and not isinstance(error, nodes.NotAsked)
