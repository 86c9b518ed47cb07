"""Every option of a start, as the server shows it, for starts from outside and for children."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from engine.entry import Entry
from engine.errors import UnitFailed
from engine.hosts.temporal.client.connections import Clients
from tests.engine.hosts.temporal.stage import Stage, until, workflow_id

ATTRIBUTES = {
    "ConfKeyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "ConfText": IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
    "ConfInt": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "ConfDouble": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "ConfBool": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    "ConfDatetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    "ConfList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}
VALUES = {
    "ConfKeyword": "gold",
    "ConfText": "some words",
    "ConfInt": 7,
    "ConfDouble": 2,
    "ConfBool": True,
    "ConfDatetime": "2026-01-02T03:04:05Z",
    "ConfList": ["a", "b"],
}
SHOWN = {
    **VALUES,
    "ConfDouble": 2.0,
    "ConfDatetime": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
}

STARTS = ["outside", "child"]


@pytest.fixture
async def known(stage: Stage) -> None:
    """The namespace has the attributes of this module."""
    request = AddSearchAttributesRequest(namespace=stage.client.namespace, search_attributes=ATTRIBUTES)
    await stage.client.operator_service.add_search_attributes(request)


async def started(stage: Stage, how: str, options: Mapping[str, Any]) -> str:
    """The pid of a workflow that waits, begun from outside or as a child."""
    stage.workflow("app:waits", "return process.listen('go'):receive()")
    if how == "outside":
        return await stage.spawn("app:waits", options=options)
    stage.workflow(
        "app:parent",
        """
        local o = {['workflow.parent_close_policy'] = 'abandon'}
        return {process.with_options(o):with_options(a):spawn('app:waits', 'app:worker')}
        """,
    )
    answer = await stage.value("app:parent", dict(options))
    assert len(answer) == 1, answer[-1]
    return str(answer[0])


async def beginning(stage: Stage, pid: str) -> dict[str, Any]:
    """The first event of the history, as JSON."""
    event = (await stage.history(pid)).events[0]
    return {
        **MessageToDict(event.workflow_execution_started_event_attributes),
        "userMetadata": MessageToDict(event.user_metadata),
    }


async def end(stage: Stage, pid: str) -> None:
    await stage.host.terminate(pid, "seen", "")


@pytest.mark.parametrize("prefix", ["workflow.", "temporal.workflow."])
@pytest.mark.parametrize("how", STARTS)
async def test_timeouts_retries_and_texts_are_as_asked(stage: Stage, how: str, prefix: str) -> None:
    name = f"start-{uuid.uuid4()}"
    options = {
        "id": name,
        "execution_timeout": "2h",
        "run_timeout": 3_600_000,
        "task_timeout": "20s",
        "retry_policy": {
            "initialInterval": 1500,
            "backoff_coefficient": 1.5,
            "maximum_interval": "1m",
            "maximumAttempts": 3,
            "non_retryable_error_types": ["Invalid"],
        },
        "memo": {"note": "hello", "deep": {"list": [1, 2]}},
        "summary": "in short",
        "details": "at length",
        "priority": {"priorityKey": 2, "fairness_key": "ann", "fairness_weight": 2.5},
    }
    pid = await started(stage, how, {prefix + key: value for key, value in options.items()})
    assert pid == f"{{app:client@app:worker|{name}}}"
    first = await beginning(stage, pid)
    assert (first["workflowExecutionTimeout"], first["workflowRunTimeout"]) == ("7200s", "3600s")
    assert first["workflowTaskTimeout"] == "20s"
    assert first["retryPolicy"] == {
        "initialInterval": "1.500s",
        "backoffCoefficient": 1.5,
        "maximumInterval": "60s",
        "maximumAttempts": 3,
        "nonRetryableErrorTypes": ["Invalid"],
    }
    assert first["priority"] == {"priorityKey": 2, "fairnessKey": "ann", "fairnessWeight": 2.5}
    description = await stage.host.describe(workflow_id(pid))
    assert await description.memo() == {"note": "hello", "deep": {"list": [1, 2]}}
    assert (await description.static_summary(), await description.static_details()) == ("in short", "at length")
    await end(stage, pid)


async def test_a_workflow_without_options_has_no_timeouts_and_no_retries(stage: Stage) -> None:
    pid = await started(stage, "outside", {})
    first = await beginning(stage, pid)
    assert not {"workflowExecutionTimeout", "retryPolicy", "cronSchedule", "memo"} & first.keys()
    await end(stage, pid)


@pytest.mark.parametrize("how", STARTS)
@pytest.mark.usefixtures("known")
async def test_search_attributes_are_of_the_namespaces_types(stage: Stage, how: str) -> None:
    pid = await started(stage, how, {"workflow.search_attributes": VALUES})
    typed = (await stage.host.describe(workflow_id(pid))).typed_search_attributes
    assert {pair.key.name: pair.value for pair in typed if pair.key.name in VALUES} == SHOWN

    async def found() -> bool:
        query = f"ConfKeyword = 'gold' AND ConfInt = 7 AND WorkflowId = '{workflow_id(pid)}'"
        return [run.id async for run in stage.client.list_workflows(query)] == [workflow_id(pid)]

    await until(found)
    await end(stage, pid)


@pytest.mark.parametrize("how", STARTS)
@pytest.mark.usefixtures("known")
async def test_unknown_attributes_and_wrong_values_are_named(stage: Stage, how: str) -> None:
    stage.workflow("app:waits", "return 1")
    for attributes, name in (
        ({"ConfNobody": "x"}, "ConfNobody"),
        ({"ConfInt": "seven"}, "ConfInt"),
        ({"ConfDatetime": "tomorrow"}, "ConfDatetime"),
        ({"ConfInt": 2.5}, "ConfInt"),
        ({"ConfKeyword": "x" * 3000}, "ConfKeyword"),
    ):
        options = {"workflow.search_attributes": attributes}
        with pytest.raises((UnitFailed, AssertionError)) as caught:
            await refused(stage, how, options)
        assert name in str(caught.value)


async def refused(stage: Stage, how: str, options: Mapping[str, Any]) -> None:
    """Raise what the spawner is told, of the kind Invalid."""
    if how == "outside":
        with pytest.raises(UnitFailed) as caught:
            await stage.spawn("app:waits", options=options)
        assert caught.value.failure.kind == "Invalid"
        raise caught.value
    stage.workflow(
        "app:parent",
        """
        local _, err = process.with_options(a):spawn('app:waits', 'app:worker')
        return {err:kind(), err:message()}
        """,
    )
    kind, message = await stage.value("app:parent", dict(options))
    assert kind == "Invalid"
    raise AssertionError(message)


@pytest.mark.usefixtures("known")
async def test_a_run_changes_its_own_attributes_and_memo(stage: Stage) -> None:
    stage.workflow(
        "app:w",
        """
        local workflow = require('workflow')
        workflow.attrs{search = a, memo = {status = 'packed', n = 1}}
        workflow.attrs{memo = {n = 2}}
        return process.listen('go'):receive()
        """,
    )
    pid = await stage.spawn("app:w", VALUES)
    await stage.waits_for(pid, "topic", "go")
    description = await stage.host.describe(workflow_id(pid))
    assert await description.memo() == {"status": "packed", "n": 2}
    typed = description.typed_search_attributes
    assert {pair.key.name: pair.value for pair in typed if pair.key.name in VALUES} == SHOWN
    await end(stage, pid)


async def test_a_start_delay_puts_the_first_task_off(stage: Stage) -> None:
    stage.workflow("app:quick", "return 1")
    pid = await stage.spawn("app:quick", options={"workflow.start_delay": "1500ms"})
    assert (await beginning(stage, pid))["firstWorkflowTaskBackoff"] == "1.500s"
    assert (await stage.exit(pid)).value == 1


@pytest.mark.parametrize("how", STARTS)
async def test_a_cron_schedule_is_kept_by_the_server(stage: Stage, how: str) -> None:
    pid = await started(stage, how, {"workflow.cron_schedule": "0 9 * * mon-fri"})
    assert (await beginning(stage, pid))["cronSchedule"] == "0 9 * * mon-fri"
    await end(stage, pid)


async def test_a_task_queue_of_the_options_wins(stage: Stage) -> None:
    pid = await started(stage, "outside", {"workflow.task_queue": "elsewhere"})
    assert (await stage.host.describe(workflow_id(pid))).task_queue == "elsewhere"
    await end(stage, pid)


async def test_an_eager_start_brings_the_first_task_along(stage: Stage) -> None:
    stage.workflow("app:quick", "return 1")
    pid = await stage.spawn("app:quick", options={"workflow.enable_eager_start": True})
    assert (await stage.exit(pid)).value == 1
    assert (await beginning(stage, pid))["eagerExecutionAccepted"] is True


async def test_a_failed_workflow_is_tried_again_by_its_policy(stage: Stage) -> None:
    stage.workflow(
        "app:w",
        """
        local attempt = require('workflow').info().attempt
        if attempt < 3 then return nil, errors.new{message = 'no', kind = errors.UNAVAILABLE} end
        return attempt
        """,
    )
    policy = {"initial_interval": 10, "maximum_attempts": 5}
    assert (await stage.run("app:w", options={"workflow.retry_policy": policy})).value == 3


async def test_another_namespace_is_refused_by_name(stage: Stage) -> None:
    stage.workflow("app:quick", "return 1")
    with pytest.raises(UnitFailed, match="'elsewhere' is not the namespace of this worker's client, 'default'"):
        await stage.spawn("app:quick", options={"workflow.namespace": "elsewhere"})
    assert (await stage.run("app:quick", options={"workflow.namespace": "default"})).value == 1


async def test_two_namespaces_are_served_side_by_side(stage: Stage, temporal_address: str) -> None:
    name = f"ns-{uuid.uuid4().hex[:8]}"
    request = RegisterNamespaceRequest(namespace=name)
    request.workflow_execution_retention_period.FromTimedelta(timedelta(days=1))
    await stage.client.workflow_service.register_namespace(request)

    async def made() -> bool:
        try:
            client = await Client.connect(temporal_address, namespace=name)
            return [run async for run in client.list_workflows("")] == []
        except (RPCError, RuntimeError):
            return False

    await until(made)
    there = await Clients({}).of(
        Entry("far:client", "temporal.client", {}, {"address": temporal_address, "namespace": name})
    )
    other = await Stage.on(there)
    for each in (stage, other):
        each.workflow("app:where", "return require('workflow').info().namespace")
    assert await stage.value("app:where") == "default"
    assert await other.value("app:where") == name
    await other.close()
