"""What a spawn means as the start of a workflow: its id, timeouts and policies (lua-api 15.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.common import (
    Priority,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.workflow import ChildWorkflowCancellationType, ParentClosePolicy

from engine.entry import Entry
from engine.hosts.temporal.options import WORKFLOW_PREFIXES, Options
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
    """The options of one start, read and merged. `id` and `task_queue` are "" when not given."""

    id: str
    task_queue: str
    conflict: WorkflowIDConflictPolicy
    reuse: WorkflowIDReusePolicy
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    start_delay: timedelta | None
    retry_policy: RetryPolicy | None
    cron_schedule: str
    memo: Mapping[str, Any] | None
    search_attributes: TypedSearchAttributes | None
    eager: bool
    summary: str | None
    details: str | None
    priority: Priority
    parent_close: ParentClosePolicy
    cancellation: ChildWorkflowCancellationType

    @classmethod
    def read(cls, entry: Entry | None, given: Mapping[str, Value], name: str) -> StartOptions:
        """`meta.options` of the entry, overridden by the caller's; a bad value raises UnitFailed (Invalid)."""
        meta = entry.meta.get("options") if entry else None
        options = Options(WORKFLOW_PREFIXES, meta if isinstance(meta, Mapping) else {}, given)
        workflow_id = options.text("id") or name
        return cls(
            id=workflow_id,
            task_queue=options.text("task_queue"),
            conflict=_conflict(options, bool(workflow_id)),
            reuse=options.choice("id_reuse_policy", REUSE, WorkflowIDReusePolicy.ALLOW_DUPLICATE),
            execution_timeout=options.duration("execution_timeout"),
            run_timeout=options.duration("run_timeout"),
            task_timeout=options.duration("task_timeout"),
            start_delay=options.duration("start_delay"),
            retry_policy=options.retry_policy(),
            cron_schedule=options.text("cron_schedule"),
            memo=options.table("memo"),
            search_attributes=_search_attributes(options),
            eager=options.flag("enable_eager_start"),
            summary=options.text("summary") or None,
            details=options.text("details") or None,
            priority=options.priority(),
            parent_close=options.choice("parent_close_policy", PARENT_CLOSE, ParentClosePolicy.TERMINATE),
            cancellation=_cancellation(options),
        )


def workflow_type(entry: Entry) -> str:
    """The workflow type of an entry: `meta.temporal.workflow.name`, else its id."""
    temporal = entry.meta.get("temporal")
    workflow = temporal.get("workflow") if isinstance(temporal, Mapping) else None
    name = workflow.get("name") if isinstance(workflow, Mapping) else None
    return name if isinstance(name, str) and name else entry.id


def _conflict(options: Options, explicit: bool) -> WorkflowIDConflictPolicy:
    default = WorkflowIDConflictPolicy.USE_EXISTING if explicit else WorkflowIDConflictPolicy.FAIL
    policy = options.choice("id_conflict_policy", CONFLICT, default)
    if options.flag("execution_error_when_already_started"):
        return WorkflowIDConflictPolicy.FAIL
    return policy


def search_attribute_pairs(table: Mapping[str, Value]) -> list[SearchAttributePair[Any]] | None:
    """Search attributes by name, typed by their values (text is a keyword); None when a value has no type."""
    keys = {name: _search_key(name, value) for name, value in table.items()}
    if any(key is None for key in keys.values()):
        return None
    return [SearchAttributePair(key, table[name]) for name, key in keys.items() if key is not None]


def _search_attributes(options: Options) -> TypedSearchAttributes | None:
    table = options.table("search_attributes")
    if table is None:
        return None
    pairs = search_attribute_pairs(table)
    if pairs is None:
        raise options.refuse("search_attributes", "a table of text, numbers, booleans or lists of text")
    return TypedSearchAttributes(pairs)


def _search_key(name: str, value: Value) -> SearchAttributeKey[Any] | None:
    match value:
        case bool():
            return SearchAttributeKey.for_bool(name)
        case int():
            return SearchAttributeKey.for_int(name)
        case float():
            return SearchAttributeKey.for_float(name)
        case str():
            return SearchAttributeKey.for_keyword(name)
        case list() if value and all(isinstance(item, str) for item in value):
            return SearchAttributeKey.for_keyword_list(name)
        case _:
            return None


def _cancellation(options: Options) -> ChildWorkflowCancellationType:
    if options.flag("wait_for_cancellation"):
        return ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED
    return ChildWorkflowCancellationType.TRY_CANCEL
