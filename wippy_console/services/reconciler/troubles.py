"""Runs that do not get on: which to look at, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from django.utils import timezone
from temporalio.api.enums.v1 import EventType, PendingWorkflowTaskState, TaskQueueType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingWorkflowTaskInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus

from wippy_console.database.threads import in_thread
from wippy_console.models import Run
from wippy_console.services import quarantine, states
from wippy_console.services.projection import RPC_TIMEOUT, Ref, Stalled, fetch_tail, handle_of
from wippy_console.services.reconciler import calls

SURELY_TAKEN = timedelta(seconds=15)
REPORTED = "TemporalReportedProblems IS NOT NULL"
LOOKED_AT = 20
SWEPT = 5
FAILING_FROM, SURELY_FROM = 2, 3
# As the server has it, unless its `history.workflowTaskRetryMaxInterval` is less.
FIRST_SLOWED, SLOWED_BY, SLOWED_MOST = 4, timedelta(seconds=5), timedelta(minutes=10)


Turns = Mapping[str, str]
"""How far each round over some runs has come: the last run id that was looked at."""


def suspects(client_id: str, turns: Turns) -> tuple[list[Ref], Turns]:
    """Runs to look at now, and where the next look goes on.

    Those known to be in trouble or on queues that others serve, those whose steps no node of ours saw (the newest of
    them at once), and a few more, each in turn: the cost does not grow with the number of open runs.
    """
    every, late = Run.objects.filter(client=client_id), timezone.now() - states.TAKEN_EXPECTED
    runs = every.filter(status=Run.Status.RUNNING)
    unseen = runs.filter(history_length=0, closed_at=None, troubled_since=None, started_at__lt=late)
    unseen = unseen.exclude(starts_at__gt=late)
    rounds = {
        "troubled": (every.filter(troubled_since__isnull=False), LOOKED_AT),  # as their indexes are: of open runs alone
        "elsewhere": (every.filter(elsewhere=True, closed_at=None), LOOKED_AT),
        "unseen": (unseen, LOOKED_AT),
        "all": (runs, SWEPT),
    }
    found, reached = list(unseen.order_by("-started_at")[:SWEPT]), {}
    for name, (rows, size) in rounds.items():
        some = list(rows.filter(run_id__gt=turns.get(name, "")).order_by("run_id")[:size])
        reached[name] = some[-1].run_id if len(some) == size else ""
        found += some
    return list({run.run_id: Ref(client_id, run.workflow_id, run.run_id) for run in found}.values()), reached


async def diagnose(client: Client, ref: Ref) -> Stalled | None:
    """What is wrong with a run (`reason` "" when nothing is), None when it has ended."""
    began = timezone.now()
    description = await handle_of(client, ref).describe(rpc_timeout=RPC_TIMEOUT)
    if description.status != WorkflowExecutionStatus.RUNNING:
        return None
    raw = description.raw_description
    attempt = raw.pending_workflow_task.attempt if raw.HasField("pending_workflow_task") else 0
    reason = await _trouble(client, ref, description, attempt)
    return Stalled(ref.run_id, reason, attempt, tuple(calls.retrying(ref.run_id, raw.pending_activities)), began)


async def _trouble(client: Client, ref: Ref, description: WorkflowExecutionDescription, attempt: int) -> str:
    raw = description.raw_description
    if not attempt:
        return await calls.unserved(client, raw.pending_activities)
    # Temporal records the first failure of a task only, which came before.
    if attempt >= FAILING_FROM and (why := await in_thread(partial(quarantine.of_run, ref.run_id))):
        return why
    if attempt >= FAILING_FROM and await in_thread(partial(quarantine.lifted_for, ref.run_id, _taken_at(raw))):
        return (
            f"its quarantine is lifted, Temporal tries it again by {next_try(raw):%Y-%m-%d %H:%M:%S} UTC at the latest"
        )
    if attempt >= FAILING_FROM:
        return _failing(attempt, failed_task(await fetch_tail(client, ref)))
    return await _not_taken(client, description, raw.pending_workflow_task)


def next_try(raw: DescribeWorkflowExecutionResponse) -> datetime:
    """When the server tries the task again at the latest, whose failure nobody reports to it after the first.

    It waits until the attempt runs out, and gives each more time (docs/pitfalls.md#a-task-that-fails-again).
    """
    waits = raw.execution_config.default_workflow_task_timeout.ToTimedelta()
    if (more := raw.pending_workflow_task.attempt - FIRST_SLOWED) >= 0:
        waits += min(SLOWED_BY * 2 ** min(more, 20), SLOWED_MOST)
    return _taken_at(raw) + waits


def _taken_at(raw: DescribeWorkflowExecutionResponse) -> datetime:
    task = raw.pending_workflow_task
    return (task.started_time if task.HasField("started_time") else task.scheduled_time).ToDatetime(tzinfo=UTC)


def failed_task(tail: Sequence[HistoryEvent]) -> str:
    """Why the newest task failed, "" when it did not; `tail` is newest first."""
    for event in tail:
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                return ""
            case EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                attributes = event.workflow_task_failed_event_attributes
                cause = WorkflowTaskFailedCause.Name(attributes.cause).removeprefix("WORKFLOW_TASK_FAILED_CAUSE_")
                return f"{attributes.failure.message or 'no message'} ({cause.lower().replace('_', ' ')})"
    return ""


def _failing(attempt: int, why: str) -> str:
    """A second attempt without a failure is what a worker leaves behind that was killed: not yet a trouble."""
    if not why and attempt < SURELY_FROM:
        return ""
    return f"its workflow task fails again and again: {why or 'it times out'}"


async def _not_taken(client: Client, description: WorkflowExecutionDescription, task: PendingWorkflowTaskInfo) -> str:
    """Whether nobody works on it: a queue without workers is known soon, one whose workers died or rest later."""
    waits = datetime.now(UTC) - task.scheduled_time.ToDatetime(tzinfo=UTC)
    queue = description.task_queue
    if task.state != PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
        return ""
    if waits >= SURELY_TAKEN:
        return f"{states.NOBODY} takes its workflow task from {states.QUEUE}{queue}"
    if waits < states.TAKEN_EXPECTED:
        return ""
    served = await calls.is_served(client, queue, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)
    return "" if served else f"{states.NOBODY} serves {states.QUEUE}{queue}"
