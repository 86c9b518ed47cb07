"""Folds a history into rows: pure, one pass, no database and no Temporal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from temporalio.api.enums.v1 import PendingActivityState, TimeoutType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo, PendingWorkflowTaskInfo

from engine.errors import CANCELED, TIMEOUT, Failure
from wippy_console.services.timeline import drafts, heads, payloads, rules
from wippy_console.services.timeline.drafts import Draft, moment
from wippy_console.services.timeline.failures import read_failure
from wippy_console.services.timeline.values import EventRef, State

_HARMLESS = {
    # New events came while the worker was completing the task: it is simply done again.
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
}


class Fold:
    """Reads events in order; `drafts` are the rows by head event id, in order of their heads."""

    def __init__(self) -> None:
        self.drafts: dict[int, Draft] = {}
        self._heads: dict[int, int] = {}
        self._tasks: dict[int, EventRef] = {}
        self.last_event_id = 0

    def read(self, events: Iterable[HistoryEvent]) -> None:
        """Take the next events."""
        for event in events:
            self._event(event, rules.name(event.event_type))
            self.last_event_id = event.event_id

    def _event(self, event: HistoryEvent, name: str) -> None:
        if name in rules.FOLLOWS:
            self._follow(event, name)
        elif name in rules.CLOSINGS:
            self._close(event, name)
        elif name.startswith("WORKFLOW_TASK_"):
            self._task(event, name)
        elif name == "WORKFLOW_EXECUTION_UPDATE_ACCEPTED" and self._admitted(event):
            self._admission(event, name)
        else:
            self._add(event, name, heads.begin(event, name))

    def _add(self, event: HistoryEvent, name: str, draft: Draft) -> None:
        draft.events.append(drafts.reference(event, name))
        self.drafts[draft.id] = draft

    def _follow(self, event: HistoryEvent, name: str) -> None:
        rule, attrs = rules.FOLLOWS[name], drafts.attributes(event)
        head = getattr(attrs, rule.field)
        draft = self.drafts.get(self._heads.get(head, head))
        if draft is None:  # an event newer than this client, or a history cut at its beginning
            self._add(event, name, heads.begin(event, name))
            return
        draft.events.append(drafts.reference(event, name))
        draft.state = rule.state or draft.state
        _read_follower(draft, event, attrs)
        if rule.closes:
            draft.end = moment(event.event_time)

    def _admitted(self, event: HistoryEvent) -> int:
        admitted = event.workflow_execution_update_accepted_event_attributes.accepted_request_sequencing_event_id
        draft = self.drafts.get(admitted)
        return admitted if draft is not None and draft.kind == "update" else 0

    def _admission(self, event: HistoryEvent, name: str) -> None:
        head = self._admitted(event)
        self._heads[event.event_id] = head
        self.drafts[head].state = "running"
        self.drafts[head].events.append(drafts.reference(event, name))

    def _task(self, event: HistoryEvent, name: str) -> None:
        self._tasks[event.event_id] = drafts.reference(event, name)
        start = self.drafts.get(1)
        if name == "WORKFLOW_TASK_STARTED" and start is not None and start.started is None:
            start.started = moment(event.event_time)
        if name in rules.TASK_FAILURES and not _ordinary(event, name):
            self._task_failure(event, name)

    def _task_failure(self, event: HistoryEvent, name: str) -> None:
        attrs = drafts.attributes(event)
        before = [self._tasks[i] for i in (attrs.scheduled_event_id, attrs.started_event_id) if i in self._tasks]
        at = moment(event.event_time)
        draft = Draft(attrs.scheduled_event_id, "task", "Workflow task", "failed", before[0].at if before else at)
        draft.started, draft.end, draft.events = at, at, before
        draft.state = cast("State", rules.TASK_FAILURES[name])
        draft.failure = (
            read_failure(attrs.failure) if name == "WORKFLOW_TASK_FAILED" else _late("the worker did not answer")
        )
        draft.summary = draft.failure.message
        self._add(event, name, draft)

    def _close(self, event: HistoryEvent, name: str) -> None:
        attrs, state, at = drafts.attributes(event), rules.CLOSINGS[name], moment(event.event_time)
        exit_row = Draft(event.event_id, "exit", "EXIT", state, at, at, at)
        exit_row.output, exit_row.failure = drafts.first(drafts.present(attrs, "result")), _reason(name, attrs)
        if name == "WORKFLOW_EXECUTION_CONTINUED_AS_NEW":
            exit_row.child = ("", attrs.new_execution_run_id)
            exit_row.input = drafts.arguments(attrs)
        self._end_all(exit_row, drafts.reference(event, name))
        self._add(event, name, exit_row)

    def _end_all(self, exit_row: Draft, closing: EventRef) -> None:
        """What was open when the run ended is over too, except children that outlive their parent."""
        for draft in self.drafts.values():
            if draft.end is None and not draft.outlives:
                draft.end, draft.state = exit_row.end, "canceled"
        if 1 in self.drafts:
            start = self.drafts[1]
            start.state, start.output, start.failure = exit_row.state, exit_row.output, exit_row.failure
            start.events.append(closing)

    def pending(self, activities: Iterable[PendingActivityInfo], task: PendingWorkflowTaskInfo | None) -> None:
        """Add what only the server knows of an open run: attempts under way, and the failures before them."""
        by_id = {draft.activity_id: draft for draft in self.drafts.values() if draft.activity_id and draft.end is None}
        for info in activities:
            if info.activity_id in by_id:
                _pending_activity(by_id[info.activity_id], info)
        last = next((draft for draft in reversed(self.drafts.values()) if draft.kind == "task"), None)
        if task is not None and task.attempt > 1 and last is not None:
            last.attempt, last.end = task.attempt, None


def _read_follower(draft: Draft, event: HistoryEvent, attrs: Any) -> None:
    if draft.kind == "child" and drafts.present(attrs, "workflow_execution") is not None:
        draft.child = (attrs.workflow_execution.workflow_id, attrs.workflow_execution.run_id)
    if draft.state == "running" and draft.started is None:
        draft.started = moment(event.event_time)
    draft.attempt = drafts.present(attrs, "attempt") or draft.attempt
    output = drafts.present(attrs, "result")
    if output is not None:
        draft.output = drafts.first(output) if hasattr(output, "payloads") else payloads.value(output)
    _read_outcome(draft, attrs)


def _read_outcome(draft: Draft, attrs: Any) -> None:
    """A failure in whichever field this type of event keeps it; a retry's last failure counts while it runs."""
    for name in ("failure", "last_failure"):
        if drafts.present(attrs, name) is not None:
            draft.failure = read_failure(getattr(attrs, name))
    outcome = drafts.present(attrs, "outcome")
    if outcome is not None and outcome.HasField("failure"):
        draft.state, draft.failure = "failed", read_failure(outcome.failure)
    elif outcome is not None:
        draft.output = drafts.first(outcome.success)
    if draft.state == "completed":
        draft.failure = None
    elif draft.state in ("failed", "timed_out") and draft.failure is None:
        draft.failure = _cause(draft, attrs)


