"""Runs that do not get on: which to look at, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from django.utils import timezone
from temporalio.api.enums.v1 import EventType, PendingWorkflowTaskState, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingWorkflowTaskInfo
from temporalio.client import Client, WorkflowExecutionDescription

from wippy_console.database.threads import in_thread
from wippy_console.models import Run
from wippy_console.services import quarantine
from wippy_console.services.projection import RPC_TIMEOUT, Ref, Stalled, fetch_tail, handle_of

STEP_EXPECTED = timedelta(seconds=3)
TAKEN_EXPECTED = timedelta(seconds=15)
REPORTED = "TemporalReportedProblems IS NOT NULL"
LOOKED_AT = 20
SWEPT = 5
FAILING_FROM, SURELY_FROM = 2, 3


def suspects(client_id: str, swept_to: str) -> tuple[list[Ref], str]:
    """Runs to look at now, and how far the sweep over all open runs has come.

    Those known to be stuck, those that never took a step, and a few more in turn: the cost does not grow with
    the number of open runs.
    """
    runs = Run.objects.filter(client=client_id, status=Run.Status.RUNNING)
    stuck = runs.exclude(stuck_reason="").order_by("observed_at")[:LOOKED_AT]
    silent = runs.filter(history_length=0, started_at__lt=timezone.now() - STEP_EXPECTED).order_by("-started_at")
    swept = list(runs.filter(run_id__gt=swept_to).order_by("run_id")[:SWEPT])
    found = {run.run_id: Ref(client_id, run.workflow_id, run.run_id) for run in (*stuck, *silent[:LOOKED_AT], *swept)}
    return list(found.values()), swept[-1].run_id if len(swept) == SWEPT else ""


async def diagnose(client: Client, ref: Ref) -> Stalled:
    """What is wrong with a run; `reason` "" when nothing is."""
    description = await handle_of(client, ref).describe(rpc_timeout=RPC_TIMEOUT)
    if not description.raw_description.HasField("pending_workflow_task"):
        return Stalled(ref.run_id, "")
    task = description.raw_description.pending_workflow_task
    # Temporal records the first failure of a task only, which came before.
    if task.attempt >= FAILING_FROM and (why := await in_thread(partial(quarantine.of_run, ref.run_id))):
        return Stalled(ref.run_id, why, task.attempt)
    if task.attempt >= FAILING_FROM:
        return _failing(ref, task.attempt, failed_task(await fetch_tail(client, ref)))
    return Stalled(ref.run_id, _not_taken(description, task), task.attempt)


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


def _failing(ref: Ref, attempt: int, why: str) -> Stalled:
    """A second attempt without a failure is what a worker leaves behind that was killed: not yet a trouble."""
    if not why and attempt < SURELY_FROM:
        return Stalled(ref.run_id, "", attempt)
    return Stalled(ref.run_id, f"its workflow task fails again and again: {why or 'it times out'}", attempt)


def _not_taken(description: WorkflowExecutionDescription, task: PendingWorkflowTaskInfo) -> str:
    scheduled = task.scheduled_time.ToDatetime(tzinfo=UTC)
    waiting = task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED
    if not waiting or datetime.now(UTC) - scheduled < TAKEN_EXPECTED:
        return ""
    return f"no worker takes its workflow task from task queue {description.task_queue}"
