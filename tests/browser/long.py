"""A history as long as one likes, made and not recorded: calls one after the other, some failed or tried again."""

from __future__ import annotations

import gzip
import uuid
from datetime import UTC, datetime, timedelta

from temporalio.api.common.v1 import ActivityType, Payload, Payloads, WorkflowType
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from tests.console.operating import CLIENT, WORKER
from wippy_console.models import HistoryArchive, Run

BEGAN = datetime(2026, 11, 20, 9, tzinfo=UTC)
EVENTS_OF_A_CALL = 3
NAMES = ("app.api:charge", "app.api:reserve", "app.api:notify", "app.api:ship")


class Pen:
    """Writes events, 10 milliseconds apart."""

    def __init__(self) -> None:
        self.events: list[HistoryEvent] = []

    def write(self, name: str, **attributes: object) -> int:
        number = len(self.events) + 1
        event = HistoryEvent(event_id=number, event_type=EventType.Value(f"EVENT_TYPE_{name}"))
        event.event_time.FromDatetime(BEGAN + timedelta(milliseconds=10 * number))
        made = getattr(event, f"{name.lower()}_event_attributes")
        made.SetInParent()
        for field, value in attributes.items():
            if isinstance(value, int | str):
                setattr(made, field, value)
            else:
                getattr(made, field).CopyFrom(value)
        self.events.append(event)
        return number


def text(value: str) -> Payloads:
    """One string as arguments or result."""
    return Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=f'"{value}"'.encode())])


def long_history(calls: int) -> WorkflowHistory:
    """A run of so many calls, each three events; every hundredth failed."""
    pen = Pen()
    pen.write("WORKFLOW_EXECUTION_STARTED", workflow_type=WorkflowType(name="app.flows:long"), attempt=1)
    for number in range(calls):
        kind = ActivityType(name=NAMES[number % len(NAMES)])
        head = pen.write(
            "ACTIVITY_TASK_SCHEDULED", activity_id=str(number), activity_type=kind, input=text(f"order-{number:05}")
        )
        began = pen.write("ACTIVITY_TASK_STARTED", scheduled_event_id=head, attempt=1 + number % 50 // 49)
        if number % 100 == 99:
            pen.write("ACTIVITY_TASK_FAILED", scheduled_event_id=head, started_event_id=began)
        else:
            pen.write(
                "ACTIVITY_TASK_COMPLETED",
                scheduled_event_id=head,
                started_event_id=began,
                result=text(f"done {number}"),
            )
    pen.write("WORKFLOW_EXECUTION_COMPLETED", result=text("all done"))
    return WorkflowHistory("long", pen.events)


def a_long_run(calls: int) -> Run:
    """It, as the archive has it of a run that has ended."""
    history = long_history(calls)
    ended = history.events[-1].event_time.ToDatetime(UTC)
    run = Run.objects.create(
        run_id=str(uuid.uuid4()), workflow_id=f"long-{calls}", entry_id="app.flows:long", client=CLIENT, worker=WORKER,
        status="completed", started_at=BEGAN, closed_at=ended, history_length=len(history.events),
        input=[{"calls": calls}], result="all done",
    )  # fmt: skip
    content = gzip.compress(history.to_json().encode())
    HistoryArchive.objects.create(run=run, content=content, events=len(history.events))
    return run