def _cause(draft: Draft, attrs: Any) -> Failure:
    field = attrs.DESCRIPTOR.fields_by_name.get("cause")
    if field is None or field.enum_type is None:
        return _late("it took too long") if draft.state == "timed_out" else Failure("", "failed")
    words = field.enum_type.values_by_number[attrs.cause].name.partition("_CAUSE_")[2]
    return Failure("NotFound" if "NOT_FOUND" in words else "", words.replace("_", " ").lower())


def _reason(name: str, attrs: Any) -> Failure | None:
    match name:
        case "WORKFLOW_EXECUTION_FAILED":
            return read_failure(attrs.failure)
        case "WORKFLOW_EXECUTION_TERMINATED":
            by = f" by {attrs.identity}" if attrs.identity else ""
            return Failure(CANCELED, f"terminated{by}: {attrs.reason or 'no reason given'}", retryable=False)
        case "WORKFLOW_EXECUTION_TIMED_OUT":
            return _late("the run took longer than it may")
        case _:
            return None


def _late(message: str) -> Failure:
    return Failure(TIMEOUT, message, retryable=False)


def _ordinary(event: HistoryEvent, name: str) -> bool:
    """Whether a failed task says nothing about the workflow's code."""
    attrs = drafts.attributes(event)
    if name == "WORKFLOW_TASK_TIMED_OUT":  # a worker went away with its sticky queue: normal on every restart
        return bool(attrs.timeout_type == TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START)
    return attrs.cause in _HARMLESS


def _pending_activity(draft: Draft, info: PendingActivityInfo) -> None:
    draft.attempt = max(info.attempt, 1)
    if info.HasField("last_started_time"):
        draft.started = moment(info.last_started_time)
    draft.state = "running" if info.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED else "scheduled"
    if info.HasField("last_failure"):
        draft.failure = read_failure(info.last_failure)
    if info.HasField("next_attempt_schedule_time"):
        draft.deadline = moment(info.next_attempt_schedule_time)
