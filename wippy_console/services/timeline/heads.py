"""How the first event of a row is read: label, arguments, sender, deadline."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import ParentClosePolicy
from temporalio.api.history.v1 import HistoryEvent

from wippy_console.services.timeline import drafts, payloads, rules
from wippy_console.services.timeline.drafts import Draft, moment
from wippy_console.services.timeline.failures import read_failure
from wippy_console.services.timeline.rules import Head

_MARKER = Head("marker", "completed", closes=True)
_DECISION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LOCAL, _PATCH = "core_local_activity", "core_patch"


def begin(event: HistoryEvent, name: str) -> Draft:
    """The row that the event begins."""
    rule = rules.HEADS.get(name, _MARKER)
    at = moment(event.event_time)
    draft = Draft(event.event_id, rule.kind, rules.words(name), rule.state, at, end=at if rule.closes else None)
    draft.summary = _summary(event)
    attrs = drafts.attributes(event)
    draft.input = drafts.arguments(attrs)
    if name in _READERS:
        _READERS[name](draft, attrs)
    draft.own = rules.is_own(draft.kind, draft.label, name)
    return draft


def _start(draft: Draft, attrs: Any) -> None:
    draft.label = attrs.workflow_type.name
    draft.attempt = max(attrs.attempt, 1)
    draft.summary = draft.summary or _schedule(attrs)
    draft.sender = attrs.identity


def _schedule(attrs: Any) -> str:
    """Why its code begins later than the run, "" when it doesn't."""
    if attrs.cron_schedule:
        return f"cron {attrs.cron_schedule}"
    delay = attrs.first_workflow_task_backoff.ToTimedelta()
    return f"begins after {spoken(delay)}" if delay else ""


def _activity(draft: Draft, attrs: Any) -> None:
    draft.label, draft.activity_id = attrs.activity_type.name, attrs.activity_id


def _signal_other(draft: Draft, attrs: Any) -> None:
    draft.label, draft.child = attrs.signal_name, _execution(attrs)


def _cancel_other(draft: Draft, attrs: Any) -> None:
    draft.label, draft.child = "CANCEL", _execution(attrs)


def _operation(draft: Draft, attrs: Any) -> None:
    draft.label = f"{attrs.service} {attrs.operation}"


def _cancel(draft: Draft, attrs: Any) -> None:
    draft.label, draft.sender = "CANCEL", attrs.identity
    draft.input = [{"reason": attrs.cause}] if attrs.cause else None


def _timer(draft: Draft, duration: Duration) -> None:
    span = duration.ToTimedelta()
    draft.label = f"Sleep {spoken(span)}"
    draft.deadline = draft.start + span


def _child(draft: Draft, attrs: Any) -> None:
    draft.label = attrs.workflow_type.name
    draft.child = (attrs.workflow_id, "")
    draft.outlives = attrs.parent_close_policy == ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON


def _execution(attrs: Any) -> tuple[str, str]:
    return (attrs.workflow_execution.workflow_id, attrs.workflow_execution.run_id)


def _signal(draft: Draft, attrs: Any) -> None:
    draft.label = attrs.signal_name
    draft.sender = drafts.header(attrs, "temporal.signal.from") or attrs.identity
    decision = drafts.header(attrs, "wippy-decision")
    draft.decision_id = decision if _DECISION.fullmatch(decision) else ""


def _update(draft: Draft, attrs: Any) -> None:
    request = attrs.request if "request" in attrs.DESCRIPTOR.fields_by_name else attrs.accepted_request
    draft.label = request.input.name
    draft.sender = request.meta.identity
    draft.input = payloads.values(request.input.args)


def _marker(draft: Draft, attrs: Any) -> None:
    if attrs.marker_name == _LOCAL:
        _local_activity(draft, attrs)
    elif attrs.marker_name == _PATCH:
        details = payloads.values(attrs.details["patch-data"])
        draft.label = f"Patch {details[0].get('id', '')}" if details and isinstance(details[0], dict) else "Patch"
    else:
        draft.label = attrs.marker_name
        draft.output = {key: payloads.values(found) for key, found in attrs.details.items()} or None


def _local_activity(draft: Draft, attrs: Any) -> None:
    """A local activity is one event, written when it ended; the marker says when it was scheduled."""
    data = next(iter(payloads.values(attrs.details["data"])), None)
    about = data if isinstance(data, dict) else {}
    draft.kind = "local"
    draft.label = str(about.get("activity_type", "local activity"))
    draft.attempt = int(about.get("attempt") or 1)
    draft.output = drafts.first(attrs.details["result"]) if "result" in attrs.details else None
    if attrs.HasField("failure"):
        draft.state, draft.failure = "failed", read_failure(attrs.failure)
    scheduled, completed = (_seconds(about.get(key)) for key in ("original_schedule_time", "complete_time"))
    if scheduled and completed and completed > scheduled and draft.end:
        draft.start = draft.started = draft.end - timedelta(seconds=completed - scheduled)


def _seconds(stamp: Any) -> float:
    return stamp.get("seconds", 0) + stamp.get("nanos", 0) / 1e9 if isinstance(stamp, dict) else 0.0


def _summary(event: HistoryEvent) -> str:
    return payloads.text(event.user_metadata.summary) if event.user_metadata.HasField("summary") else ""


def spoken(span: timedelta) -> str:
    """A duration as Lua code writes it: 90 s is "1m30s", a day "24h", 1.5 s "1.5s"."""
    whole, micros = divmod(span // timedelta(microseconds=1), 1_000_000)
    hours, rest = divmod(whole, 3600)
    minutes, seconds = divmod(rest, 60)
    if not whole:
        return f"{micros / 1000:g}ms"
    last = f"{seconds + micros / 1e6:g}s" if seconds or micros else ""
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "") + last


_READERS: dict[str, Callable[[Draft, Any], None]] = {
    "WORKFLOW_EXECUTION_STARTED": _start,
    "ACTIVITY_TASK_SCHEDULED": _activity,
    "TIMER_STARTED": lambda draft, attrs: _timer(draft, attrs.start_to_fire_timeout),
    "START_CHILD_WORKFLOW_EXECUTION_INITIATED": _child,
    "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": _signal_other,
    "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED": _cancel_other,
    "NEXUS_OPERATION_SCHEDULED": _operation,
    "WORKFLOW_EXECUTION_SIGNALED": _signal,
    "WORKFLOW_EXECUTION_CANCEL_REQUESTED": _cancel,
    "WORKFLOW_EXECUTION_UPDATE_ADMITTED": _update,
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED": _update,
    "MARKER_RECORDED": _marker,
}
