"""A row while its events are still being read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payloads
from temporalio.api.history.v1 import HistoryEvent

from engine.errors import Failure
from wippy_console.services.timeline import payloads, rules
from wippy_console.services.timeline.values import EventRef, Kind, Row, State


@dataclass(slots=True)
class Draft:
    """The fields of `Row`, still changing."""

    id: int
    kind: Kind
    label: str
    state: State
    start: datetime
    started: datetime | None = None
    end: datetime | None = None
    attempt: int = 1
    summary: str = ""
    events: list[EventRef] = field(default_factory=list)
    input: Any = None
    output: Any = None
    failure: Failure | None = None
    child: tuple[str, str] | None = None
    sender: str = ""
    deadline: datetime | None = None
    activity_id: str = ""
    decision_id: str = ""
    outlives: bool = False
    own: bool = False
    loop: int = 0
    touched: int = 0

    def row(self) -> Row:
        """The finished row, without what the database adds."""
        return Row(
            id=self.id, kind=self.kind, label=self.label, state=self.state, start=self.start, started=self.started,
            end=self.end, attempt=self.attempt, summary=self.summary, events=self.events, input=self.input,
            output=self.output, failure=self.failure, child=self.child, sender=self.sender, deadline=self.deadline,
            own=self.own, loop=self.loop, order=self.id, touched=self.touched,
        )  # fmt: skip


def moment(stamp: Timestamp) -> datetime:
    """The protobuf timestamp as an aware datetime."""
    return stamp.ToDatetime(tzinfo=UTC)


def reference(event: HistoryEvent, name: str) -> EventRef:
    """The event as a row lists it."""
    return EventRef(event.event_id, rules.title(name), moment(event.event_time))


def attributes(event: HistoryEvent) -> Any:
    """The message with the event's own fields."""
    which = event.WhichOneof("attributes")
    return getattr(event, which) if which else HistoryEvent()


def present(attrs: Message, name: str) -> Any:
    """The field when this type of event has it and it is set, else None."""
    if name not in attrs.DESCRIPTOR.fields_by_name:
        return None
    found = attrs.DESCRIPTOR.fields_by_name[name]
    if found.message_type is None:
        return getattr(attrs, name) or None
    return getattr(attrs, name) if attrs.HasField(name) else None


def arguments(attrs: Message) -> list[Any] | None:
    """The decoded `input` of an event, None when it has none."""
    found = present(attrs, "input")
    return payloads.values(found) if isinstance(found, Payloads) else None


def first(found: Payloads | None) -> Any:
    """The only value of a result."""
    items = payloads.values(found) if found is not None else []
    return items[0] if items else None


def header(attrs: Message, key: str) -> str:
    """One header of a signal as text, "" when it has none."""
    fields = attrs.header.fields if "header" in attrs.DESCRIPTOR.fields_by_name else {}  # type: ignore[attr-defined]
    return payloads.text(fields[key]) if key in fields else ""
