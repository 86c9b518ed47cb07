"""Signals, queries, updates, and messages between workflows and processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from temporalio.client import WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from engine.contracts.host import CallRequest, SpawnRequest
from engine.errors import UnitFailed
from engine.hosts.temporal.wire import headers
from tests.engine.hosts.temporal.stage import WORKER, Stage, until, workflow_id

COLLECT = """
local inbox = process.inbox()
local got = {}
for i = 1, a do
    local m = inbox:receive()
    got[i] = {topic = m:topic(), from = m:from(), data = m:payload() and m:payload():data()}
end
return got
"""


async def test_startup_messages_come_first_and_in_order(stage: Stage) -> None:
    stage.workflow("app:collect", COLLECT)
    messages = tuple(("topic", (n,)) for n in range(4))
    exited = await stage.run("app:collect", 4, messages=messages, parent="{app:processes|0x1}")
    assert [m["data"] for m in exited.value] == [0, 1, 2, 3]
    assert {m["from"] for m in exited.value} == {"{app:processes|0x1}"}


async def test_startup_messages_come_with_a_start_that_must_be_new(stage: Stage) -> None:
    stage.workflow("app:collect", COLLECT)
    exited = await stage.run(
        "app:collect",
        2,
        name=f"new-{uuid.uuid4()}",
        options={"workflow.id_conflict_policy": "fail"},
        messages=(("a", (1,)), ("b", (2,))),
    )
    assert [(m["topic"], m["data"]) for m in exited.value] == [("a", 1), ("b", 2)]


async def test_a_named_workflow_that_runs_is_used_and_gets_the_messages(stage: Stage) -> None:
    stage.workflow("app:collect", COLLECT)
    name = f"order-{uuid.uuid4()}"
    first = await stage.spawn("app:collect", 2, name=name)
    second = await stage.spawn("app:collect", 9, name=name, messages=(("a", (1,)), ("b", (2,))))
    assert first == second == f"{{app:client@app:worker|{name}}}"
    assert [m["data"] for m in (await stage.exit(first)).value] == [1, 2]


async def test_a_name_that_is_taken_fails_when_asked_to(stage: Stage) -> None:
    stage.workflow("app:collect", COLLECT)
    name = f"order-{uuid.uuid4()}"
    pid = await stage.spawn("app:collect", 1, name=name)
    with pytest.raises(UnitFailed) as caught:
        await stage.spawn("app:collect", 1, name=name, options={"workflow.id_conflict_policy": "fail"})
    assert caught.value.failure.kind == "AlreadyExists"
    await stage.host.terminate(pid, "", "")


async def test_unknown_entries_and_bad_options_are_refused_before_the_start(stage: Stage) -> None:
    stage.function("app:fn", "return 1")
    for request, kind in (
        (SpawnRequest("app:missing", WORKER), "NotFound"),
        (SpawnRequest("app:fn", WORKER), "Invalid"),
    ):
        with pytest.raises(UnitFailed) as caught:
            await stage.host.spawn(request)
        assert caught.value.failure.kind == kind


async def test_a_signal_carries_its_sender_and_its_topic(stage: Stage) -> None:
    stage.workflow("app:collect", COLLECT)
    pid = await stage.spawn("app:collect", 2)
    await stage.host.send(pid, "hello", ("x",), "{app:processes|0x7}")
    await stage.host.send(pid, "nothing", (), "")
    assert (await stage.exit(pid)).value == [
        {"topic": "hello", "from": "{app:processes|0x7}", "data": "x"},
        {"topic": "nothing", "from": ""},
    ]


async def test_a_signal_of_one_request_id_arrives_once_under_the_operators_name(stage: Stage) -> None:
    stage.workflow("app:collect", COLLECT)
    pid = await stage.spawn("app:collect", 2)
    request_id = str(uuid.uuid4())
    for _ in range(3):
        await stage.host.signal(
            workflow_id(pid),
            "decision",
            ({"approved": True},),
            request_id=request_id,
            identity="operator:ann",
            extra={headers.DECISION: "17"},
        )
    await stage.host.send(pid, "last", (), "")
    assert [m["topic"] for m in (await stage.exit(pid)).value] == ["decision", "last"]
    signals = [
        e.workflow_execution_signaled_event_attributes
        for e in (await stage.history(pid)).events
        if e.HasField("workflow_execution_signaled_event_attributes")
    ]
    assert signals[0].identity == "operator:ann"
    assert headers.text(signals[0].header.fields, headers.DECISION) == "17"


async def test_a_signal_for_one_run_does_not_reach_another(stage: Stage) -> None:
    stage.workflow("app:collect", COLLECT)
    pid = await stage.spawn("app:collect", 1)
    with pytest.raises(UnitFailed) as caught:
        await stage.host.signal(workflow_id(pid), "x", (), run_id=str(uuid.uuid4()))
    assert caught.value.failure.kind == "NotFound"
    await stage.host.terminate(pid, "", "")


async def test_a_signal_to_a_finished_or_missing_workflow_is_not_found(stage: Stage) -> None:
    stage.workflow("app:quick", "return 1")
    pid = await stage.spawn("app:quick")
    await stage.exit(pid)
    for gone in (pid, "{app:client@app:worker|never}"):
        with pytest.raises(UnitFailed) as caught:
            await stage.host.send(gone, "x", (), "")
        assert (caught.value.failure.kind, caught.value.failure.retryable) == ("NotFound", False)
        assert "not found" in caught.value.failure.message


async def test_the_temporal_cli_starts_and_signals_a_workflow(stage: Stage, temporal_address: str) -> None:
    stage.workflow("app:collect", COLLECT)
    name = f"cli-{uuid.uuid4()}"
    await temporal(
        temporal_address, "start", "--task-queue", stage.settings.task_queue, "--type", "app:collect",
        "--workflow-id", name, "--input", "1",
    )  # fmt: skip
    await temporal(
        temporal_address, "signal", "--workflow-id", name, "--name", "decision", "--input", '{"approved": true}'
    )
    pid = f"{{app:client@app:worker|{name}}}"
    assert (await stage.exit(pid)).value == [{"topic": "decision", "from": "", "data": {"approved": True}}]


async def temporal(address: str, *args: str) -> None:
    """Run `temporal workflow ...`."""
    binary = Path(sys.executable).parent / "temporal"
    command = [str(binary), "workflow", *args, "--address", address]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def test_the_queries_state_and_pid_are_answered_and_others_are_not_found(stage: Stage) -> None:
    stage.workflow("app:collect", "time.after('1h') \n return process.listen('decision'):receive()")
    pid = await stage.spawn("app:collect")
    await stage.waits_for(pid, "topic", "decision")
    state = await stage.host.query(pid, "state")
    assert (state["entry"], state["status"], state["pid"]) == ("app:collect", "waiting", pid)
    assert state["program"] == stage.catalog.current("app:collect").digest
    assert await stage.host.query(pid, "pid") == pid
    with pytest.raises(WorkflowQueryFailedError, match="not found"):
        await stage.client.get_workflow_handle(workflow_id(pid)).query("other")
    await stage.host.terminate(pid, "", "")


async def test_a_workflow_signals_another_in_order_and_learns_when_there_is_none(stage: Stage) -> None:
    stage.workflow("app:collect", COLLECT)
    stage.workflow(
        "app:sender",
        """
        for i = 1, 5 do process.send(a, 'n', i) end
        local ok, err = process.send('{app:client@app:worker|missing}', 'n', 1)
        return {ok = ok, kind = err:kind(), retryable = err:retryable(), pid = process.pid()}
        """,
    )
    target = await stage.spawn("app:collect", 5)
    sender = await stage.value("app:sender", target)
    got = (await stage.exit(target)).value
    assert [m["data"] for m in got] == [1, 2, 3, 4, 5]
    assert {m["from"] for m in got} == {sender["pid"]}
    assert (sender["kind"], sender["retryable"]) == ("NotFound", False)


async def test_coroutines_that_send_at_once_keep_their_order(stage: Stage) -> None:
    stage.workflow("app:collect", COLLECT)
    stage.workflow(
        "app:sender",
        "for i = 1, 5 do coroutine.spawn(function() process.send(a, 'n', i) end) end\n time.sleep(1) return true",
    )
    target = await stage.spawn("app:collect", 5)
    assert await stage.value("app:sender", target) is True
    assert [m["data"] for m in (await stage.exit(target)).value] == [1, 2, 3, 4, 5]


async def test_a_workflow_can_message_itself(stage: Stage) -> None:
    stage.workflow("app:self", "process.send(process.pid(), 'me', 5) return process.listen('me'):receive()")
    assert await stage.value("app:self") == 5


async def test_a_process_and_a_workflow_talk_both_ways_and_a_replay_sends_nothing_twice(stage: Stage) -> None:
    stage.workflow(
        "app:echo",
        """
        local inbox = process.inbox()
        for _ = 1, 3 do
            local m = inbox:receive()
            process.send(m:from(), 'echo', m:payload():data() * 2)
        end
        return 'done'
        """,
    )
    stage.function(
        "app:asker",
        """
        local echoes = process.listen('echo')
        local pid = process.spawn('app:echo', 'app:worker')
        local sum = 0
        for i = 1, 3 do
            process.send(pid, 'n', i)
            sum = sum + echoes:receive()
        end
        time.sleep('300ms')
        local again = channel.select{echoes:case_receive(), default = true}
        return {sum = sum, more = not again.default}
        """,
    )
    assert await stage.node.call(CallRequest("app:asker")) == {"sum": 12, "more": False}


async def test_a_name_that_nobody_has_is_not_found(stage: Stage) -> None:
    stage.workflow("app:w", "local ok, err = process.send('nobody', 't', 1) return {err:kind(), err:message()}")
    kind, message = await stage.value("app:w")
    assert kind == "NotFound"
    assert "could not resolve 'nobody'" in message


UPDATES = """
local inbox = process.inbox()
while true do
    local m = inbox:receive()
    local t = m:topic()
    if t == 'add' then
        process.send(m:from(), 'ack')
        process.send(m:from(), 'ok', m:payload():data() + 1)
    elseif t == 'refuse' then process.send(m:from(), 'nak')
    elseif t == 'break' then process.send(m:from(), 'error', 'no way')
    elseif t == 'wrong' then
        local ok, err = process.send(m:from(), 'what')
        process.send(m:from(), 'ok', err:kind())
    else return t end
