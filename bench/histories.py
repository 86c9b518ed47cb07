"""Histories made by hand: calls one after the other, three events each, now and then a timer between them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

BEGAN = datetime(2026, 11, 1, 9, tzinfo=UTC)
CALLS = ("app:charge", "app:reserve", "app:ship")
CHANGES_EVERY = 40
"""So many calls of one entry follow one another."""


def history(events: int) -> list[HistoryEvent]:
    """A run of about so many events, that goes on."""
    found: list[HistoryEvent] = []
    add(found, "WORKFLOW_EXECUTION_STARTED").workflow_type.name = "app:flow"
    while len(found) + 3 <= events:
        call(found, len(found) // 3)
    return found


def call(found: list[HistoryEvent], number: int) -> None:
    """Append the three events of a call."""
    made = add(found, "ACTIVITY_TASK_SCHEDULED")
    head = len(found)
    made.activity_id = str(number)
    made.activity_type.name = CALLS[number // CHANGES_EVERY % len(CALLS)]
    made.input.payloads.append(
        _payload({"order": f"A-{number:06}", "customer": f"Customer {number}", "amount": number})
    )
    add(found, "ACTIVITY_TASK_STARTED").scheduled_event_id = head
    ended = add(found, "ACTIVITY_TASK_COMPLETED")
    ended.scheduled_event_id = head
    ended.result.payloads.append(_payload({"ok": True}))


def end(found: list[HistoryEvent]) -> None:
    """Append the last event."""
    add(found, "WORKFLOW_EXECUTION_COMPLETED").result.payloads.append(_payload("done"))


def add(found: list[HistoryEvent], name: str) -> Any:
    """Append an event; its attributes."""
    event = HistoryEvent(event_id=len(found) + 1, event_type=EventType.Value(f"EVENT_TYPE_{name}"))
    event.event_time.FromDatetime(BEGAN + timedelta(milliseconds=20 * len(found)))
    found.append(event)
    attributes = getattr(event, f"{name.lower()}_event_attributes")
    attributes.SetInParent()
    return attributes


def _payload(value: Any) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())
