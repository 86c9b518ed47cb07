"""Who asked a run to stop, and why, while it goes on or after it went on all the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from temporalio.api.enums.v1 import EventType

from wippy_console.models import Run
from wippy_console.services import histories, secrets
from wippy_console.services.errors import Refused
from wippy_console.services.masking import MASK
from wippy_console.services.timeline import moment


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """The newest request, from whichever client; `reason` may be empty."""

    by: str
    reason: str
    at: datetime


def cancel_asked(run: Run, user: Any) -> CancelAsked | None:
    """By what was read of the history for the page already: it costs no request of its own."""
    if run.status in (Run.Status.CANCELED, Run.Status.TERMINATED):
        return None  # its failure says so
    wanted = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
    event = next((each for each in reversed(histories.cache.get(run.run_id)) if each.event_type == wanted), None)
    if event is None:
        return None
    found = event.workflow_execution_cancel_requested_event_attributes
    return CancelAsked(found.identity, _shown(run, user, found.cause), moment(event.event_time))


def _shown(run: Run, user: Any, reason: str) -> str:
    if not reason:
        return ""
    try:
        return secrets.veil(run, user).text(reason)
    except Refused:
        return MASK
