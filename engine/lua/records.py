"""Events as records for the kernel, and the kernel's records as commands and statuses.

The field order of each record is that of `k.put` and `k.issue` in the kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.errors import Failure
from engine.lua.marshal import Flat, Writer, text_of
from engine.lua.waits import Heard
from engine.security.context import Security
from engine.steps import (
    Ask,
    Call,
    CancelCall,
    CancelRequested,
    CancelTimer,
    Command,
    Control,
    Event,
    Exec,
    Exited,
    Failed,
    LinkDown,
    Log,
    Message,
    Rejected,
    Resolved,
    Returned,
    Send,
    Spawn,
    StartTimer,
    Status,
    Upgraded,
    Value,
    Waiting,
)


def write_event(writer: Writer, event: Event) -> None:
    """Append one event."""
    match event:
        case Resolved(seq, value):
            writer.write_array(("resolved", seq, value))
        case Rejected(seq, failure):
            writer.write_array(("rejected", seq, failure))
        case Message(topic, Flat() as payloads, sender):
            writer.write_flat(("message", topic, sender), payloads)
        case Message(topic, payloads, sender):
            writer.write_array(("message", topic, sender, *payloads))
        case CancelRequested(sender, reason, at):
            writer.write_array(("cancel", sender, reason, at))
        case Exited(pid, at, value, failure):
            writer.write_array(("exit", pid, at, value, failure))
        case LinkDown(pid, at, failure, value):
            writer.write_array(("link_down", pid, at, value, failure))


def refused(event: Event, failure: Failure) -> Event:
    """What the unit gets in place of an event whose values can't be written."""
    match event:
        case Resolved(seq) | Rejected(seq):
            return Rejected(seq, failure)
        case Message():
            return replace(event, payloads=(failure,))
        case Exited() | LinkDown():
            return replace(event, value=None, failure=failure, size=0)
        case CancelRequested():
            return event


def is_waiting(status: Status) -> bool:
    """Whether the unit goes on."""
    return isinstance(status, Waiting)


def _mapping(value: Value) -> dict[str, Value]:
    """A Lua table meant as a map: an empty one arrives as a list, an array gets its indices as keys."""
    if not value:
        return {}
    if isinstance(value, dict):
        return {k if isinstance(k, str) else str(k): v for k, v in value.items()}
    return {str(i): v for i, v in enumerate(value, start=1)}


def _messages(value: Value) -> tuple[tuple[str, tuple[Value, ...]], ...]:
    return tuple((text_of(topic), tuple(payloads)) for topic, payloads in value)


def _spawn(seq: int, entry: Any, host: Any, args: Any, monitor: Any, link: Any, name: Any, *rest: Any) -> Spawn:
    options, context, messages, security = rest
    return Spawn(
        seq,
        text_of(entry),
        text_of(host),
        tuple(args),
        monitor,
        link,
        text_of(name),
        _mapping(options),
        _mapping(context),
        _messages(messages),
        Security.from_json(security),
    )


def _exec(seq: int, entry: Any, host: Any, args: Any, name: Any, *rest: Any) -> Exec:
    options, context, messages, security = rest
    return Exec(
        seq,
        text_of(entry),
        text_of(host),
        tuple(args),
        text_of(name),
        _mapping(options),
        _mapping(context),
        _messages(messages),
        Security.from_json(security),
    )


def _upgraded(entry: Any, args: Any, messages: Any) -> Upgraded:
    unread = tuple(Message(text_of(t), tuple(payloads), text_of(sender)) for t, sender, payloads in messages)
    return Upgraded(text_of(entry), tuple(args), unread)


_READERS: dict[str, Callable[..., Command | Status | Heard]] = {
    "call": lambda seq, target, args, options, context, security, waits=False: Call(
        seq, text_of(target), tuple(args), _mapping(options), _mapping(context), Security.from_json(security), waits
    ),
    "cancel_call": CancelCall,
    "start_timer": StartTimer,
    "cancel_timer": CancelTimer,
    "spawn": _spawn,
    "exec": _exec,
    "send": lambda seq, dest, topic, payloads: Send(seq, text_of(dest), text_of(topic), tuple(payloads)),
    "control": lambda seq, verb, dest, reason: Control(seq, verb, text_of(dest), text_of(reason)),
    "ask": lambda seq, name, args: Ask(seq, name, tuple(args)),
    "log": lambda level, message, fields, name: Log(level, text_of(message), _mapping(fields), text_of(name)),
    "heard": Heard,
    "returned": Returned,
    "failed": Failed,
    "upgraded": _upgraded,
}


def read_record(record: list[Value]) -> Command | Status | Heard:
    """The command, the status or the change of waits that a record of the kernel means."""
    return _READERS[record[0]](*record[1:])
