"""What is too much fails one call or one run, clearly, and leaves nothing stuck."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.client import WorkflowUpdateFailedError

from engine.errors import UnitFailed
from engine.hosts.temporal.client import starting
from engine.hosts.temporal.wire.failures import MAX_KIND, MAX_MESSAGE
from engine.hosts.temporal.wire.payloads import MAX_PAYLOAD
from engine.hosts.temporal.workflow import budget, commands
from tests.engine.hosts.temporal.stage import Stage, until, workflow_id

BIG = 2_200_000


async def stuck_attempts(stage: Stage, pid: str) -> int:
    """How often the pending workflow task was tried."""
    description = await stage.host.describe(workflow_id(pid))
    return description.raw_description.pending_workflow_task.attempt


@pytest.mark.parametrize("local", [False, True])
async def test_an_argument_over_the_limit_fails_the_call_only(stage: Stage, local: bool) -> None:
    stage.function("app:fn", "return #a", temporal={"activity": {"local": local}})
    stage.workflow(
        "app:w", f"local v, err = funcs.call('app:fn', ('x'):rep({BIG})) return {{err:kind(), err:message()}}"
    )
    kind, message = await stage.value("app:w")
    assert kind == "Invalid"
    assert message.startswith("argument 1 of app:fn is too large: 22000")
    assert message.endswith(f"the limit is {MAX_PAYLOAD}")


@pytest.mark.parametrize(("local", "size"), [(False, BIG), (True, 200_000)])
async def test_a_result_over_the_limit_fails_the_call_only(stage: Stage, local: bool, size: int) -> None:
    stage.function("app:fn", f"return ('x'):rep({size})", temporal={"activity": {"local": local}})
    stage.workflow("app:w", "local v, err = funcs.call('app:fn') return {err:kind(), err:message()}")
    kind, message = await stage.value("app:w")
    assert kind == "Invalid"
    assert "result of app:fn is too large" in message


async def test_a_result_of_a_run_over_the_limit_fails_that_run(stage: Stage) -> None:
    stage.workflow("app:w", f"return ('x'):rep({BIG})")
    failure = (await stage.run("app:w")).failure
    assert failure is not None
    assert failure.kind == "Invalid"
    assert "result of app:w is too large" in failure.message


async def test_a_failure_of_any_size_still_ends_the_run(stage: Stage) -> None:
    stage.workflow("app:w", f"return nil, errors.new{{message = ('m'):rep({BIG}), details = {{d = ('d'):rep({BIG})}}}}")
    failure = (await stage.run("app:w")).failure
    assert failure is not None
    assert failure.message.startswith("mmm")


HUGE = "errors.new({message = ('m'):rep(6000000), kind = ('K'):rep(1000000), retryable = false})"


@pytest.mark.parametrize("local", [False, True])
async def test_an_error_of_any_size_comes_back_from_a_function(stage: Stage, local: bool) -> None:
    stage.function("app:fn", f"return nil, {HUGE}", temporal={"activity": {"local": local}})
    stage.workflow("app:w", "local _, err = funcs.call('app:fn') return {#err:kind(), #err:message()}")
    kind, message = await stage.value("app:w")
    assert 0 < kind <= MAX_KIND and 0 < message <= MAX_MESSAGE


async def test_an_error_of_any_size_ends_a_run(stage: Stage) -> None:
    stage.workflow("app:w", f"return nil, {HUGE}")
    failure = (await stage.run("app:w")).failure
    assert failure is not None
    assert set(failure.kind) == {"K"} and set(failure.message) == {"m"}


async def test_signals_children_and_starts_over_the_limit_fail_where_they_are_sent(stage: Stage) -> None:
    stage.workflow(
        "app:w",
        f"""
        local big, out = ('x'):rep({BIG}), {{}}
        local function note(_, err) out[#out + 1] = err:kind() .. ': ' .. err:message():match('^(.-) is too large') end
        note(process.send('{{app:client@app:worker|other}}', 'topic', big))
        note(process.spawn('app:w', 'app:worker', big))
        note(process.exec('app:w', 'app:worker', big))
        note(process.with_options({{}}):with_message('m', big):spawn('app:w', 'app:worker'))
        return out
        """,
    )
    assert await stage.value("app:w") == [
        "Invalid: argument 1 of signal topic to {app:client@app:worker|other}",
        "Invalid: argument 1 of app:w",
        "Invalid: argument 1 of app:w",
        "Invalid: startup messages of app:w",
    ]
    with pytest.raises(UnitFailed, match="argument 1 of app:w is too large"):
        await stage.spawn("app:w", "x" * BIG)
    stage.workflow("app:waits", "return process.inbox():receive():topic()")
    pid = await stage.spawn("app:waits")
    with pytest.raises(UnitFailed, match="argument 1 of signal big"):
        await stage.host.send(pid, "big", ("x" * BIG,), "")
    await stage.host.send(pid, "small", (), "")
    assert (await stage.exit(pid)).value == "small"


async def test_what_a_child_returns_has_its_limit(stage: Stage) -> None:
    stage.workflow("app:child", f"return ('x'):rep({BIG})")
    stage.workflow("app:w", "local v, err = process.exec('app:child', 'app:worker') return {err:kind(), err:message()}")
    kind, message = await stage.value("app:w")
    assert (kind, "result of app:child is too large" in message) == ("Invalid", True)


async def test_an_answer_to_an_update_has_its_limit_and_may_be_given_again(stage: Stage) -> None:
    stage.workflow(
        "app:w",
        f"""
        local m = process.inbox():receive()
        local ok, err = process.send(m:from(), 'ok', ('x'):rep({BIG}))
        process.send(m:from(), 'ok', {{err:kind(), err:message()}})
        return 'done'
        """,
    )
    pid = await stage.spawn("app:w")
    kind, message = await stage.client.get_workflow_handle(workflow_id(pid)).execute_update("any", id="u-1")
    assert (kind, message.startswith("result of update u-1 is too large")) == ("Invalid", True)
    assert (await stage.exit(pid)).value == "done"


async def test_answers_to_updates_that_are_too_large_together_do_not_stick(stage: Stage) -> None:
    stage.workflow(
        "app:w",
        """
        local inbox, askers, out = process.inbox(), {}, {}
        for i = 1, 4 do askers[i] = inbox:receive():from() end
        for i = 1, 4 do
            local ok, err = process.send(askers[i], 'ok', ('x'):rep(1500000))
            if err then
                out[#out + 1] = err:kind()
                process.send(askers[i], 'ok', 'short')
            end
        end
        return out
        """,
    )
    pid = await stage.spawn("app:w")
    handle = stage.client.get_workflow_handle(workflow_id(pid))
    answers = await asyncio.gather(*(handle.execute_update("any", str(n)) for n in range(4)))
    assert sorted(len(answer) for answer in answers) == [5, 5, 1_500_000, 1_500_000]
    assert (await stage.exit(pid)).value == ["Invalid", "Invalid"]


async def test_a_failed_update_of_any_size_is_told(stage: Stage) -> None:
    stage.workflow(
        "app:w", f"local m = process.inbox():receive() process.send(m:from(), 'error', ('m'):rep({BIG})) return 1"
    )
    pid = await stage.spawn("app:w")
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await stage.client.get_workflow_handle(workflow_id(pid)).execute_update("any")
    assert "mmm" in str(caught.value.cause)


async def test_calls_that_are_too_large_together_fail_but_do_not_stick(stage: Stage) -> None:
    stage.function("app:fn", "return #a")
    stage.workflow(
        "app:w",
        """
        local big, futures, out = ('x'):rep(1000000), {}, {}
        for i = 1, 5 do futures[i] = funcs.async('app:fn', big) end
        for i, f in ipairs(futures) do
            local v = f:response():receive()
            out[i] = v.data and v:data() or v:kind()
        end
        return out
        """,
    )
    assert await stage.value("app:w") == [1_000_000, 1_000_000, 1_000_000, "Invalid", "Invalid"]


async def test_many_results_of_local_activities_do_not_stick(stage: Stage) -> None:
    stage.function("app:fn", "return ('x'):rep(100000)", temporal={"activity": {"local": True}})
    stage.workflow(
        "app:w",
        """
        local futures, sum = {}, 0
        for i = 1, 60 do futures[i] = funcs.async('app:fn') end
        for _, f in ipairs(futures) do sum = sum + #f:response():receive():data() end
        for i = 1, 60 do sum = sum + #funcs.call('app:fn') end
        return sum
        """,
    )
    assert await stage.value("app:w") == 12_000_000


async def test_an_upgrade_with_too_much_fails_the_run(stage: Stage) -> None:
    stage.workflow("app:w", f"process.upgrade(nil, ('x'):rep({BIG}))")
    failure = (await stage.run("app:w")).failure
    assert failure is not None
    assert "argument 1 of app:w is too large" in failure.message


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("while true do end", "LimitExceeded"),
        ("while true do pcall(function() while true do end end) end", "LimitExceeded"),
        ("local t = {} while true do t[#t + 1] = ('x'):rep(100000) .. #t end", "LimitExceeded"),
        ("local t = {} while true do pcall(function() t[#t + 1] = ('x'):rep(100000) .. #t end) end", "LimitExceeded"),
        ("while true do process.send(process.pid(), 'again') end", "LimitExceeded"),
        ("while true do funcs.call('app:fn', {[2] = 1}) end", "LimitExceeded"),
        ("return (function() return nil + 1 end)()", "Internal"),
        ("return ((", "Invalid"),
    ],
)
async def test_a_run_that_goes_wild_fails_alone(stage: Stage, code: str, kind: str) -> None:
    stage.workflow("app:calm", "return process.listen('end'):receive()")
    stage.workflow("app:wild", code)
    calm = await stage.spawn("app:calm")
    if kind == "Invalid":
        await stage.client.start_workflow("app:wild", id=f"wild-{calm}", task_queue=stage.settings.task_queue)
        exited = await stage.exit(f"{{app:client@app:worker|wild-{calm}}}")
    else:
        exited = await stage.run("app:wild")
    assert exited.failure is not None
    assert exited.failure.kind == kind, exited.failure
    await stage.host.send(calm, "end", ("calm",), "")
    assert (await stage.exit(calm)).value == "calm"
    assert await stuck_attempts(stage, calm) == 0


async def test_time_fails_the_task_which_is_tried_again_and_not_the_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.workflow("app:w", "return 'done'")
    monkeypatch.setattr(budget, "MAX_SECONDS", -1)
    pid = await stage.spawn("app:w")

    async def tried_again() -> bool:
        return await stuck_attempts(stage, pid) > 1

    await until(tried_again)
    monkeypatch.setattr(budget, "MAX_SECONDS", 60)
    assert (await stage.exit(pid)).value == "done"


async def test_time_failed_a_run_begun_before(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.workflow("app:w", "return 'done'")
    monkeypatch.setattr(starting, "KERNEL", 1)
    monkeypatch.setattr(budget, "MAX_SECONDS", -1)
    exited = await stage.run("app:w")
    assert exited.failure is not None
    assert exited.failure.kind == "LimitExceeded"


@pytest.mark.parametrize(("kernel", "kind"), [(1, ""), (2, "LimitExceeded")])
async def test_too_many_timers_end_a_run_and_not_one_begun_before(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kernel: int, kind: str
) -> None:
    stage.workflow("app:w", "for i = 1, 4 do time.after('1ms') end time.sleep('50ms') return 'done'")
    monkeypatch.setattr(starting, "KERNEL", kernel)
    monkeypatch.setattr(commands, "MAX_TIMERS", 4)
    exited = await stage.run("app:w")
    assert (exited.failure.kind if exited.failure else "") == kind


async def test_as_many_timers_as_a_run_may_have_are_no_fault(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.workflow("app:w", "for i = 1, 3 do time.after('1ms') end time.sleep('50ms') return 'done'")
    monkeypatch.setattr(commands, "MAX_TIMERS", 4)
    assert await stage.value("app:w") == "done"