end
"""


async def test_an_update_is_a_message_that_the_workflow_answers(stage: Stage) -> None:
    stage.workflow("app:updates", UPDATES)
    pid = await stage.spawn("app:updates")
    handle = stage.client.get_workflow_handle(workflow_id(pid))
    assert await handle.execute_update("add", 41) == 42
    assert await handle.execute_update("wrong") == "Invalid"
    for name, message in (("refuse", "update rejected"), ("break", "no way")):
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await handle.execute_update(name)
        assert isinstance(caught.value.cause, ApplicationError)
        assert caught.value.cause.message == message
    await stage.host.send(pid, "end", (), "")
    assert (await stage.exit(pid)).value == "end"


async def test_a_burst_of_signals_all_arrive(stage: Stage) -> None:
    stage.workflow("app:collect", COLLECT)
    pid = await stage.spawn("app:collect", 200)
    await asyncio.gather(*(stage.host.send(pid, "n", (n,), "") for n in range(200)))
    assert sorted(m["data"] for m in (await stage.exit(pid)).value) == list(range(200))


async def test_context_goes_along_into_workflows_children_and_activities(stage: Stage) -> None:
    stage.function("app:who", "return ctx.get('user')")
    stage.workflow("app:child", "return {child = ctx.get('user'), activity = funcs.call('app:who')}")
    stage.workflow("app:parent", "return process.exec('app:child', 'app:worker')")
    context = {"user": "ann", "dropped": b"\xff"}
    assert (await stage.run("app:parent", context=context)).value == {"child": "ann", "activity": "ann"}


async def test_what_the_run_says_that_it_asks_is_told_and_answered_from_its_state(stage: Stage) -> None:
    ask = "{ask = {title = 'Order ' .. 7, payloads = {Yes = {go = true}}}}"
    stage.workflow("app:asks", f"return assert(process.listen('decision', {ask})):receive()")
    pid = await stage.spawn("app:asks")
    await stage.waits_for(pid, "topic", "decision")
    told = {"title": "Order 7", "payloads": {"Yes": {"go": True}}}
    assert [wait["ask"] for wait in (await stage.host.query(pid, "state"))["waits"]] == [told]
    assert [wait.ask for wait in stage.observations[0].waits] == [told]
    await stage.host.send(pid, "decision", (5,), "")
    assert (await stage.exit(pid)).value == 5


async def test_an_observation_tells_what_a_run_waits_for(stage: Stage) -> None:
    stage.workflow("app:collect", "return process.listen('decision'):receive()")
    pid = await stage.spawn("app:collect", "x", parent="{app:processes|0x1}")
    await stage.waits_for(pid, "topic", "decision")
    await stage.host.send(pid, "decision", (5,), "")
    await stage.exit(pid)

    async def closing() -> bool:
        return stage.observations[-1].status == "closing"

    await until(closing)
    first, last = stage.observations[0], stage.observations[-1]
    assert (first.entry_id, first.pid, first.input, first.status) == ("app:collect", pid, ("x",), "running")
    assert [(w.kind, w.name) for w in first.waits] == [("topic", "decision")]
    assert (first.client, first.worker, first.task_queue) == ("app:client", WORKER, stage.settings.task_queue)
    assert (last.input, last.waits) == (None, ())
    assert len(stage.observations) == 2
