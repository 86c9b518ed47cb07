"""Lua workflows have children of Python, and Python workflows have children of Lua."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.engine.hosts.temporal.stage import Stage, until, workflow_id

# --- Lua above Python --------------------------------------------------------------------------------


async def test_a_python_child_is_executed_by_its_queue(stage: Stage, python_queue: str) -> None:
    stage.workflow("app:parent", "local v, err = process.exec('Double', a, 21) return {v, err and err:message()}")
    assert await stage.value("app:parent", python_queue) == [{"twice": 42, "parent": True}]


async def test_the_exit_of_a_spawned_python_child_has_its_value_or_failure(stage: Stage, python_queue: str) -> None:
    stage.workflow(
        "app:parent",
        """
        local events, out = process.events(), {}
        local good, bad = process.spawn('Double', a, 1), process.spawn('Breaks', a, 'OutOfStock')
        for _ = 1, 2 do
            local e = events:receive()
            local failure = e.result.error
            if e.from == good then out.good = e.result.value.twice end
            if e.from == bad then
                out.kind, out.message, out.details = failure:kind(), failure:message(), failure:details()
                out.retryable = failure:retryable()
            end
        end
        return out
        """,
    )
    told = await stage.value("app:parent", python_queue)
    details = told.pop("details")
    assert told == {"good": 2, "kind": "Internal", "message": "no stock", "retryable": False}
    assert (details["sku"], details["_type"], details["_wrapper"]) == ("a-1", "OutOfStock", "child_workflow")
    assert (details["_workflow_type"], details["_retry_state"]) == ("Breaks", "RETRY_POLICY_NOT_SET")
    assert {"_workflow_id", "_run_id"} <= details.keys()


async def test_a_type_of_our_kinds_is_that_kind(stage: Stage, python_queue: str) -> None:
    stage.workflow("app:parent", "local v, err = process.exec('Breaks', a, 'NotFound') return err:kind()")
    assert await stage.value("app:parent", python_queue) == "NotFound"


async def test_a_python_child_takes_signals_and_a_cancel(stage: Stage, python_queue: str) -> None:
    stage.workflow(
        "app:parent",
        """
        local events = process.events()
        local pid = process.spawn('Collects', a, 2)
        process.send(pid, 'item', 'pen', 1.5)
        process.send(pid, 'item', 'ink')
        local first = events:receive().result.value
        local other = process.spawn('Collects', a, 1)
        process.cancel(other, 'enough')
        local failure = events:receive().result.error
        return {first, failure:kind(), failure:message(), failure:retryable()}
        """,
    )
    assert await stage.value("app:parent", python_queue) == [
        [["pen", 1.5], ["ink", 0]], "Canceled", "operation canceled", False,
    ]  # fmt: skip


async def test_a_python_child_signals_its_lua_parent(stage: Stage, python_queue: str) -> None:
    stage.workflow(
        "app:parent",
        """
        process.spawn('Reports', a, require('workflow').info().workflow_id)
        local m = process.inbox():receive()
        local items = m:payload()
        return {m:topic(), m:from(), items[1]:data(), items[2]:data(), items[3]:data() == nil}
        """,
    )
    assert await stage.value("app:parent", python_queue) == ["report", "", "done", 3, True]


@pytest.mark.parametrize(
    ("policy", "status"), [(None, "TERMINATED"), ("abandon", "RUNNING"), ("request_cancel", "CANCELED")]
)
async def test_the_parents_end_is_the_childs_by_policy(
    stage: Stage, python_queue: str, policy: str | None, status: str
) -> None:
    stage.workflow(
        "app:parent",
        """
        return process.with_options(b):with_name(c):spawn('Collects', a, 1)
        """,
    )
    name = f"child-{uuid.uuid4()}"
    options = {"workflow.parent_close_policy": policy} if policy else {}
    pid = await stage.value("app:parent", python_queue, options, name)
    assert workflow_id(pid) == name
    handle = stage.client.get_workflow_handle(name)

    async def settled() -> bool:
        description = await handle.describe()
        return description.status is not None and description.status.name == status

    await until(settled)
    if policy == "abandon":
        await handle.signal("item", args=["late", 2])
        assert await handle.result() == [["late", 2]]


async def test_an_entry_of_the_registry_is_preferred_to_a_literal_type(stage: Stage) -> None:
    stage.workflow("app:child", "return 'of the registry'", temporal={"workflow": {"name": f"Named{uuid.uuid4().hex}"}})
    stage.workflow("app:parent", "return process.exec('app:child', a)")
    assert await stage.value("app:parent", stage.settings.task_queue) == "of the registry"


async def test_an_unknown_entry_on_a_worker_of_ours_is_not_found(stage: Stage) -> None:
    stage.workflow("app:parent", "local _, err = process.spawn('app:none', 'app:worker') return err:kind()")
    assert await stage.value("app:parent") == "NotFound"


# --- Python above Lua --------------------------------------------------------------------------------


async def parent(stage: Stage, python_queue: str, what: str) -> Any:
    """What a Python parent says of the Lua child `app:child`."""
    result: Any = await stage.client.execute_workflow(
        "Parent", args=["app:child", stage.settings.task_queue, what], id=str(uuid.uuid4()), task_queue=python_queue
    )
    return result


async def test_a_lua_child_returns_a_value_to_its_python_parent(stage: Stage, python_queue: str) -> None:
    stage.workflow("app:child", "return {got = a.what, list = {1, 2.5, 'x'}, empty = {}}")
    assert await parent(stage, python_queue, "value") == {"got": "value", "list": [1, 2.5, "x"], "empty": []}


async def test_the_failure_of_a_lua_child_is_an_application_error_of_its_kind(stage: Stage, python_queue: str) -> None:
    stage.workflow(
        "app:child",
        "return nil, errors.new{message = 'no stock', kind = errors.CONFLICT, retryable = false, details = {sku = 1}}",
    )
    facts = await parent(stage, python_queue, "fail")
    assert facts == {
        "error": "ChildWorkflowError", "cause": "ApplicationError", "message": "no stock", "type": "Conflict",
        "final": True,
    }  # fmt: skip
    stage.workflow("app:child", "error('went wrong')")
    facts = await parent(stage, python_queue, "fail")
    assert (facts["type"], facts["final"]) == ("Internal", True)
    assert "went wrong" in facts["message"]


async def test_a_lua_child_is_signalled_by_its_python_parent(stage: Stage, python_queue: str) -> None:
    stage.workflow(
        "app:child",
        """
        local m = process.inbox():receive()
        local p = m:payload()
        return {m:topic(), m:from(), p[1]:data(), p[2]:data()}
        """,
    )
    assert await parent(stage, python_queue, "signal") == ["say", "", "hello", 2]


async def test_a_cancel_of_the_python_parent_is_an_event_in_the_lua_child(stage: Stage, python_queue: str) -> None:
    stage.workflow("app:child", "local e = process.events():receive() return {e.type, e.kind}")
    assert await parent(stage, python_queue, "cancel") == ["CANCEL", "pid.cancel"]
    stage.workflow(
        "app:child",
        "process.events():receive() return nil, errors.new{message = 'stopped', kind = 'Canceled', retryable = false}",
    )
    facts = await parent(stage, python_queue, "cancel")
    assert (facts["error"], facts["cause"]) == ("ChildWorkflowError", "CancelledError")
