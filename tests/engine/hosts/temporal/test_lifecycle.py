"""How runs end: cancel, terminate, timeouts, EXIT, upgrade."""

from __future__ import annotations

import asyncio
import logging
import uuid
from datetime import UTC, datetime

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest

from engine.contracts.host import CallRequest
from engine.errors import UnitFailed
from engine.hosts.temporal.client.closings import Closed, fetch_closing
from engine.hosts.temporal.client.host import WorkflowHost
from engine.steps import Exited
from tests.engine.hosts.temporal.stage import Stage, until, workflow_id

CANCELABLE = """
local events = process.events()
local e = events:receive()
return {kind = e.kind, type = e.type, reason = e.reason, from = e.from}
"""


async def test_cancel_is_an_event_and_a_normal_return_completes(stage: Stage) -> None:
    stage.workflow("app:w", CANCELABLE)
    pid = await stage.spawn("app:w")
    await stage.waits_for(pid, "events")
    await stage.host.cancel(pid, "changed my mind", "")
    assert (await stage.exit(pid)).value == {
        "kind": "pid.cancel",
        "type": "CANCEL",
        "reason": "changed my mind",
        "from": "{system|temporal}",
    }


async def test_a_cancel_before_the_first_task_is_seen(stage: Stage) -> None:
    stage.workflow("app:w", CANCELABLE)
    await stage.rest()
    pid = await stage.spawn("app:w")
    await stage.host.cancel(pid, "early", "")
    await stage.serve_again()
    assert (await stage.exit(pid)).value["reason"] == "early"


async def test_blocking_calls_go_on_through_a_cancel(stage: Stage) -> None:
    stage.function("app:fn", "time.sleep('300ms') return 'finished'")
    stage.workflow("app:w", "return {funcs.call('app:fn'), funcs.call('app:fn')}")
    pid = await stage.spawn("app:w")
    await stage.waits_for(pid, "call", "app:fn")
    await stage.host.cancel(pid, "", "")
    assert (await stage.exit(pid)).value == ["finished", "finished"]


async def test_a_run_that_gives_up_with_canceled_after_a_cancel_is_canceled(stage: Stage) -> None:
    stage.workflow(
        "app:w",
        "process.events():receive() return nil, errors.new{message = 'stopped', kind = 'Canceled', retryable = false}",
    )
    pid = await stage.spawn("app:w")
    await stage.waits_for(pid, "events")
    await stage.host.cancel(pid, "", "")
    exited = await stage.exit(pid)
    assert exited.failure is not None
    assert exited.failure.kind == "Canceled"
    closed = await fetch_closing(stage.client, workflow_id(pid), "")
    assert closed is not None
    assert closed.status == "canceled"


async def test_a_terminated_run_exits_with_canceled(stage: Stage) -> None:
    stage.workflow("app:w", CANCELABLE)
    pid = await stage.spawn("app:w")
    await stage.host.terminate(pid, "enough", "")
    exited = await stage.exit(pid)
    assert exited.failure is not None
    assert (exited.failure.kind, exited.failure.message) == ("Canceled", "workflow terminated")


async def test_a_run_that_times_out_exits_with_timeout(stage: Stage) -> None:
    stage.workflow("app:w", CANCELABLE)
    pid = await stage.spawn("app:w", options={"workflow.execution_timeout": "1s"})
    exited = await stage.exit(pid)
    assert exited.failure is not None
    assert (exited.failure.kind, exited.failure.retryable) == ("Timeout", False)


