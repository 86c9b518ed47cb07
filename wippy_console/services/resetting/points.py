"""Where a run can be reset to: the workflow tasks that it completed. Pure; takes the events of a history."""

from __future__ import annotations

from collections.abc import Iterable

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from wippy_console.services.errors import NotFoundError, Refused

_TASK = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
_ISSUED_BY = "workflow_task_completed_event_id"
_NONE = "The run has taken no step yet, so there is none to go back to."


def boundary(events: Iterable[HistoryEvent], event_id: int) -> int:
    """The task before which the run is as it was when the event came to be: it is carried out anew.

    What code issued belongs to the task that issued it. What came from outside belongs to the task before it, so that
    it may be left out. Refused where the run took no step; NotFoundError for an event that there is not.
    """
    listed = list(events)
    chosen = next((event for event in listed if event.event_id == event_id), None)
    if chosen is None:
        raise NotFoundError(f"The run has no event {event_id}.")
    tasks = _tasks(listed)
    issued = _issued_by(chosen)
    if issued in tasks:
        return issued
    return max((task for task in tasks if task <= event_id), default=tasks[0])


def first(events: Iterable[HistoryEvent]) -> int:
    """The task with which all begins anew."""
    return _tasks(list(events))[0]


def last(events: Iterable[HistoryEvent]) -> int:
    """The newest task."""
    return _tasks(list(events))[-1]


def _tasks(events: list[HistoryEvent]) -> list[int]:
    found = [event.event_id for event in events if event.event_type == _TASK]
    if not found:
        raise Refused(_NONE)
    return found


def _issued_by(event: HistoryEvent) -> int:
    which = event.WhichOneof("attributes")
    attributes = getattr(event, which) if which else event
    return int(getattr(attributes, _ISSUED_BY, 0))
