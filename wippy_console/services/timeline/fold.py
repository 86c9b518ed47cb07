"""Folds a history into rows: pure, one pass, no database and no Temporal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

from temporalio.api.enums.v1 import TimeoutType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent

from engine.errors import CANCELED, TIMEOUT, Failure
from wippy_console.services.timeline import drafts, heads, payloads, rules, telling
from wippy_console.services.timeline.drafts import Draft, moment
from wippy_console.services.timeline.failures import read_failure
from wippy_console.services.timeline.loops import Stretches
from wippy_console.services.timeline.telling import Tell
from wippy_console.services.timeline.values import EventRef, State

_HARMLESS = {
    # New events came while the worker was completing the task: it is simply done again.
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
}


_TASK_ENDS = ("WORKFLOW_TASK_COMPLETED", "WORKFLOW_TASK_FAILED", "WORKFLOW_TASK_TIMED_OUT")
_MESSAGE = 500
"""Characters of a failure's message that a light fold keeps."""

_ALONE = ("workflow", "exit", "task")
"""Kinds of rows that are in no loop."""


class Fold:
    """Reads events in order; `drafts` are the rows by head event id, in the order in which they began.

    `tell` says what a row did, by kind, label and arguments. A `light` fold keeps no values and no stacks.
    `changed` are the ids of rows that changed since somebody emptied it, `decided` those of rows by their decision.
    """

    def __init__(self, tell: Tell = telling.plain, *, light: bool = False) -> None:
        self.drafts: dict[int, Draft] = {}
        self.open: dict[int, Draft] = {}
        self.changed: dict[int, None] = {}
        self.decided: dict[str, int] = {}
        self.stretches = Stretches()
        self.last_event_id = 0
        self._tell, self._light = tell, light
        self._heads: dict[int, int] = {}
        self._tasks: dict[int, EventRef] = {}

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
        draft.summary = draft.summary or telling.summary(draft, self._tell)
        if self._light:
            draft.input = draft.output = None
        self.drafts[draft.id] = draft
        if draft.decision_id:
            self.decided[draft.decision_id] = draft.id
        self._touch(draft, event.event_id)
        if not draft.own:
            self._neighbours(draft, event.event_id)

    def _neighbours(self, draft: Draft, event_id: int) -> None:
        """Put the row into a loop with those before it, if they are one."""
        key = None if draft.kind in _ALONE or draft.decision_id else (draft.kind, draft.label)
        for row_id in self.stretches.add(draft.id, key):
            self.drafts[row_id].loop = self.stretches.first
            self._touch(self.drafts[row_id], event_id)

    def _touch(self, draft: Draft, event_id: int) -> None:
        """Note that the event changed the row."""
        draft.touched = event_id
        self.changed[draft.id] = None
        if self._light and draft.failure is not None:
            draft.failure = replace(draft.failure, message=draft.failure.message[:_MESSAGE], stack="", details={})
        if draft.end is None:
            self.open[draft.id] = draft
        else:
            self.open.pop(draft.id, None)

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
        if not self._light:
            _read_output(draft, attrs)
        if rule.closes:
            draft.end = moment(event.event_time)
        self._touch(draft, event.event_id)

    def _admitted(self, event: HistoryEvent) -> int:
        admitted = event.workflow_execution_update_accepted_event_attributes.accepted_request_sequencing_event_id
        draft = self.drafts.get(admitted)
        return admitted if draft is not None and draft.kind == "update" else 0

    def _admission(self, event: HistoryEvent, name: str) -> None:
        head = self._admitted(event)
        self._heads[event.event_id] = head
        self.drafts[head].state = "running"
        self.drafts[head].events.append(drafts.reference(event, name))
        self._touch(self.drafts[head], event.event_id)

    def _task(self, event: HistoryEvent, name: str) -> None:
        self._tasks[event.event_id] = drafts.reference(event, name)
        start = self.drafts.get(1)
        if name == "WORKFLOW_TASK_STARTED" and start is not None and start.started is None:
            start.started = moment(event.event_time)
            self._touch(start, event.event_id)
        if name in rules.TASK_FAILURES and not _ordinary(event, name):
            self._task_failure(event, name)
        if name in _TASK_ENDS:
            self._tasks.clear()  # tasks come one after the other

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
        start = self.drafts.get(1)
        for draft in list(self.open.values()):
            if draft is not start and not draft.outlives:
                draft.end, draft.state = exit_row.end, "canceled"
                self._touch(draft, exit_row.id)
        if start is not None:
            start.end, start.state, start.failure = exit_row.end, exit_row.state, exit_row.failure
            start.output = None if self._light else exit_row.output
            start.events.append(closing)
            self._touch(start, exit_row.id)


def _read_follower(draft: Draft, event: HistoryEvent, attrs: Any) -> None:
    if draft.kind == "child" and drafts.present(attrs, "workflow_execution") is not None:
        draft.child = (attrs.workflow_execution.workflow_id, attrs.workflow_execution.run_id)
    if draft.state == "running" and draft.started is None:
        draft.started = moment(event.event_time)
    draft.attempt = drafts.present(attrs, "attempt") or draft.attempt
    _read_outcome(draft, attrs)


def _read_output(draft: Draft, attrs: Any) -> None:
    output = drafts.present(attrs, "result")
    if output is not None:
        draft.output = drafts.first(output) if hasattr(output, "payloads") else payloads.value(output)
    outcome = drafts.present(attrs, "outcome")
    if outcome is not None and not outcome.HasField("failure"):
        draft.output = drafts.first(outcome.success)


def _read_outcome(draft: Draft, attrs: Any) -> None:
    """A failure in whichever field this type of event keeps it; a retry's last failure counts while it runs."""
    for name in ("failure", "last_failure"):
        if drafts.present(attrs, name) is not None:
            draft.failure = read_failure(getattr(attrs, name))
    outcome = drafts.present(attrs, "outcome")
    if outcome is not None and outcome.HasField("failure"):
        draft.state, draft.failure = "failed", read_failure(outcome.failure)
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
