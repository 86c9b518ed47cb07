"""What people do to processes and services: spawn, message, cancel, terminate; start and stop. Each leaves a feed row.

A `key` is made once per drawn form: the same one again has no second effect, and is a Conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from engine.contracts.host import SpawnRequest
from engine.entry import Entry
from engine.hosts.temporal.node.client import NodeClient
from engine.hosts.temporal.wire.requests import START, STOP
from wippy_console import permissions
from wippy_console.models import Service
from wippy_console.services import feed, registry, schemas
from wippy_console.services.errors import NotFoundError, Refused, Unavailable
from wippy_console.services.processes.reading import node_of
from wippy_console.services.runs.starting import only
from wippy_console.services.units import PROCESS, PROCESS_HOST, reached

SPAWN, MESSAGE, CANCEL, TERMINATE, RESTART = "spawn", "message", "cancel", "terminate", "restart"
SERVICE_ACTS = {START: permissions.START_RUN, RESTART: permissions.START_RUN, STOP: permissions.CANCEL_RUN}

_TOPIC_LENGTH, _NAME_LENGTH = 500, 500

T = TypeVar("T")
Act = Callable[[NodeClient], Coroutine[Any, Any, T]]


def spawnable(user: Any) -> list[Entry]:
    """The process.lua entries that the user may spawn."""
    if not permissions.allows(user, permissions.START_RUN):
        return []
    return [entry for entry in registry.entries() if entry.kind == PROCESS]


def spawn(
    user: Any, entry_id: str, host: str, args: list[Any], *, name: str = "", node: str = "", key: str = ""
) -> str:
    """The pid of a new process, or of the live one that has the name; `node` "" means any, `host` "" the only one near.

    Raises PermissionDenied; Refused (`fields` by path of the first argument, `host`, `name`); NotFoundError;
    Conflict; Unavailable.
    """
    permissions.require(user, permissions.START_RUN)
    entry = registry.entry(entry_id)
    host = host or only(PROCESS_HOST, entry_id)
    _check(entry, host, args, name)
    request = SpawnRequest(entry_id, host, args=tuple(args), parent=_identity(user), name=name)
    told = {"host": host, "args": args, "name": name}
    return _recorded(user, SPAWN, told, lambda nodes: nodes.spawn(request, node, key), entry_id=entry_id, node=node)


def message(user: Any, pid: str, topic: str, payload: Any, *, key: str = "") -> None:
    """Send a message with one JSON value; Refused names `topic` or `payload`."""
    permissions.require(user, permissions.SIGNAL_RUN)
    if not topic.strip() or len(topic) > _TOPIC_LENGTH or topic.startswith("@"):
        text = f"A topic has 1 to {_TOPIC_LENGTH} characters and does not begin with @."
        raise Refused(text, {"topic": [text]})
    schemas.refuse_oversize(payload, "The payload")
    told = {"topic": topic, "payload": payload}
    _on_process(user, MESSAGE, pid, told, lambda nodes, node: nodes.send(
        pid, topic, (payload,), node, _identity(user), key
    ))  # fmt: skip


def cancel(user: Any, pid: str, reason: str, *, key: str = "") -> None:
    """Ask a process to stop (CANCEL); what it does then is its own affair."""
    permissions.require(user, permissions.CANCEL_RUN)
    _on_process(user, CANCEL, pid, {"reason": reason}, lambda nodes, node: nodes.cancel(
        pid, reason, node, _identity(user), key
    ))  # fmt: skip


def terminate(user: Any, pid: str, reason: str, *, key: str = "") -> None:
    """End a process now; the reason is required."""
    permissions.require(user, permissions.TERMINATE_RUN)
    if not reason.strip():
        raise Refused("Say why the process is to be terminated.", {"reason": ["A reason is required."]})
    _on_process(user, TERMINATE, pid, {"reason": reason}, lambda nodes, node: nodes.terminate(
        pid, reason, node, _identity(user), key
    ))  # fmt: skip


def move_service(user: Any, service: Service, action: str, *, key: str = "") -> None:
    """Start, stop or restart a service on its node; NotFoundError when the node has it no more."""
    if action not in SERVICE_ACTS or not service.is_movable:
        raise NotFoundError(f"{service.entry_id} can't be asked to {action}.")
    permissions.require(user, SERVICE_ACTS[action])
    verb = STOP if action == STOP else START
    node, entry_id = service.node_id, service.entry_id
    _recorded(user, action, {}, lambda nodes: nodes.service(entry_id, verb, node, key), entry_id=entry_id, node=node)


def _check(entry: Entry, host: str, args: list[Any], name: str) -> None:
    if entry.kind != PROCESS:
        raise Refused(f"{entry.id} is a {entry.kind}, not a {PROCESS}: it can't be spawned.")
    schema = entry.meta.get("input_schema")
    fields = schemas.problems(schema, args[0] if args else {}) if isinstance(schema, Mapping) else {}
    if registry.entry(host).kind != PROCESS_HOST:
        fields["host"] = [f"{host} is no {PROCESS_HOST}."]
    if len(name) > _NAME_LENGTH:
        fields["name"] = [f"At most {_NAME_LENGTH} characters."]
    if fields:
        raise Refused("The process can't be spawned like this.", fields)
    schemas.refuse_oversize(args, "The arguments")


def _on_process(
    user: Any,
    action: str,
    pid: str,
    told: Mapping[str, Any],
    act: Callable[[NodeClient, str], Coroutine[Any, Any, None]],
) -> None:
    node = node_of(pid)
    _recorded(user, action, told, lambda nodes: act(nodes, node), pid=pid, node=node)


def _recorded(
    user: Any, action: str, told: Mapping[str, Any], act: Act[T], *, pid: str = "", entry_id: str = "", node: str = ""
) -> T:
    """Do it, and tell the feed who did what. Of an answer that did not come it is not known whether it was done."""
    outcome = "done"
    try:
        answer = reached(act)
    except Unavailable:
        outcome = "unknown"
        raise
    except Refused:
        outcome = ""
        raise
    else:
        pid = answer if isinstance(answer, str) else pid
        return answer
    finally:
        if outcome:
            data = {"action": action, "user": user.get_username(), "outcome": outcome, **told}
            feed.append(feed.OPERATION, pid=pid, entry_id=entry_id, node=node, data=data)


def _identity(user: Any) -> str:
    return f"user:{user.get_username()}"
