"""Headers: what travels beside the arguments of a start, a signal, an activity.

| name                   | on                         | value                                              |
|------------------------|----------------------------|----------------------------------------------------|
| `temporal.signal.from` | signals, activities        | pid of the sender                                  |
| `wippy-context`        | starts, activities         | object: what `ctx` reads                           |
| `wippy-security`       | starts, activities         | object: actor and policy ids of whom it is done for |
| `wippy-strict`         | starts by a workflow host  | true: without actor and scope nothing is allowed   |
| `wippy-program`        | starts by a workflow host  | digest of the program that the run keeps           |
| `wippy-version`        | starts by a workflow host  | number of the registry version of that start       |
| `wippy-kernel`         | starts by a workflow host  | version of the kernel that the run keeps; none: 1  |
| `wippy-parent`         | starts                     | pid of the spawner                                 |
| `wippy-messages`       | child starts, upgrades     | startup messages: list of {topic, payloads, sender}|
| `wippy-nodes`          | old starts and signals     | object: node id by pid, from when pids did not tell|
| `wippy-decision`       | signals of the console     | id of the decision                                 |
| `wippy-final`          | activities                 | true: a function that is not there ends the call   |
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from temporalio.api.common.v1 import Payload

from engine.errors import PERMISSION_DENIED, Failure, UnitFailed
from engine.hosts.temporal.wire import payloads
from engine.security.context import Actor, Security
from engine.steps import Message, Value

SENDER = "temporal.signal.from"
CONTEXT = "wippy-context"
SECURITY = "wippy-security"
STRICT = "wippy-strict"
PROGRAM = "wippy-program"
VERSION = "wippy-version"
KERNEL = "wippy-kernel"
PARENT = "wippy-parent"
MESSAGES = "wippy-messages"
NODES = "wippy-nodes"
DECISION = "wippy-decision"
FINAL = "wippy-final"
WORKER = "wippy-worker"

Headers = Mapping[str, Payload]

_NONE: Headers = MappingProxyType({})

# Temporal's API has no parameter for headers: they wait here for the interceptor, which runs in the same context.
_outgoing: ContextVar[Headers] = ContextVar("wippy_outgoing_headers", default=_NONE)
_incoming: ContextVar[Headers] = ContextVar("wippy_incoming_headers", default=_NONE)


class outgoing:  # noqa: N801 - used as a function; a generator would take three times as long, for each call of a run
    """Send the headers with what is started or signalled inside."""

    __slots__ = ("_headers", "_token")

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def __enter__(self) -> None:
        self._token = _outgoing.set(self._headers)

    def __exit__(self, *_: object) -> None:
        _outgoing.reset(self._token)


@contextmanager
def incoming(headers: Headers) -> Iterator[None]:
    """Make the headers those of the signal, update or activity that is handled inside."""
    token = _incoming.set(headers)
    try:
        yield
    finally:
        _incoming.reset(token)


def to_send() -> Headers:
    """The headers that `outgoing` holds here."""
    return _outgoing.get()


def received() -> Headers:
    """The headers of what is handled here."""
    return _incoming.get()


def pack(values: Mapping[str, Value]) -> dict[str, Payload]:
    """Headers of values by name; empty ones are left out."""
    return {name: payloads.encode(value, f"header {name}") for name, value in values.items() if value or value == 0}


def text(headers: Headers, name: str) -> str:
    """The header as a string, "" when it is missing or something else."""
    value = payloads.decode(headers[name]) if name in headers else ""
    return value if isinstance(value, str) else ""


def number(headers: Headers, name: str) -> int:
    """The header as an integer, 0 when it is missing or something else."""
    value = payloads.decode(headers[name]) if name in headers else 0
    return value if isinstance(value, int) else 0


def context(headers: Headers) -> dict[str, Value]:
    """What `ctx` reads."""
    value = payloads.decode(headers[CONTEXT]) if CONTEXT in headers else {}
    return value if isinstance(value, dict) else {}


def security(headers: Headers) -> Security | None:
    """On whose behalf, by reference; raises UnitFailed for what can't be read: it must not pass for nobody."""
    try:
        return Security.from_json(payloads.decode(headers[SECURITY])) if SECURITY in headers else None
    except ValueError as error:
        raise UnitFailed(Failure(PERMISSION_DENIED, f"header {SECURITY}: {error}", retryable=False)) from error


def flag(headers: Headers, name: str) -> bool:
    """Whether the header is true."""
    return name in headers and payloads.decode(headers[name]) is True


def nodes(headers: Headers) -> dict[str, str]:
    """The nodes of pids, as far as the header tells."""
    value = payloads.decode(headers[NODES]) if NODES in headers else {}
    items = value.items() if isinstance(value, dict) else ()
    return {pid: node for pid, node in items if isinstance(node, str)}


def pack_messages(messages: Sequence[Message], what: str) -> dict[str, Payload]:
    """The header that carries startup messages; `what` names them in a failure."""
    items = [{"topic": m.topic, "payloads": list(m.payloads), "sender": m.sender} for m in messages]
    return {MESSAGES: payloads.encode(items, what)} if items else {}


def messages(headers: Headers) -> list[Message]:
    """The startup messages, in order."""
    value = payloads.decode(headers[MESSAGES]) if MESSAGES in headers else []
    items = value if isinstance(value, list) else []
    return [message for item in items if (message := _message(item)) is not None]


def _message(item: Value) -> Message | None:
    """One of them; None for what only a foreign client can have put there."""
    match item:
        case {"topic": str(topic), "payloads": list(values), "sender": str(sender)}:
            return Message(topic, tuple(values), sender)
        case _:
            return None


def portable(context: Mapping[str, Value]) -> dict[str, Value]:
    """What of a context survives Temporal: text, numbers, booleans and tables of them (docs/lua.md#ctx)."""
    return {key: value for key, value in context.items() if isinstance(key, str) and _is_portable(value)}


def carried(security: Security | None) -> dict[str, Value] | None:
    """A context as it travels: policies by id, and what survives of the actor's meta."""
    if security is None:
        return None
    actor = security.actor
    return (replace(security, actor=Actor(actor.id, portable(actor.meta))) if actor else security).to_json()


def _is_portable(value: Any) -> bool:
    match value:
        case float():
            return math.isfinite(value)
        case bool() | int() | str():
            return True
        case Mapping():
            return all(isinstance(key, str) and _is_portable(item) for key, item in value.items())
        case list() | tuple():
            return all(_is_portable(item) for item in value)
        case _:
            return False
