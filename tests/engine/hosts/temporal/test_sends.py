"""What a workflow sends leaves without a wait: in order, once, before the run ends."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from engine.contracts.host import CallRequest
from engine.hosts.temporal.client import starting
from engine.hosts.temporal.workflow.deliveries import Deliveries
from tests.engine.hosts.temporal.stage import Stage

# shared/cases: startup messages 2, 1, 4, each answered twice, then finish.
COUNTER = """
local total, done = 0, false
coroutine.spawn(function()
    local inc = process.listen("increment", {message = true})
    while not done do
        local message = inc:receive()
        process.send(message:from(), "ack")
        total = total + message:payload():data().amount
        process.send(message:from(), "ok", {value = total})
    end
end)
process.listen("finish"):receive()
done = true
return total
"""

START = """
local spawner = process.with_options({}):with_name("counter-" .. a)
for _, n in ipairs{2, 1, 4} do spawner = spawner:with_message("increment", {amount = n}) end
local pid = assert(spawner:spawn%s("app:counter", "app:worker"))
process.send(pid, "finish")
local exit, inbox, answers = process.events():receive(), process.inbox(), {}
for i = 1, 6 do
    local m = inbox:receive()
    answers[i] = m:topic() == "ok" and m:payload():data().value or m:topic()
end
return {exit.result.value, answers}
"""


def gone(stage: Stage) -> str:
    """The pid of a process that there is no more."""
    return f"{{{stage.node.id}@app:processes|0x1}}"


def to_nobody(stage: Stage, body: str) -> str:
    """The body with that pid for GONE."""
    return body.replace("GONE", gone(stage))


async def test_startup_messages_are_handled_before_what_comes_later(stage: Stage) -> None:
    stage.workflow("app:counter", COUNTER)
    stage.function("app:start", START % "_monitored")
    for name in "abcde":
        call = asyncio.ensure_future(stage.node.call(CallRequest("app:start", (f"{stage.node.id}-{name}",))))
        await stage.sweep_until(call)
        assert call.result() == [7, ["ack", 2, "ack", 3, "ack", 7]]


async def test_a_parent_gets_all_answers_in_order_also_of_a_child_that_ends(stage: Stage) -> None:
    stage.workflow("app:counter", COUNTER)
    stage.workflow("app:start", START % "")
    assert await stage.value("app:start", stage.node.id) == [7, ["ack", 2, "ack", 3, "ack", 7]]


async def test_a_run_begun_before_waits_for_each_of_its_sends(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.workflow("app:w", to_nobody(stage, "local ok, err = process.send('GONE', 't', 1) return err and err:kind()"))
    assert await stage.value("app:w") is None
    monkeypatch.setattr(starting, "KERNEL", 1)
    assert await stage.value("app:w") == "NotFound"


async def test_a_message_that_nobody_gets_is_said_in_the_log(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.workflow("app:w", to_nobody(stage, "return process.send('GONE', 't', 1)"))
    with caplog.at_level(logging.WARNING, "wippy.lua"):
        assert await stage.value("app:w") is True
    (record,) = [record for record in caplog.records if record.name == "wippy.lua"]
    assert "not delivered" in record.getMessage()
    assert record.fields["dest"] == gone(stage)  # type: ignore[attr-defined]


async def test_what_is_wrong_with_a_message_is_said_at_once(stage: Stage) -> None:
    stage.workflow(
        "app:w",
        to_nobody(
            stage,
            """
        local to, kinds = "GONE", {}
        local function note(ok, err) kinds[#kinds + 1] = not ok and err:kind() end
        note(process.send(to, ""))
        note(process.send(to, "t", ("x"):rep(2500000)))
        note(process.send("{app:client@app:worker|nobody-such}", "t"))
        note(process.send("{update|nobody}", "ok"))
        return kinds
        """,
        ),
    )
    assert await stage.value("app:w") == ["Invalid", "Invalid", "NotFound", "NotFound"]


async def test_too_many_messages_under_way_are_refused(stage: Stage) -> None:
    stage.workflow(
        "app:w",
        to_nobody(
            stage,
            """
        local sent, refused = 0, nil
        for i = 1, 2000 do
            local ok, err = process.send("GONE", "t", i)
            if ok then sent = sent + 1 else refused = err:kind() end
        end
        return {sent, refused}
        """,
        ),
    )
    assert await stage.value("app:w") == [1000, "LimitExceeded"]


async def test_one_message_costs_one_event(stage: Stage) -> None:
    stage.workflow("app:w", to_nobody(stage, "for i = 1, a do process.send('GONE', 't', i) end return true"))
    lengths = []
    for count in (1, 11):
        pid = await stage.spawn("app:w", count)
        await stage.exit(pid)
        history = await stage.history(pid)
        lengths.append(sum(event.HasField("marker_recorded_event_attributes") for event in history.events))
    assert lengths == [1, 11]


@pytest.mark.parametrize("after", ["", "require('time').sleep('1ms')"])
async def test_a_bug_in_a_delivery_fails_the_task_and_not_the_message(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    healthy, bugs = Deliveries.deliver, [ZeroDivisionError("a bug of ours")]

    async def broken(self: Deliveries, *args: Any) -> bool:
        if bugs:
            raise bugs.pop()
        return await healthy(self, *args)

    monkeypatch.setattr(Deliveries, "deliver", broken)
    stage.workflow("app:w", to_nobody(stage, f"process.send('GONE', 't', 1) {after} return true"))
    pid = await stage.spawn("app:w")
    assert (await stage.exit(pid)).value is True
    failed = [e for e in (await stage.history(pid)).events if e.HasField("workflow_task_failed_event_attributes")]
    assert [e.workflow_task_failed_event_attributes.failure.message for e in failed] == ["a bug of ours"]
