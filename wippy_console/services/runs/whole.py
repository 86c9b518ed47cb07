"""Values of runs that are too large for their rows, whole: from the history, with secrets masked."""

from __future__ import annotations

from typing import Any

from temporalio.api.history.v1 import HistoryEvent

from engine.hosts.temporal.wire import payloads
from wippy_console.models import Run
from wippy_console.services.errors import NotFoundError
from wippy_console.services.secrets import history

INPUT, RESULT, FAILURE = "input", "result", "failure"


def value(run: Run, which: str, user: Any) -> Any:
    """All arguments, the result, or the failure as the user may see them; NotFoundError, Unavailable."""
    events = list(history(run, user).events)
    match which:
        case "input":
            return _values(events[0].workflow_execution_started_event_attributes.input.payloads)
        case "result" if events[-1].HasField("workflow_execution_completed_event_attributes"):
            found = _values(events[-1].workflow_execution_completed_event_attributes.result.payloads)
            return found[0] if found else None
        case "failure" if events[-1].HasField("workflow_execution_failed_event_attributes"):
            return _failure(events[-1])
        case _:
            raise NotFoundError(f"The run has no {which}.")


def _failure(event: HistoryEvent) -> Any:
    failure = event.workflow_execution_failed_event_attributes.failure
    details = _values(failure.application_failure_info.details.payloads)
    return {"message": failure.message, "kind": failure.application_failure_info.type, "details": details}


def _values(items: Any) -> list[Any]:
    return [payloads.decode(each) for each in items]