async def test_a_call_that_timed_out_is_told_without_a_traceback(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.function("app:slow", "require('time').sleep('20s')", modules=("time",))
    stage.workflow(
        "app:w",
        """
        local options = {["activity.start_to_close_timeout"] = 300, ["activity.retry_policy"] = {maximum_attempts = 1}}
        return select(2, funcs.new():with_options(options):call("app:slow")):kind()
        """,
    )

    async def told() -> bool:
        return any("app:slow stopped" in record.getMessage() for record in caplog.records)

    with caplog.at_level(logging.INFO):
        assert (await stage.exit(await stage.spawn("app:w"))).value == "Timeout"
        await until(told)
    assert not [record for record in caplog.records if record.exc_info]


async def test_an_upgrade_of_a_young_run_goes_on_at_once(stage: Stage) -> None:
    stage.workflow("app:w", "if a > 0 then process.upgrade(nil, a - 1) end return 'done'")
    pid = await stage.spawn("app:w", 1)
    assert (await stage.exit(pid)).value == "done"
    started = (await stage.history(pid)).events[0].workflow_execution_started_event_attributes
    assert started.continued_execution_run_id
    assert started.first_workflow_task_backoff.ToMilliseconds() <= 10  # what the server was told, not a measurement


async def test_ending_what_does_not_run_is_not_found(stage: Stage) -> None:
    for end in (stage.host.cancel, stage.host.terminate):
        with pytest.raises(UnitFailed) as caught:
            await end("{app:client@app:worker|never}", "", "")
        assert caught.value.failure.kind == "NotFound"


async def test_every_watch_fires_exactly_once(stage: Stage) -> None:
    stage.workflow("app:w", "return process.listen('go'):receive()")
    pid = await stage.spawn("app:w")
    seen: dict[str, list[Exited]] = {"early": [], "late": [], "dropped": []}
    for token in ("early", "dropped"):
        await stage.host.watch(pid, token, seen[token].append)
    await stage.host.unwatch(pid, "dropped")
    await stage.host.unwatch(pid, "never there")
    await stage.host.send(pid, "go", (7,), "")
    await stage.exit(pid)
    await stage.host.watch(pid, "late", seen["late"].append)
    closed = await fetch_closing(stage.client, workflow_id(pid), "")
    assert closed is not None
    for _ in range(2):
        stage.host.closed(closed)
        await stage.host.sweep()
    assert [[(e.pid, e.value) for e in events] for events in seen.values()] == [[(pid, 7)], [(pid, 7)], []]


async def test_the_end_of_an_earlier_run_of_that_id_is_no_exit(stage: Stage) -> None:
    stage.workflow("app:w", "return process.listen('go'):receive()")
    name = str(uuid.uuid4())
    pid = await stage.spawn("app:w", name=name)
    await stage.host.send(pid, "go", ("first",), "")
    await stage.exit(pid)
    earlier = await fetch_closing(stage.client, name, "")
    assert earlier is not None
    await stage.spawn("app:w", name=name)
    seen: list[Exited] = []
    await stage.host.watch(pid, "t", seen.append)
    stage.host.closed(earlier)
    assert seen == []
    await stage.host.send(pid, "go", ("second",), "")
    await stage.exit(pid)
    await stage.host.sweep()
    assert [e.value for e in seen] == ["second"]


async def test_a_missing_workflow_can_not_be_watched(stage: Stage) -> None:
    with pytest.raises(UnitFailed) as caught:
        await stage.host.watch("{app:client@app:worker|never}", "t", lambda exited: None)
    assert caught.value.failure.kind == "NotFound"


async def test_a_run_that_goes_on_as_another_is_no_exit(stage: Stage) -> None:
    stage.workflow(
        "app:w",
        "if a < 3 then process.upgrade(nil, a + 1) end local go = process.listen('go'):receive() return {a, go}",
    )
    pid = await stage.spawn("app:w", 1)
    seen: list[Exited] = []
    await stage.host.watch(pid, "t", seen.append)
    await stage.waits_for(pid, "topic", "go")
    await stage.host.sweep()
    assert seen == []
    await stage.host.send(pid, "go", ("on",), "")
    await stage.exit(pid)
    await stage.host.sweep()
    assert [e.value for e in seen] == [[3, "on"]]


async def test_an_upgrade_takes_unread_messages_along_and_the_newest_program(stage: Stage) -> None:
    stage.workflow(
        "app:w",
        """
        local go = process.listen('go')
        go:receive()
        time.sleep('200ms')
        process.upgrade('app:next', process.pid())
        """,
    )
    stage.workflow("app:next", "return 'old'")
    pid = await stage.spawn("app:w", context={"user": "ann"})
    await stage.waits_for(pid, "topic", "go")
    stage.workflow(
        "app:next",
        """
        local inbox, got = process.inbox(), {}
        for i = 1, 3 do got[i] = inbox:receive():payload():data() end
        return {got = got, same = a == process.pid(), user = ctx.get('user')}
        """,
    )
    await stage.host.send(pid, "go", (), "")
    for n in range(3):
        await stage.host.send(pid, "n", (n,), "")
    assert (await stage.exit(pid)).value == {"got": [0, 1, 2], "same": True, "user": "ann"}


async def test_an_unknown_workflow_type_fails_clearly(stage: Stage) -> None:
    name = str(uuid.uuid4())
    await stage.client.start_workflow("app:nowhere", id=name, task_queue=stage.settings.task_queue)
    exited = await stage.exit(f"{{app:client@app:worker|{name}}}")
    assert exited.failure is not None
    assert exited.failure.kind == "NotFound"
    assert "app:nowhere" in exited.failure.message


async def test_what_a_run_sends_last_is_not_lost(stage: Stage) -> None:
    stage.workflow("app:target", "return process.listen('last'):receive()")
    stage.workflow("app:w", "coroutine.spawn(function() process.send(a, 'last', 'words') end) time.sleep(0) return 1")
    target = await stage.spawn("app:target")
    assert (await stage.run("app:w", target)).value == 1
    assert (await stage.exit(target)).value == "words"


@pytest.mark.parametrize("verb", ["monitor", "unmonitor", "link", "unlink"])
async def test_workflows_can_not_monitor_or_link(stage: Stage, verb: str) -> None:
    stage.workflow("app:w", f"local ok, err = process.{verb}(a) return {{err:kind(), err:retryable(), err:message()}}")
    kind, retryable, message = await stage.value("app:w", "{app:processes|0x1}")
    assert (kind, retryable) == ("Invalid", False)
    assert "not supported in workflow context" in message


async def test_a_workflow_requests_the_cancellation_of_another(stage: Stage) -> None:
    stage.workflow("app:target", CANCELABLE)
    stage.workflow("app:w", "return {process.cancel(a, 'from afar')}")
    target = await stage.spawn("app:target")
    await stage.waits_for(target, "events")
    assert await stage.value("app:w", target) == [True]
    assert (await stage.exit(target)).value["reason"] == "from afar"


async def test_a_canceled_activity_sees_it_and_its_workflow_goes_on(stage: Stage) -> None:
    stage.function(
        "app:fn",
        "local e = process.events():receive() process.send(a, 'seen', e.kind) return 'late'",
    )
    stage.workflow(
        "app:w",
        """
        local seen = process.listen('seen')
        local f = funcs.async('app:fn', process.pid())
        time.sleep('1s')
        f:cancel()
        local v, ok = f:response():receive()
        return {ok = ok, seen = seen:receive()}
        """,
    )
    assert await stage.value("app:w") == {"ok": False, "seen": "pid.cancel"}


async def test_children_fail_and_end_as_the_spec_says(stage: Stage) -> None:
    stage.workflow("app:bad", "error(errors.new{message = 'gone', kind = errors.NOT_FOUND, retryable = true})")
    stage.workflow(
        "app:w",
        """
        local v, err = process.exec('app:bad', 'app:worker')
        local p, linked = process.spawn_linked('app:bad', 'app:worker')
        local q, unknown = process.spawn('app:none', 'app:worker')
        local d = err:details()
        return {kind = err:kind(), retryable = err:retryable(), message = err:message(), wrapper = d._wrapper,
                linked = linked:message(), unknown = unknown:kind()}
        """,
    )
    value = await stage.value("app:w")
    assert (value["kind"], value["retryable"], value["message"]) == ("NotFound", True, "gone")
    assert value["wrapper"] == "child_workflow"
    assert "not supported in workflow context" in value["linked"]
    assert value["unknown"] == "NotFound"


async def test_a_child_on_a_literal_queue_with_startup_messages(stage: Stage) -> None:
    stage.workflow("app:child", "local m = process.inbox():receive() return {m:payload():data(), m:from() == a}")
    stage.workflow(
        "app:w",
        f"""
        local events = process.events()
        process.with_options({{['workflow.id'] = a}}):with_message('hi', 5)
            :spawn('app:child', '{stage.settings.task_queue}', process.pid())
        return events:receive().result.value
        """,
    )
    assert await stage.value("app:w", str(uuid.uuid4())) == [5, True]


async def test_versions_are_recorded_for_the_run(stage: Stage) -> None:
    stage.workflow("app:w", "local w = require('workflow') return {w.version('c', 1, 3), w.version('c', 1, 9)}")
    assert await stage.value("app:w") == [3, 3]


async def test_attributes_are_checked_before_they_are_set(stage: Stage) -> None:
    stage.workflow(
        "app:w",
        """
        local w = require('workflow')
        local ok = w.attrs{memo = {note = 'x'}}
        local no, err = w.attrs{search = {Unheard = 'x'}}
        return {ok, err:kind(), err:message()}
        """,
    )
    pid = await stage.spawn("app:w")
    ok, kind, message = (await stage.exit(pid)).value
    assert (ok, kind) == (True, "Invalid")
    assert "Unheard" in message
    assert await (await stage.host.describe(workflow_id(pid))).memo_value("note") == "x"


async def test_an_unhandled_python_exception_fails_the_task_and_not_the_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from engine.hosts.temporal.workflow.run import Run

    stage.workflow("app:w", "return 'well'")
    healthy = Run._finish

    def broken(self: Run, status: object) -> object:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr(Run, "_finish", broken)
    pid = await stage.spawn("app:w")
    await asyncio.sleep(1)
    monkeypatch.setattr(Run, "_finish", healthy)
    assert (await stage.exit(pid)).value == "well"


async def test_an_activity_failure_tells_its_kind_and_where_it_was(stage: Stage) -> None:
    stage.function("app:plain", "error('boom')")
    stage.function("app:text", "return nil, 'declined'")
    stage.function("app:kind", "return nil, errors.new{message = 'no', kind = errors.CONFLICT, retryable = false}")
    stage.workflow(
        "app:w",
        """
        local out = {}
        for i, id in ipairs{'app:plain', 'app:text', 'app:kind', 'app:none'} do
            local f = funcs.new():with_options{['activity.retry_policy'] = {maximum_attempts = 1}}
            local _, err = f:call(id)
            out[i] = {err:kind(), err:retryable(), err:message(), err:details()._wrapper}
        end
        return out
        """,
    )
    plain, text, kind, none = await stage.value("app:w")
    assert (plain[:2], plain[3]) == (["Internal", False], "activity")
    assert "boom" in plain[2]
    assert text[:3] == ["Internal", False, "declined"]
    assert kind[:3] == ["Conflict", False, "no"]
    assert none[:2] == ["NotFound", True]


async def test_calls_and_processes_are_reached_through_the_fleet(stage: Stage) -> None:
    from engine.contracts.host import SpawnRequest
    from engine.hosts.temporal.node.client import NodeClient

    await stage.serve_fleet()
    stage.function("app:fn", "if a == 0 then return nil, 'zero' end return {n = a, user = ctx.get('user')}")
    stage.process("app:p", "local m = process.inbox():receive() process.send(m:payload():data(), 'hi', 'from p')")
    nodes = NodeClient(stage.client)
    assert await nodes.call(CallRequest("app:fn", (3,), {}, {"user": "ann"})) == {"n": 3, "user": "ann"}
    with pytest.raises(UnitFailed, match="zero"):
        await nodes.call(CallRequest("app:fn", (0,)))
    pid = await nodes.spawn(SpawnRequest("app:p", "app:processes"), node=stage.node.id)
    stage.workflow("app:w", "return process.listen('hi'):receive()")
    target = await stage.spawn("app:w")
    await nodes.send(pid, "reply", (target,), node=stage.node.id)
    assert (await stage.exit(target)).value == "from p"
    with pytest.raises(UnitFailed) as caught:
        await nodes.terminate(pid, node=stage.node.id)
    assert caught.value.failure.kind == "NotFound"


async def test_a_known_search_attribute_is_set(stage: Stage) -> None:
    from temporalio.api.enums.v1 import IndexedValueType
    from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
    from temporalio.common import SearchAttributeKey

    request = AddSearchAttributesRequest(
        namespace="default", search_attributes={"WippyCustomer": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD}
    )
    await stage.client.operator_service.add_search_attributes(request)
    stage.workflow("app:w", "return {require('workflow').attrs{search = {WippyCustomer = 'c1'}}}")
    pid = await stage.spawn("app:w")
    assert (await stage.exit(pid)).value == [True]
    described = await stage.host.describe(workflow_id(pid))
    assert described.typed_search_attributes[SearchAttributeKey.for_keyword("WippyCustomer")] == "c1"


async def test_the_watches_of_a_replaced_host_are_told_by_its_successor(stage: Stage) -> None:
    stage.workflow("app:w", "return process.listen('go'):receive()")
    pid = await stage.spawn("app:w")
    seen: list[Exited] = []
    await stage.host.watch(pid, "t", seen.append)
    successor = WorkflowHost(stage.client, stage.settings, former=stage.host)
    await stage.host.send(pid, "go", (7,), "")
    await stage.exit(pid)
    await successor.sweep()
    await stage.host.sweep()
    assert [event.value for event in seen] == [7]


async def test_a_watched_run_that_is_deleted_exits_once(stage: Stage) -> None:
    stage.workflow("app:w", "return process.listen('go'):receive()")
    pid = await stage.spawn("app:w")
    seen: list[Exited] = []
    await stage.host.watch(pid, "t", seen.append)
    execution = WorkflowExecution(workflow_id=workflow_id(pid))
    request = DeleteWorkflowExecutionRequest(namespace="default", workflow_execution=execution)
    await stage.client.workflow_service.delete_workflow_execution(request)

    async def told() -> bool:
        await stage.host.sweep()
        return bool(seen)

    await until(told)
    await stage.host.sweep()
    [exited] = seen
    assert exited.pid == pid
    assert exited.failure is not None
    assert exited.failure.kind in {"Canceled", "NotFound"}


async def test_the_end_of_a_run_that_temporal_has_forgotten_is_remembered(stage: Stage) -> None:
    async def remembered(name: str) -> Closed | None:
        return Closed(name, "r", "completed", datetime.now(UTC), "then") if name == "long-ago" else None

    host = WorkflowHost(stage.client, stage.settings, remembered=remembered)
    seen: list[Exited] = []
    await host.watch(stage.settings.pid("long-ago"), "t", seen.append)
    assert [event.value for event in seen] == ["then"]
    with pytest.raises(UnitFailed):
        await host.watch(stage.settings.pid("never"), "t", seen.append)
    await host.sweep()
    assert len(seen) == 1


async def test_a_watched_run_on_a_queue_that_is_no_workers_is_asked_after(stage: Stage) -> None:
    stage.workflow("app:w", "return 1")
    for queue, asked in ((f"python-{uuid.uuid4()}", True), (stage.settings.task_queue, False)):
        handle = await stage.client.start_workflow("PythonWorkflow", id=str(uuid.uuid4()), task_queue=queue)
        seen: list[Exited] = []
        await stage.host.watch(stage.settings.pid(handle.id), "t", seen.append)
        await handle.terminate()
        await stage.host.sweep_unreported()
        assert bool(seen) is asked
