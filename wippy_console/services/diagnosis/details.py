"""What a run was started with beside its input, and how Temporal holds it: memo, headers, timeouts, versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from temporalio.api.common.v1 import Payload, RetryPolicy
from temporalio.api.enums.v1 import VersioningBehavior
from temporalio.api.history.v1 import HistoryEvent, WorkflowExecutionStartedEventAttributes
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from wippy_console.models import Run
from wippy_console.services import secrets
from wippy_console.services.diagnosis.pending import span_of
from wippy_console.services.errors import NotFoundError, Unavailable
from wippy_console.services.secrets import hidden
from wippy_console.services.timeline import payloads

LIMIT = 16 * 1024
"""Bytes of a value that are shown."""


@dataclass(frozen=True, slots=True)
class Details:
    """Names with values, decoded; `facts` are words with texts. Empty where Temporal has none."""

    memo: dict[str, Any]
    attributes: dict[str, Any]
    headers: dict[str, Any]
    facts: tuple[tuple[str, str], ...]
    summary: str
    is_forgotten: bool
    """Whether Temporal itself no longer has the run: then there is what its history says."""


def details(run: Run, user: Any) -> Details:
    """What the user may see of it; NotFoundError, Unavailable."""
    events = secrets.history(run, user).events
    start = events[0].workflow_execution_started_event_attributes
    masks = hidden.of(run, user)
    try:
        now = secrets.describe(run, user)
    except (NotFoundError, Unavailable):
        now = None
    info = now.workflow_execution_info if now else None
    return Details(
        memo=masks.masked(_values((info.memo if info else start.memo).fields)),
        attributes=masks.masked(_values((info.search_attributes if info else start.search_attributes).indexed_fields)),
        headers=masks.masked(_values(start.header.fields)),
        facts=tuple(fact for fact in _facts(start, now, events) if fact[1]),
        summary=_summary(events[0]),
        is_forgotten=now is None,
    )


def _values(fields: Mapping[str, Payload]) -> dict[str, Any]:
    return {name: payloads.value(fields[name], LIMIT) for name in sorted(fields)}


def _summary(event: HistoryEvent) -> str:
    found = event.user_metadata.summary if event.HasField("user_metadata") else None
    return payloads.text(found) if found is not None and found.data else ""


def _facts(
    start: WorkflowExecutionStartedEventAttributes, now: DescribeWorkflowExecutionResponse | None, events: Any
) -> Iterator[tuple[str, str]]:
    yield "Workflow type", start.workflow_type.name
    yield "Started by", start.identity
    yield "Task queue", start.task_queue.name
    yield "Cron", start.cron_schedule
    yield "Attempt of the run", str(start.attempt) if start.attempt > 1 else ""
    yield "Retries", _retries(start.retry_policy) if start.HasField("retry_policy") else ""
    yield "Time for a run", span_of(start.workflow_run_timeout)
    yield "Time for the whole chain", span_of(start.workflow_execution_timeout)
    yield "Time for a workflow task", span_of(start.workflow_task_timeout)
    yield "First run of the chain", start.first_execution_run_id
    yield "Continues run", start.continued_execution_run_id
    yield "Parent", start.parent_workflow_execution.workflow_id
    yield "Root", start.root_workflow_execution.workflow_id
    if now is not None:
        yield from _held(now)


def _held(now: DescribeWorkflowExecutionResponse) -> Iterator[tuple[str, str]]:
    info, more = now.workflow_execution_info, now.workflow_extended_info
    yield "History", f"{info.history_length} events, {info.history_size_bytes} bytes"
    yield "State transitions", str(info.state_transition_count or "")
    yield "Ends at the latest", _moment(more, "run_expiration_time")
    yield "Chain ends at the latest", _moment(more, "execution_expiration_time")
    yield "Last reset", _moment(more, "last_reset_time")
    yield "Reset to run", more.reset_run_id
    yield "Cancel requested", "yes" if more.cancel_requested else ""
    yield from _versions(now)


def _versions(now: DescribeWorkflowExecutionResponse) -> Iterator[tuple[str, str]]:
    info = now.workflow_execution_info
    versioning = info.versioning_info
    version = versioning.deployment_version
    yield "Deployment", info.worker_deployment_name or version.deployment_name
    yield "Build", version.build_id or info.assigned_build_id or info.most_recent_worker_version_stamp.build_id
    behavior = VersioningBehavior.Name(versioning.behavior).removeprefix("VERSIONING_BEHAVIOR_")
    yield "Versioning", "" if behavior == "UNSPECIFIED" else behavior.lower().replace("_", " ")
    yield "Sent to a build", "yes" if versioning.HasField("versioning_override") else ""


def _retries(policy: RetryPolicy) -> str:
    most = f"{policy.maximum_attempts} attempts" if policy.maximum_attempts else "without an end"
    first, last = span_of(policy.initial_interval), span_of(policy.maximum_interval)
    return ", ".join(
        filter(None, (most, f"first after {first}" if first else "", f"at most {last} apart" if last else ""))
    )


def _moment(message: Any, name: str) -> str:
    at: datetime = getattr(message, name).ToDatetime()
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at.year > 1970 else ""  # there are two ways to say never
