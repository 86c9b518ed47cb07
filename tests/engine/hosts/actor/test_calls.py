from __future__ import annotations

import asyncio

import pytest

from engine.errors import UnitFailed
from engine.hosts.actor import calls
from tests.engine.hosts.actor.support import lab, lua, process

ADD = lua("app:add", "local a, b = ... return a + b")
SLOW = lua("app:slow", "time.sleep('300ms') return 'done'")
COUNTER = process(
    "app:counter",
    """
    local n, inbox = 0, process.inbox()
    while true do
      local msg = inbox:receive()
      n = n + 1
      process.send(msg:from(), "count", n)
    end
    """,
)
# Fails with the given kind until it was called `good` times, counted by the process `counter`.
FLAKY = lua(
    "app:flaky",
    """
    local good, kind, retryable = ...
    local count = process.listen("count")
    process.send("counter", "hit")
    local n = count:receive()
    if n < good then return nil, errors.new { message = "attempt " .. n, kind = kind, retryable = retryable } end
    return n
    """,
    meta={"options": {"retry": {"max_attempts": 4, "initial_delay": 1, "jitter": 0}}},
)


async def test_a_call_returns_the_value_of_the_function() -> None:
    async with lab(ADD) as it:
        assert await it.call("app:add", 2, 3) == 5


async def test_a_call_of_a_missing_function_is_not_found_and_not_retryable() -> None:
    async with lab() as it:
        failure = await it.failure("app:nobody")
        assert (failure.kind, failure.retryable) == ("NotFound", False)
        assert "no handler registered for target" in failure.message


async def test_libraries_and_workflows_are_not_callable() -> None:
    async with lab(lua("app:lib", "", "library.lua"), lua("app:flow", "", "workflow.lua")) as it:
        assert (await it.failure("app:lib")).kind == "NotFound"
        assert (await it.failure("app:flow")).kind == "NotFound"


async def test_an_entry_that_does_not_compile_fails_the_call_only() -> None:
    async with lab(lua("app:broken", "local = 1"), ADD) as it:
        assert (await it.failure("app:broken")).kind == "Invalid"
        assert await it.call("app:add", 1, 1) == 2


async def test_functions_call_functions_and_see_the_context() -> None:
    outer = lua("app:outer", "return funcs.new():with_context({ who = 'me' }):call('app:inner')")
    inner = lua("app:inner", "return ctx.get('who')")
    async with lab(outer, inner) as it:
        assert await it.call("app:outer") == "me"


async def test_a_failure_keeps_kind_and_retryable_through_nested_calls() -> None:
    inner = lua("app:inner", "return nil, errors.new { message = 'no', kind = 'Conflict', retryable = true }")
    outer = lua("app:outer", "local v, err = funcs.call('app:inner') return nil, err")
    async with lab(inner, outer) as it:
        failure = await it.failure("app:outer")
        assert (failure.kind, failure.retryable, failure.message) == ("Conflict", True, "no")


async def test_each_call_is_an_actor_with_the_function_as_its_host() -> None:
    async with lab(lua("app:me", "return { process.id(), process.pid() }")) as it:
        entry, pid = await it.call("app:me")
        assert entry == "app:me"
        assert pid.startswith("{node-1@app:me|0x")


async def test_a_process_is_callable_by_its_default_host() -> None:
    job = process("app:job", "local n = ... return n * 2", meta={"default_host": "app:procs"})
    bare = process("app:bare", "return 1")
    async with lab(job, bare) as it:
        assert await it.call("app:job", 21) == 42
        assert await it.run("return funcs.call('app:job', 4)") == 8
        assert (await it.failure("app:bare")).kind == "NotFound"


async def test_a_failing_call_is_tried_again_until_it_succeeds() -> None:
    async with lab(COUNTER, FLAKY) as it:
        await it.spawn("app:counter", name="counter")
        assert await it.call("app:flaky", 3, "Unavailable") == 3


async def test_retries_stop_at_max_attempts_with_the_last_failure() -> None:
    async with lab(COUNTER, FLAKY) as it:
        await it.spawn("app:counter", name="counter")
        assert (await it.failure("app:flaky", 99, "Unavailable")).message == "attempt 4"


@pytest.mark.parametrize("kind", ["Invalid", "PermissionDenied", "Internal"])
async def test_defects_of_the_caller_or_callee_are_not_tried_again(kind: str) -> None:
    async with lab(COUNTER, FLAKY) as it:
        await it.spawn("app:counter", name="counter")
        assert (await it.failure("app:flaky", 99, kind)).message == "attempt 1"


async def test_a_failure_that_says_not_retryable_is_not_tried_again() -> None:
    async with lab(COUNTER, FLAKY) as it:
        await it.spawn("app:counter", name="counter")
        assert (await it.failure("app:flaky", 99, "Unavailable", False)).message == "attempt 1"


async def test_the_callers_options_replace_those_of_the_entry() -> None:
    async with lab(COUNTER, FLAKY) as it:
        await it.spawn("app:counter", name="counter")
        retry = {"max_attempts": 2, "initial_delay": 1, "retry_kinds": ["Internal"]}
        failure = await it.failure("app:flaky", 99, "Internal", options={"retry": retry})
        assert failure.message == "attempt 2"


async def test_an_unreadable_option_is_invalid_before_anything_starts() -> None:
    async with lab(ADD) as it:
        failure = await it.failure("app:add", 1, 2, options={"timeout": "soon"})
        assert failure.kind == "Invalid"
        assert "timeout" in failure.message


async def test_a_call_that_takes_too_long_times_out() -> None:
    async with lab(SLOW) as it:
        failure = await it.failure("app:slow", options={"timeout": 30})
        assert failure.kind == "Timeout"
        assert "30ms" in failure.message


