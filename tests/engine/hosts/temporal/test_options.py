"""Options of activities and starts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.workflow import ParentClosePolicy

from engine.entry import Entry
from engine.errors import UnitFailed
from engine.hosts.temporal.options.activity import ActivityOptions
from engine.hosts.temporal.options.start import StartOptions
from engine.hosts.temporal.programs import workflow_type


def test_both_prefixes_text_and_milliseconds_are_understood() -> None:
    options = ActivityOptions.read(
        None, {"activity.start_to_close_timeout": 1500, "temporal.activity.heartbeat_timeout": "4s"}
    )
    assert options.start_to_close == timedelta(seconds=1.5)
    assert options.heartbeat == timedelta(seconds=4)


def test_the_caller_overrides_the_meta_of_the_target() -> None:
    meta = {"options": {"activity.task_queue": "a", "activity.summary": "s"}}
    options = ActivityOptions.read(Entry("app:f", "function.lua", meta), {"activity.task_queue": "b"})
    assert (options.task_queue, options.summary) == ("b", "s")


def test_without_options_an_activity_has_ten_minutes_and_a_heartbeat() -> None:
    options = ActivityOptions.read(None, {})
    assert (options.start_to_close, options.heartbeat) == (timedelta(minutes=10), timedelta(seconds=10))
    assert options.local is False


@pytest.mark.parametrize("meta", [{"temporal": {"activity": {"local": True}}}, {"options": {"activity.local": True}}])
def test_meta_makes_an_activity_local(meta: dict[str, Any]) -> None:
    assert ActivityOptions.read(Entry("app:f", "function.lua", meta), {}).local is True


def test_a_retry_policy_may_be_spelled_in_camel_case() -> None:
    policy = ActivityOptions.read(
        None, {"activity.retry_policy": {"maximumAttempts": 3, "initialInterval": "2s", "backoff_coefficient": 1.5}}
    ).retry_policy
    assert policy is not None
    assert (policy.maximum_attempts, policy.initial_interval) == (3, timedelta(seconds=2))


def test_the_retry_and_timeout_of_local_calls_hold_for_activities() -> None:
    options = ActivityOptions.read(None, {"timeout": "3s", "retry": {"max_attempts": 4}})
    assert options.start_to_close == timedelta(seconds=3)
    assert options.retry_policy is not None
    assert options.retry_policy.maximum_attempts == 4


@pytest.mark.parametrize(
    "bad",
    [
        {"workflow.id_conflict_policy": "maybe"},
        {"workflow.run_timeout": "soon"},
        {"workflow.memo": "text"},
        {"temporal.workflow.retry_policy": {"backoff_coefficient": 0.5}},
        {"workflow.id": 7},
        {"workflow.priority": "high"},
        {"workflow.search_attributes": {"a": {"b": 1}}},
    ],
)
def test_a_bad_value_is_refused_by_its_name(bad: dict[str, Any]) -> None:
    with pytest.raises(UnitFailed) as caught:
        StartOptions.read(None, bad, "")
    assert caught.value.failure.kind == "Invalid"
    assert next(iter(bad)).rpartition(".")[2] in caught.value.failure.message


def test_an_explicit_id_or_name_uses_the_existing_workflow() -> None:
    assert StartOptions.read(None, {}, "").conflict is WorkflowIDConflictPolicy.FAIL
    assert StartOptions.read(None, {}, "order-1").conflict is WorkflowIDConflictPolicy.USE_EXISTING
    options = StartOptions.read(None, {"workflow.id": "x", "workflow.execution_error_when_already_started": True}, "")
    assert (options.id, options.conflict) == ("x", WorkflowIDConflictPolicy.FAIL)


def test_the_rest_of_the_start_options_is_read() -> None:
    options = StartOptions.read(
        None,
        {
            "workflow.id_reuse_policy": "reject_duplicate",
            "workflow.parent_close_policy": "abandon",
            "workflow.execution_timeout": "1h",
            "workflow.search_attributes": {"CustomerId": "c1", "Paid": True},
        },
        "",
    )
    assert options.reuse is WorkflowIDReusePolicy.REJECT_DUPLICATE
    assert options.parent_close is ParentClosePolicy.ABANDON
    assert options.execution_timeout == timedelta(hours=1)
    assert options.search_attributes is not None
    assert len(options.search_attributes) == 2


def test_a_workflow_type_may_be_named_by_meta() -> None:
    meta = {"temporal": {"workflow": {"name": "OrderFlow"}}}
    assert workflow_type(Entry("app:w", "workflow.lua", meta)) == "OrderFlow"
    assert workflow_type(Entry("app:w", "workflow.lua")) == "app:w"
