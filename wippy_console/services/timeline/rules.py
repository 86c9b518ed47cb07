"""Which history events begin a row, and which go on in the row of another event."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from temporalio.api.enums.v1 import EventType

from wippy_console.services.timeline.values import Kind, State


@dataclass(frozen=True, slots=True)
class Head:
    """An event that begins a row; one that `closes` is a moment."""

    kind: Kind
    state: State
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Follow:
    """An event that belongs to the row of the event named by its attribute `field`; state "" keeps the row's."""

    field: str
    state: State | None = None
    closes: bool = False


HEADS: dict[str, Head] = {
    "WORKFLOW_EXECUTION_STARTED": Head("workflow", "running"),
    "ACTIVITY_TASK_SCHEDULED": Head("activity", "scheduled"),
    "TIMER_STARTED": Head("timer", "waiting"),
    "START_CHILD_WORKFLOW_EXECUTION_INITIATED": Head("child", "scheduled"),
    "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": Head("external", "scheduled"),
    "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": Head("external", "scheduled"),
    "NEXUS_OPERATION_SCHEDULED": Head("external", "scheduled"),
    "WORKFLOW_EXECUTION_SIGNALED": Head("signal", "received", closes=True),
    "WORKFLOW_EXECUTION_CANCEL_REQUESTED": Head("signal", "received", closes=True),
    "WORKFLOW_EXECUTION_UPDATE_ADMITTED": Head("update", "scheduled"),
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED": Head("update", "running"),
    "MARKER_RECORDED": Head("marker", "completed", closes=True),
}
"""Anything that is in no table here is a marker named by its type."""

CLOSINGS: dict[str, State] = {
    "WORKFLOW_EXECUTION_COMPLETED": "completed",
    "WORKFLOW_EXECUTION_FAILED": "failed",
    "WORKFLOW_EXECUTION_TIMED_OUT": "timed_out",
    "WORKFLOW_EXECUTION_CANCELED": "canceled",
    "WORKFLOW_EXECUTION_TERMINATED": "terminated",
    "WORKFLOW_EXECUTION_CONTINUED_AS_NEW": "continued_as_new",
}
"""Events that end a run; each is an exit row, and the end of the row of event 1."""

_SCHEDULED, _INITIATED = "scheduled_event_id", "initiated_event_id"

FOLLOWS: dict[str, Follow] = {
    "ACTIVITY_TASK_STARTED": Follow(_SCHEDULED, "running"),
    "ACTIVITY_TASK_COMPLETED": Follow(_SCHEDULED, "completed", closes=True),
    "ACTIVITY_TASK_FAILED": Follow(_SCHEDULED, "failed", closes=True),
    "ACTIVITY_TASK_TIMED_OUT": Follow(_SCHEDULED, "timed_out", closes=True),
    "ACTIVITY_TASK_CANCEL_REQUESTED": Follow(_SCHEDULED),
    "ACTIVITY_TASK_CANCELED": Follow(_SCHEDULED, "canceled", closes=True),
    "ACTIVITY_PROPERTIES_MODIFIED_EXTERNALLY": Follow(_SCHEDULED),
    "TIMER_FIRED": Follow("started_event_id", "fired", closes=True),
    "TIMER_CANCELED": Follow("started_event_id", "canceled", closes=True),
    "START_CHILD_WORKFLOW_EXECUTION_FAILED": Follow(_INITIATED, "failed", closes=True),
    "CHILD_WORKFLOW_EXECUTION_STARTED": Follow(_INITIATED, "running"),
    "CHILD_WORKFLOW_EXECUTION_COMPLETED": Follow(_INITIATED, "completed", closes=True),
    "CHILD_WORKFLOW_EXECUTION_FAILED": Follow(_INITIATED, "failed", closes=True),
    "CHILD_WORKFLOW_EXECUTION_CANCELED": Follow(_INITIATED, "canceled", closes=True),
    "CHILD_WORKFLOW_EXECUTION_TIMED_OUT": Follow(_INITIATED, "timed_out", closes=True),
    "CHILD_WORKFLOW_EXECUTION_TERMINATED": Follow(_INITIATED, "terminated", closes=True),
    "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED": Follow(_INITIATED, "completed", closes=True),
    "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED": Follow(_INITIATED, "failed", closes=True),
    "EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED": Follow(_INITIATED, "completed", closes=True),
    "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED": Follow(_INITIATED, "failed", closes=True),
    "WORKFLOW_EXECUTION_UPDATE_COMPLETED": Follow("accepted_event_id", "completed", closes=True),
    "NEXUS_OPERATION_STARTED": Follow(_SCHEDULED, "running"),
    "NEXUS_OPERATION_COMPLETED": Follow(_SCHEDULED, "completed", closes=True),
    "NEXUS_OPERATION_FAILED": Follow(_SCHEDULED, "failed", closes=True),
    "NEXUS_OPERATION_CANCELED": Follow(_SCHEDULED, "canceled", closes=True),
    "NEXUS_OPERATION_TIMED_OUT": Follow(_SCHEDULED, "timed_out", closes=True),
    "NEXUS_OPERATION_CANCEL_REQUESTED": Follow(_SCHEDULED),
    "NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED": Follow(_SCHEDULED),
    "NEXUS_OPERATION_CANCEL_REQUEST_FAILED": Follow(_SCHEDULED),
}

TASK_FAILURES = {"WORKFLOW_TASK_FAILED": "failed", "WORKFLOW_TASK_TIMED_OUT": "timed_out"}
"""The only workflow tasks that get a row."""

_NAMES: dict[int, str] = {int(number): name.removeprefix("EVENT_TYPE_") for name, number in EventType.items()}


def name(number: int) -> str:
    """The event type in upper case without its prefix; a type newer than this client is EVENT_<n>."""
    return _NAMES.get(number, f"EVENT_{number}")


@cache
def title(upper: str) -> str:
    """ACTIVITY_TASK_STARTED as ActivityTaskStarted."""
    return "".join(part.capitalize() for part in upper.split("_"))


@cache
def words(upper: str) -> str:
    """ACTIVITY_TASK_STARTED as "Activity task started"."""
    return upper.replace("_", " ").capitalize()


_OWN = ("wippy.resolve", "wippy.attributes", "wippy.entropy", "wippy.filled", "wippy.watch", "wippy.unwatch",
        "wippy.link", "wippy.unlink", "wippy.ended", "wippy.describe")  # fmt: skip
"""What the engine looks up or keeps for itself. Others of its activities do what the code asked for."""


def is_own(kind: Kind, label: str, event_name: str) -> bool:
    """Whether a row is a step of the engine, or of the SDK, and none of the author's code."""
    return label in _OWN or (kind == "marker" and event_name == "MARKER_RECORDED")
