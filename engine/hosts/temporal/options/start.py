"""What a spawn means as the start of a workflow: its id, timeouts and policies (docs/lua.md#options-of-a-workflow)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.common import (
    AutoUpgradeVersioningOverride,
    PinnedVersioningOverride,
    Priority,
    RetryPolicy,
    VersioningOverride,
    WorkerDeploymentVersion,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.workflow import ChildWorkflowCancellationType, ParentClosePolicy, VersioningIntent

from engine.entry import Entry
from engine.errors import UnitFailed, invalid
from engine.hosts.temporal.options.reading import INTENTS, WORKFLOW_PREFIXES, Options
from engine.hosts.temporal.wire import attributes, bounds, payloads
from engine.steps import Value

CONFLICT = {
    "use_existing": WorkflowIDConflictPolicy.USE_EXISTING,
    "fail": WorkflowIDConflictPolicy.FAIL,
    "terminate_existing": WorkflowIDConflictPolicy.TERMINATE_EXISTING,
}
REUSE = {
    "allow_duplicate": WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    "allow_duplicate_failed_only": WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
    "reject_duplicate": WorkflowIDReusePolicy.REJECT_DUPLICATE,
}
PARENT_CLOSE = {
    "terminate": ParentClosePolicy.TERMINATE,
    "abandon": ParentClosePolicy.ABANDON,
    "request_cancel": ParentClosePolicy.REQUEST_CANCEL,
}


@dataclass(frozen=True, slots=True)
class StartOptions:
    """The options of one start, read and merged. `id`, `type`, `task_queue` and `namespace` are "" when not given."""

    id: str
    type: str
    task_queue: str
    namespace: str
    conflict: WorkflowIDConflictPolicy
    reuse: WorkflowIDReusePolicy
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    start_delay: timedelta | None
    retry_policy: RetryPolicy | None
    cron_schedule: str
    memo: Mapping[str, Any] | None
    search_attributes: Mapping[str, Value] | None
    eager: bool
    summary: str | None
    details: str | None
    priority: Priority
    versioning: VersioningOverride | None
    versioning_intent: VersioningIntent | None
    parent_close: ParentClosePolicy
    cancellation: ChildWorkflowCancellationType

    @classmethod
    def read(cls, entry: Entry | None, given: Mapping[str, Value], name: str) -> StartOptions:
        """`meta.options` of the entry, overridden by the caller's; a bad value raises UnitFailed (Invalid)."""
        meta = entry.meta.get("options") if entry else None
        options = Options(WORKFLOW_PREFIXES, meta if isinstance(meta, Mapping) else {}, given)
        workflow_id = bounds.check_name(options.name("id") or name, "name")
        return cls(
            id=workflow_id,
            type=options.name("name"),
            task_queue=options.queue(),
            namespace=options.text("namespace"),
            conflict=_conflict(options, bool(workflow_id)),
            reuse=options.choice("id_reuse_policy", REUSE, WorkflowIDReusePolicy.ALLOW_DUPLICATE),
            execution_timeout=options.duration("execution_timeout"),
            run_timeout=options.duration("run_timeout"),
            task_timeout=options.duration("task_timeout"),
            start_delay=options.duration("start_delay"),
            retry_policy=options.retry_policy(),
            cron_schedule=options.cron(),
            memo=_memo(options),
            search_attributes=_search_attributes(options),
            eager=options.flag("enable_eager_start"),
            summary=options.short_text("summary", bounds.MAX_SUMMARY),
            details=options.short_text("details", bounds.MAX_DETAILS),
            priority=options.priority(),
            versioning=_versioning(options),
            versioning_intent=options.choice("versioning_intent", INTENTS, None),
            parent_close=options.choice("parent_close_policy", PARENT_CLOSE, ParentClosePolicy.TERMINATE),
            cancellation=_cancellation(options),
        )


def _conflict(options: Options, explicit: bool) -> WorkflowIDConflictPolicy:
    default = WorkflowIDConflictPolicy.USE_EXISTING if explicit else WorkflowIDConflictPolicy.FAIL
    policy = options.choice("id_conflict_policy", CONFLICT, default)
    if options.flag("execution_error_when_already_started"):
        return WorkflowIDConflictPolicy.FAIL
    return policy


def check_namespace(options: StartOptions, namespace: str) -> None:
    """Raise Invalid for another namespace: the pid of such a run would lead nowhere."""
    if options.namespace not in ("", namespace):
        text = f"option workflow.namespace: '{options.namespace}' is not the namespace of this worker's client"
        raise UnitFailed(invalid(f"{text}, '{namespace}'; start it on a worker of that namespace"))


def _memo(options: Options) -> Mapping[str, Any] | None:
    table = options.table("memo")
    return payloads.memo(table, "option workflow.memo") if table else None


def _search_attributes(options: Options) -> Mapping[str, Value] | None:
    table = options.table("search_attributes")
    if table is not None and not attributes.are_values(table):
        raise options.refuse("search_attributes", attributes.VALUES)
    return table


def _versioning(options: Options) -> VersioningOverride | None:
    """`auto_upgrade`, or {mode = "pinned", version = {deployment_name, build_id}}."""
    match options.value("versioning_override"):
        case None:
            return None
        case "auto_upgrade" | {"mode": "auto_upgrade"}:
            return AutoUpgradeVersioningOverride()
        case {"mode": "pinned", "version": {"deployment_name": str(name), "build_id": str(build)}} if name and build:
            return PinnedVersioningOverride(WorkerDeploymentVersion(name, build))
        case _:
            wanted = 'auto_upgrade, or {mode = "pinned", version = {deployment_name, build_id}}'
            raise options.refuse("versioning_override", wanted)


def _cancellation(options: Options) -> ChildWorkflowCancellationType:
    if options.flag("wait_for_cancellation"):
        return ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED
    return ChildWorkflowCancellationType.TRY_CANCEL
