"""Histories made by hand: event by event, each a millisecond after the one before."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def payload(value: Any) -> Payload:
    """A value as JSON."""
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())


class Made:
    """A history that grows; `events` are those so far."""

    def __init__(self, entry: str = "app.flows:everything", *arguments: Any) -> None:
        self.events: list[HistoryEvent] = []
        self.at = BEGAN
        event = self._add("WORKFLOW_EXECUTION_STARTED")
        attributes = event.workflow_execution_started_event_attributes
        attributes.workflow_type.name = entry
        attributes.input.payloads.extend(map(payload, arguments))

    def call(self, entry: str, *arguments: Any) -> int:
        """Schedule an activity; its event id."""
        event = self._add("ACTIVITY_TASK_SCHEDULED")
        attributes = event.activity_task_scheduled_event_attributes
        attributes.activity_id = str(event.event_id)
        attributes.activity_type.name = entry
        attributes.input.payloads.extend(map(payload, arguments))
        return event.event_id

    def begun(self, call: int) -> None:
        """A worker took the call."""
        self._add("ACTIVITY_TASK_STARTED").activity_task_started_event_attributes.scheduled_event_id = call

    def done(self, call: int, result: Any = None) -> None:
        """The call went well."""
        attributes = self._add("ACTIVITY_TASK_COMPLETED").activity_task_completed_event_attributes
        attributes.scheduled_event_id = call
        attributes.result.payloads.append(payload(result))

    def failed(self, call: int, message: str) -> None:
        """The call failed for good."""
        attributes = self._add("ACTIVITY_TASK_FAILED").activity_task_failed_event_attributes
        attributes.scheduled_event_id = call
        attributes.failure.message = message
        attributes.failure.application_failure_info.type = "Unavailable"

    def whole_call(self, entry: str, *arguments: Any) -> int:
        """All three events of a call."""
        call = self.call(entry, *arguments)
        self.begun(call)
        self.done(call, {"ok": True})
        return call

    def timer(self, seconds: float) -> int:
        """Start a timer; its event id."""
        event = self._add("TIMER_STARTED")
        event.timer_started_event_attributes.start_to_fire_timeout.FromTimedelta(timedelta(seconds=seconds))
        return event.event_id

    def fired(self, timer: int) -> None:
        """The timer's time is over."""
        self._add("TIMER_FIRED").timer_fired_event_attributes.started_event_id = timer

    def signal(self, topic: str, value: Any, decision: str = "") -> int:
        """A message comes."""
        event = self._add("WORKFLOW_EXECUTION_SIGNALED")
        attributes = event.workflow_execution_signaled_event_attributes
        attributes.signal_name = topic
        attributes.input.payloads.append(payload(value))
        if decision:
            attributes.header.fields["wippy-decision"].CopyFrom(payload(decision))
        return event.event_id

    def marker(self, name: str) -> None:
        """The SDK notes something."""
        self._add("MARKER_RECORDED").marker_recorded_event_attributes.marker_name = name

    def end(self, result: Any) -> None:
        """The run completes."""
        attributes = self._add("WORKFLOW_EXECUTION_COMPLETED").workflow_execution_completed_event_attributes
        attributes.result.payloads.append(payload(result))

    def _add(self, name: str) -> HistoryEvent:
        event = HistoryEvent(event_id=len(self.events) + 1, event_type=EventType.Value(f"EVENT_TYPE_{name}"))
        event.event_time.FromDatetime(self.at)
        self.at += timedelta(milliseconds=1)
        self.events.append(event)
        return event


def random_history(seed: int, steps: int = 120) -> Made:
    """Calls, loops, timers, signals, own steps, in no order that means anything; odd seeds end."""
    steered = _Chance(seed)
    for _ in range(steps):
        steered.step()
    if seed % 2:
        steered.made.end("ok")
    return steered.made


class _Chance:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.made = Made("app:flow", {"order": seed})
        self.calls: list[int] = []
        self.timers: list[int] = []
        self.steps = [self.call, self.call, self.poll, self.begin, self.finish, self.finish, self.time, self.other]

    def step(self) -> None:
        """Something happens."""
        self.random.choice(self.steps)()

    def call(self) -> None:
        """Mostly the same."""
        self.calls.append(
            self.made.call(self.random.choice(["app:charge", "app:charge", "app:mail"]), self.random.random())
        )

    def poll(self) -> None:
        """The same a few times with pauses between."""
        for _ in range(self.random.randrange(1, 7)):
            self.made.whole_call("app:poll", 1)
            self.made.fired(self.made.timer(1))

    def begin(self) -> None:
        """A worker takes one."""
        if self.calls:
            self.made.begun(self.random.choice(self.calls))

    def finish(self) -> None:
        """One ends."""
        if not self.calls:
            return
        call = self.calls.pop(self.random.randrange(len(self.calls)))
        if self.random.random() < 0.8:
            self.made.done(call)
        else:
            self.made.failed(call, "gateway says 503")

    def time(self) -> None:
        """A timer begins or fires."""
        if self.timers and self.random.random() < 0.5:
            self.made.fired(self.timers.pop())
        else:
            self.timers.append(self.made.timer(1))

    def other(self) -> None:
        """A message, or a step of the engine."""
        if self.random.random() < 0.5:
            self.made.signal("tick", 1)
        else:
            self.made.whole_call("wippy.resolve")
