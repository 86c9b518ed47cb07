"""Every payload of a history with dots at the paths that the run's entry masks, and the entry that an event is about.

It walks the messages instead of naming them: an event type that nobody thought of is masked as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from engine.errors import UnitFailed
from engine.hosts.temporal.wire.payloads import decode, encode
from wippy_console.models import Run
from wippy_console.services.masking import MASK, Veil, longest, of_entry, telling

M = TypeVar("M", bound=Message)

_LOCAL = "core_local_activity"
_NAMING = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
    EventType.EVENT_TYPE_MARKER_RECORDED,
}
"""Events that name another entry first: of a run that masks nothing itself, all that is looked at."""
_WORDS = ("message", "stack_trace", "reason", "cause")
"""Fields of events that hold what somebody wrote."""


class Everywhere:
    """What is masked in the events of one run; give it all events, in their order, at once or in pieces.

    What is known to be masked by now is hidden in a piece; what only later ones tell is not.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._own = run.mask
        self._masking: dict[int, tuple[str, ...]] = {}
        """By the event that calls or starts one of them: the paths of entries that mask something."""
        self._every: dict[str, None] = dict.fromkeys(self._own)
        self._told: list[str] = []
        """What stood at masked paths; the events themselves are not kept."""

    def all(self, events: Sequence[HistoryEvent]) -> list[HistoryEvent]:
        """The next events; those in which nothing is masked are the very same."""
        self.learn(events)
        return self.again(events)

    def again(self, events: Sequence[HistoryEvent]) -> list[HistoryEvent]:
        """Any of those that were given before."""
        if not self._every:
            return list(events)
        paths, known = [self._paths(event) for event in events], self.veil()
        veils = {each: known.at(each) for each in set(paths)}
        return [_hidden(event, veils[each]) for event, each in zip(events, paths, strict=True)]

    def learn(self, events: Sequence[HistoryEvent]) -> None:
        """Take note of what they say at masked paths."""
        found = [self._paths(event) for event in events]
        self._every |= {path: None for each in found for path in each}
        masking = (event for event, each in zip(events, found, strict=True) if each)
        given = (decode(payload) for event in masking for payload in of(event))
        self._told = longest({*self._told, *telling(given, tuple(self._every))})

    def veil(self) -> Veil:
        """What hides the same in all else that is said of the run."""
        return Veil(tuple(self._every), [self._run.whole("input")] if self._every else (), self._told)

    def _paths(self, event: HistoryEvent) -> tuple[str, ...]:
        if not self._own and not self._masking and event.event_type not in _NAMING:
            return ()
        attributes = getattr(event, event.WhichOneof("attributes") or "", None)
        theirs = self._of(event, attributes) if attributes is not None else ()
        return tuple(dict.fromkeys([*self._own, *theirs])) if theirs else self._own

    def _of(self, event: HistoryEvent, attributes: Any) -> tuple[str, ...]:
        """The paths of the entry that is called or started there, or ends there; none of the run's own."""
        fields = attributes.DESCRIPTOR.fields_by_name
        if "scheduled_event_id" in fields:
            return self._masking.get(attributes.scheduled_event_id, ())
        name = _name(attributes, fields)
        paths = of_entry(name, self._run.registry_version) if name else ()
        if paths:
            self._masking[event.event_id] = paths
        return paths


def _name(attributes: Any, fields: Any) -> str:
    for field in ("activity_type", "workflow_type"):
        if field in fields:
            return str(getattr(attributes, field).name)
    return _local(attributes) if "marker_name" in fields else ""


def _hidden(event: HistoryEvent, veil: Veil) -> HistoryEvent:
    copy = HistoryEvent()
    copy.CopyFrom(event)
    changed = [_mask(payload, veil) for payload in of(copy)]
    changed += [_scrub(message, veil) for message in _within(copy)]
    return copy if any(changed) else event


def of(message: Message) -> Iterator[Payload]:
    """Every payload in the message, wherever it stands."""
    return (each for each in _within(message) if isinstance(each, Payload))


def _within(message: Message) -> Iterator[Message]:
    """The message and all in it, but for what is within payloads."""
    yield message
    if isinstance(message, Payload):
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for each in _messages(field, value):
                yield from _within(each)


def _scrub(message: Message, veil: Veil) -> bool:
    """Hide masked values in what people and code said in plain words; ids and names stay."""
    if isinstance(message, Payload):
        return False
    changed = False
    for field, value in message.ListFields():
        if field.name in _WORDS and isinstance(value, str) and (shown := veil.text(value)) != value:
            setattr(message, field.name, shown)
            changed = True
    return changed


def _messages(field: Any, value: Any) -> Iterable[Message]:
    if isinstance(value, Message):
        return [value]
    if field.message_type.GetOptions().map_entry:
        return [each for each in value.values() if isinstance(each, Message)]
    return list(value)


def _local(marker: Any) -> str:
    """The entry of a local activity, which is one event."""
    if marker.marker_name != _LOCAL or not marker.details["data"].payloads:
        return ""
    about = decode(marker.details["data"].payloads[0])
    return str(about.get("activity_type", "")) if isinstance(about, dict) else ""


def _mask(payload: Payload, veil: Veil) -> bool:
    """Put dots into the payload; whether there was something to hide."""
    value = decode(payload)
    shown = veil.value(value)
    if shown is value:
        return False
    payload.CopyFrom(_encoded(shown))
    return True


def _encoded(value: Any) -> Payload:
    try:
        return encode(value, "a masked value")
    except UnitFailed:  # dots may be longer than what they stand for
        return encode(MASK, "a masked value")


def hidden(message: M, veil: Veil) -> M:
    """The message without what is masked."""
    if not veil:
        return message
    copy = type(message)()
    copy.CopyFrom(message)
    for each in _within(copy):
        if isinstance(each, Payload):
            _mask(each, veil)
        else:
            _scrub(each, veil)
    return copy
