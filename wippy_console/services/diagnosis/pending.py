"""What a run has under way that its history does not tell: attempts of calls, children, timers, its workflow task."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import ParentClosePolicy, PendingActivityState, PendingWorkflowTaskState
from temporalio.api.workflow.v1 import PendingActivityInfo, PendingChildExecutionInfo, PendingWorkflowTaskInfo

from engine.errors import Failure
from wippy_console.models import Run
from wippy_console.services import secrets, timeline
from wippy_console.services.timeline import Row, moment, payloads

MOST = 200
"""Of each kind so many are listed."""

_STATES = {
    PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED: "Waits for its next try",
    PendingActivityState.PENDING_ACTIVITY_STATE_STARTED: "Under way",
    PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED: "Asked to stop",
    PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED: "Paused",
    PendingActivityState.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED: "Asked to pause",
}


@dataclass(frozen=True, slots=True)
class Activity:
    """A call that is not done. `most` is 0 for no limit of attempts; times are None where Temporal tells none."""

    id: str
    name: str
    state: str
    attempt: int
    most: int
    since: datetime | None
    started: datetime | None
    next_at: datetime | None
    expires: datetime | None
    failure: Failure | None
    worker: str
    queue: str
    beat_at: datetime | None
    beats: tuple[Any, ...]
    timeouts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Child:
    """A run that this one started and that has not ended; `policy` says what becomes of it when this one ends."""

    workflow_id: str
    run_id: str
    name: str
    policy: str


@dataclass(frozen=True, slots=True)
class Task:
    """The workflow task that is under way or waits for a worker; `failure` is that of the attempt before."""

    state: str
    attempt: int
    since: datetime | None
    started: datetime | None
    failure: Failure | None

    @property
    def fails(self) -> bool:
        """Whether it was tried before in vain."""
        return self.attempt > 1


@dataclass(frozen=True, slots=True)
class Pending:
    """All of it; `unlisted` counts what is more than MOST, by kind."""

    task: Task | None
    activities: tuple[Activity, ...]
    children: tuple[Child, ...]
    timers: tuple[Row, ...]
    questions: tuple[Row, ...]
    others: int
    unlisted: dict[str, int]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return not (self.task or self.activities or self.children or self.timers or self.questions or self.others)


def pending(run: Run, user: Any) -> Pending:
    """Of an open run; NotFoundError, Unavailable."""
    now = secrets.describe(run, user)
    rows = timeline.rows(run, user).rows
    timers = [row for row in rows if row.kind == "timer" and row.is_open]
    questions = [row for row in rows if row.kind == "question" and row.is_open]
    task = now.pending_workflow_task if now.HasField("pending_workflow_task") else None
    counts = {"calls": len(now.pending_activities), "children": len(now.pending_children), "timers": len(timers)}
    return Pending(
        task=_task(task, _why(run, user, rows) if task.attempt > 1 else None) if task else None,
        activities=tuple(_activity(each) for each in _first(now.pending_activities)),
        children=tuple(_child(each) for each in _first(now.pending_children)),
        timers=tuple(sorted(timers, key=lambda row: row.deadline or row.start)[:MOST]),
        questions=tuple(questions[:MOST]),
        others=len(now.pending_nexus_operations),
        unlisted={kind: count - MOST for kind, count in counts.items() if count > MOST},
    )


def _first(items: Iterable[Any]) -> list[Any]:
    return list(items)[:MOST]


def _activity(info: PendingActivityInfo) -> Activity:
    return Activity(
        id=info.activity_id,
        name=info.activity_type.name,
        state=_STATES.get(info.state, "Pending") if info.attempt > 1 or info.state != 1 else "Waits for a worker",
        attempt=max(info.attempt, 1),
        most=info.maximum_attempts,
        since=_moment(info, "scheduled_time"),
        started=_moment(info, "last_started_time"),
        next_at=_moment(info, "next_attempt_schedule_time"),
        expires=_moment(info, "expiration_time"),
        failure=timeline.read_failure(info.last_failure) if info.HasField("last_failure") else None,
        worker=info.last_worker_identity,
        queue=info.activity_options.task_queue.name,
        beat_at=_moment(info, "last_heartbeat_time"),
        beats=tuple(payloads.values(info.heartbeat_details)),
        timeouts=tuple(_timeouts(info)),
    )


def _timeouts(info: PendingActivityInfo) -> Iterable[tuple[str, str]]:
    names = {
        "schedule_to_close_timeout": "in all",
        "schedule_to_start_timeout": "to begin",
        "start_to_close_timeout": "an attempt",
        "heartbeat_timeout": "between heartbeats",
    }
    for name, words in names.items():
        if span := span_of(getattr(info.activity_options, name)):
            yield words, span


def span_of(duration: Duration) -> str:
    """A span in words of its units; "" for none."""
    rest, parts = duration.ToTimedelta().total_seconds(), []
    for word, size in (("d", 86400), ("h", 3600), ("min", 60)):
        count, rest = divmod(rest, size)
        parts += [f"{count:g} {word}"] if count else []
    return " ".join([*parts, f"{rest:g} s"] if rest else parts)


def _child(info: PendingChildExecutionInfo) -> Child:
    policy = ParentClosePolicy.Name(info.parent_close_policy).removeprefix("PARENT_CLOSE_POLICY_")
    return Child(info.workflow_id, info.run_id, info.workflow_type_name, policy.lower().replace("_", " "))


def _why(run: Run, user: Any, rows: Iterable[Row]) -> Failure | None:
    """Why the newest workflow task failed, with its stack."""
    failed = [row for row in rows if row.kind == "task" and row.failure][-1:]
    return next((row.failure for row in timeline.opened(run, user, failed)), None)


def _task(info: PendingWorkflowTaskInfo, failure: Failure | None) -> Task:
    started = info.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED
    return Task(
        state="Under way" if started else "Waits for a worker",
        attempt=max(info.attempt, 1),
        since=_moment(info, "original_scheduled_time") or _moment(info, "scheduled_time"),
        started=_moment(info, "started_time"),
        failure=failure,
    )


def _moment(message: Any, name: str) -> datetime | None:
    if not message.HasField(name):
        return None
    at: Timestamp = getattr(message, name)
    return moment(at)
