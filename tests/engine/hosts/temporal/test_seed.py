"""The samples of the seed document, word for word where they are code."""

from __future__ import annotations

import asyncio
import re

import pytest
from temporalio.api.enums.v1 import EventType

from engine.host import CallRequest
from tests.engine.hosts.temporal.stage import Stage, workflow_id

HOW_WORKFLOWS_WORK = """
local payment = a
local result = funcs.call("app.api:charge_card", payment)
time.sleep("{sleep}")
local status = funcs.call("app.api:check_status", result.id)

if status == "failed" then
    funcs.call("app.api:refund", result.id)
end
return status
"""

SAGA = """
local items, amount, order = a, b, c
local inventory = funcs.call("app.inventory:reserve", items)
if inventory.error then
    return nil, inventory.error
end

local payment = funcs.call("app.payments:charge", amount)
if payment.error then
    funcs.call("app.inventory:release", inventory.id)
    return nil, payment.error
end

local shipping = funcs.call("app.shipping:create", order)
if shipping.error then
    funcs.call("app.payments:refund", payment.id)
    funcs.call("app.inventory:release", inventory.id)
    return nil, shipping.error
end

return {inventory = inventory, payment = payment, shipping = shipping}
"""

APPROVAL = """
local request = a
funcs.call("app.approvals:submit", request)

local inbox = process.inbox()
local msg = inbox:receive()  -- blocks until signal arrives

if msg.approved then
    return funcs.call("app.orders:fulfill", request.order_id)
else
    return funcs.call("app.notifications:send_rejection", request)
end
"""


async def calls(stage: Stage, pid: str) -> list[str]:
    """The activities of a run, in order."""
    events = (await stage.history(pid)).events
    return [
        e.activity_task_scheduled_event_attributes.activity_type.name
        for e in events
        if e.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    ]


def publish_payments(stage: Stage, status: str) -> None:
    stage.function("app.api:charge_card", "return {id = 'p1'}")
    stage.function("app.api:check_status", f"return '{status}'")
    stage.function("app.api:refund", "return true")


@pytest.mark.parametrize(("status", "last"), [("failed", "app.api:refund"), ("paid", "app.api:check_status")])
async def test_a_failed_charge_is_refunded_after_the_sleep(stage: Stage, status: str, last: str) -> None:
    publish_payments(stage, status)
    stage.workflow("app.workflows:order", HOW_WORKFLOWS_WORK.format(sleep="50ms"))
    pid = await stage.spawn("app.workflows:order", {"amount": 5})
    assert (await stage.exit(pid)).value == status
    assert (await calls(stage, pid))[-1] == last


async def test_a_sleep_of_a_day_is_a_durable_timer_of_a_day(stage: Stage) -> None:
    publish_payments(stage, "paid")
    stage.workflow("app.workflows:order", HOW_WORKFLOWS_WORK.format(sleep="24h"))
    pid = await stage.spawn("app.workflows:order", {"amount": 5})
    await stage.waits_for(pid, "timer")
    events = (await stage.history(pid)).events
    [timer] = [e.timer_started_event_attributes for e in events if e.event_type == EventType.EVENT_TYPE_TIMER_STARTED]
    assert timer.start_to_fire_timeout.ToSeconds() == 24 * 3600
    await stage.host.terminate(pid, "done", "")


@pytest.mark.parametrize(
    ("fails", "undone"),
    [
        ("app.inventory:reserve", []),
        ("app.payments:charge", ["app.inventory:release"]),
        ("app.shipping:create", ["app.payments:refund", "app.inventory:release"]),
        ("", []),
    ],
)
async def test_a_saga_undoes_what_came_before_the_failure(stage: Stage, fails: str, undone: list[str]) -> None:
    steps = ["app.inventory:reserve", "app.payments:charge", "app.shipping:create"]
    for step in steps:
        stage.function(step, "return {error = 'no luck'}" if step == fails else f"return {{id = '{step}'}}")
    for undo in ("app.inventory:release", "app.payments:refund"):
        stage.function(undo, "return true")
    stage.workflow("app.workflows:saga", SAGA)
    pid = await stage.spawn("app.workflows:saga", ["book"], 10, {"to": "me"})
    exited = await stage.exit(pid)
    assert (await calls(stage, pid))[-len(undone) :] == undone if undone else True
    if fails:
        assert exited.failure is not None
        assert (exited.failure.kind, exited.failure.message) == ("Internal", "no luck")
    else:
        assert exited.value == {
            key: {"id": step} for key, step in zip(("inventory", "payment", "shipping"), steps, strict=True)
        }


@pytest.mark.parametrize(("approved", "answer"), [(True, "fulfilled 7"), (False, "rejected")])
async def test_an_approval_waits_for_its_signal(stage: Stage, approved: bool, answer: str) -> None:
    stage.function("app.approvals:submit", "return true")
    stage.function("app.orders:fulfill", "return 'fulfilled ' .. a")
    stage.function("app.notifications:send_rejection", "return 'rejected'")
    stage.workflow("app.workflows:approval", APPROVAL)
    pid = await stage.spawn("app.workflows:approval", {"order_id": 7})
    await stage.waits_for(pid, "inbox")
    await stage.host.send(pid, "decision", ({"approved": approved},), "")
    assert (await stage.exit(pid)).value == answer


async def test_a_process_spawns_a_workflow_signals_it_and_sees_its_exit(stage: Stage) -> None:
    stage.workflow(
        "app.workflows:order_processor",
        "local u = process.listen('update'):receive() return {order = a.id, status = u.status}",
    )
    stage.function(
        "app:watcher",
        """
        local order_data = {id = 42}
        local events = process.events()
        local pid = process.spawn("app.workflows:order_processor", "app:worker", order_data)
        process.send(pid, "update", {status = "approved"})
        for event in events:iter() do
            if event.pid == pid and event.type == "EXIT" then
                return event.result.value
            end
        end
        """,
    )
    call = asyncio.ensure_future(stage.node.call(CallRequest("app:watcher")))
    await stage.sweep_until(call)
    assert call.result() == {"order": 42, "status": "approved"}


async def test_children_run_on_the_same_provider_and_are_monitored(stage: Stage) -> None:
    stage.workflow("app:child", "if a == 'bad' then return nil, 'broken ' .. a end return 'done ' .. a")
    stage.workflow(
        "app:parent",
        """
        local events = process.events()
        local good = process.spawn('app:child', 'app:worker', 'good')
        local bad = process.spawn('app:child', 'app:worker', 'bad')
        local seen = {}
        for _ = 1, 2 do
            local event = events:receive()
            local who = event.from == good and 'good' or event.pid == bad and 'bad'
            seen[who] = event.result.value or event.result.error:message()
        end
        local value = process.exec('app:child', 'app:worker', 'exec')
        return {good = seen.good, bad = seen.bad, exec = value, pid = good}
        """,
    )
    value = await stage.value("app:parent")
    assert {key: value[key] for key in ("good", "bad", "exec")} == {
        "good": "done good",
        "bad": "broken bad",
        "exec": "done exec",
    }
    assert re.fullmatch(r"\{app:client@app:worker\|child-.+\}", value["pid"])
    assert workflow_id(value["pid"])