async def test_the_timeout_spans_all_attempts() -> None:
    always = lua("app:always", "return nil, errors.new { message = 'no', kind = 'Unavailable' }")
    async with lab(always) as it:
        options = {"timeout": 50, "retry": {"max_attempts": 1000, "initial_delay": 20}}
        assert (await it.failure("app:always", options=options)).kind == "Timeout"


async def test_a_cancelled_caller_sends_cancel_to_the_callee() -> None:
    patient = lua("app:patient", "local e = process.events():receive() process.send('log', e.type, e.reason)")
    log = process("app:log", "process.registry.register('log') return process.inbox():receive():topic()")
    async with lab(patient, log) as it:
        waiter = asyncio.create_task(it.run("return process.exec('app:log', 'app:procs')"))
        await it.until(lambda: any(p.names for p in it.node.processes()))
        task = asyncio.create_task(it.call("app:patient"))
        await it.until(lambda: any(p.entry == "app:patient" and p.state == "idle" for p in it.node.processes()))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await waiter == "CANCEL"


async def test_a_function_that_ignores_cancel_is_terminated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "PATIENCE", 0.05)
    async with lab(lua("app:deaf", "process.inbox():receive()")) as it:
        task = asyncio.create_task(it.call("app:deaf"))
        await it.until(lambda: it.node.counts()["functions"] == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await it.until(lambda: it.node.counts()["functions"] == 0)


async def test_a_cancelled_future_asks_the_callee_to_stop_and_answers_at_once() -> None:
    callee = lua("app:callee", "process.events():receive() process.send('log', 'stopped')")
    async with lab(callee) as it:
        result = await it.run(
            """
            process.registry.register("log")
            local stopped = process.listen("stopped", { message = true })
            local future = funcs.async("app:callee")
            time.sleep("20ms")
            future:cancel()
            local canceled = future:is_canceled()
            stopped:receive()
            return canceled
            """
        )
        assert result is True


CHAIN = [
    lua("app:callee", "local e = process.events():receive() process.send('log', 'stopped', e.reason) return e.type"),
    lua("app:middle", "return funcs.call('app:callee')"),
    process("app:outer", "return funcs.call('app:middle')"),
]


async def test_a_cancelled_future_stops_what_its_function_waits_for() -> None:
    async with lab(*CHAIN) as it:
        result = await it.run(
            """
            process.registry.register("log")
            local stopped = process.listen("stopped")
            local future = funcs.async("app:middle")
            time.sleep("20ms")
            future:cancel()
            return stopped:receive()
            """
        )
        assert result == "canceled"
        await it.until(lambda: it.node.counts()["functions"] == 0)


async def test_a_cancelled_process_stops_what_it_waits_for_and_gets_the_answer() -> None:
    async with lab(*CHAIN) as it:
        result = await it.run(
            """
            process.registry.register("log")
            local stopped = process.listen("stopped")
            local pid = process.spawn_monitored("app:outer", "app:procs")
            time.sleep("20ms")
            process.cancel(pid, "enough")
            return { stopped:receive(), process.events():receive().result.value }
            """
        )
        assert result == ["enough", "CANCEL"]


async def test_a_cancel_goes_down_a_chain_of_hundreds_of_calls() -> None:
    dig = lua(
        "app:dig",
        """
        local left = ...
        if left > 0 then return funcs.call("app:dig", left - 1) end
        process.send("log", "down")
        return process.events():receive().reason
        """,
        pool={"type": "inline"},
    )
    outer = process("app:outer", "return funcs.call('app:dig', 450)")
    async with lab(dig, outer) as it:
        result = await it.run(
            """
            process.registry.register("log")
            local down = process.listen("down", { message = true })
            local pid = process.spawn_monitored("app:outer", "app:procs")
            down:receive()
            process.cancel(pid, "enough")
            return process.events():receive().result.value
            """
        )
        assert result == "enough"


async def test_a_cancelled_process_decides_itself_about_its_futures() -> None:
    outer = process(
        "app:outer",
        """
        local future = funcs.async("app:slow")
        process.events():receive()
        return future:response():receive():data()
        """,
    )
    async with lab(SLOW, outer) as it:
        result = await it.run(
            """
            local pid = process.spawn_monitored("app:outer", "app:procs")
            time.sleep("20ms")
            process.cancel(pid)
            return process.events():receive().result.value
            """
        )
        assert result == "done"


async def test_a_call_that_waits_for_its_next_attempt_is_over_when_its_caller_is_cancelled() -> None:
    retry = {"max_attempts": 9, "initial_delay": 60_000, "jitter": 0}
    never = lua(
        "app:never",
        "return nil, errors.new { message = 'not yet', kind = 'Unavailable', retryable = true }",
        meta={"options": {"retry": retry}},
    )
    outer = process("app:outer", "local v, err = funcs.call('app:never') return err:kind()")
    async with lab(never, outer) as it:
        result = await it.run(
            """
            local pid = process.spawn_monitored("app:outer", "app:procs")
            time.sleep("100ms")
            process.cancel(pid)
            return process.events():receive().result.value
            """
        )
        assert result == "Canceled"


async def test_calls_in_flight_are_cancelled_when_their_caller_ends() -> None:
    callee = lua("app:callee", "process.events():receive() return 'heard'")
    async with lab(callee) as it:
        await it.run("funcs.async('app:callee') time.sleep('10ms') return 1")
        await it.until(lambda: it.node.counts()["functions"] == 0)


async def test_two_hundred_calls_at_once_all_get_their_own_answer() -> None:
    async with lab(ADD) as it:
        results = await asyncio.gather(*(it.call("app:add", n, n) for n in range(200)))
        assert results == [2 * n for n in range(200)]
        with pytest.raises(UnitFailed):
            await it.call("app:add", None, 1)
