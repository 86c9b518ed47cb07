"""What a node tells of calls that keep failing, and of runs that it started on other queues."""

from __future__ import annotations

import uuid

import pytest

from engine.hosts.temporal.observations import Retrying, Settled, StartedElsewhere
from engine.steps import Value
from tests.engine.hosts.temporal.stage import Stage, until, workflow_id

FAILS = "return nil, errors.new({message = 'gateway says 503', kind = errors.UNAVAILABLE, retryable = true})"


def call(options: str) -> str:
    return f"return funcs.new():with_options({{retry = {{{options}}}}}):call('app:flaky')"


async def told(stage: Stage, count: int) -> None:
    """Wait until the node has told so much."""

    async def enough() -> bool:
        return len(stage.told) >= count

    await until(enough)


async def test_the_third_failure_of_a_call_is_told_once_and_so_is_its_end(stage: Stage) -> None:
    stage.function("app:flaky", FAILS)
    stage.workflow("app:w", call("max_attempts = 1000, initial_delay = '100ms', backoff_factor = 1"))
    pid = await stage.spawn("app:w")
    await told(stage, 1)
    first = stage.told[0]
    assert isinstance(first, Retrying)
    assert (first.name, first.attempt, first.call_id[:2]) == ("app:flaky", 4, "1-")
    assert first.failure is not None and first.failure.message == "gateway says 503"
    assert first.next_at is not None
    stage.function("app:flaky", "return 'well'")
    assert (await stage.exit(pid)).value == "well"
    await told(stage, 3)
    assert stage.told[1:] == [
        Retrying(first.run_id, first.call_id, "app:flaky", 4),
        Settled(first.run_id, first.call_id),
    ]


@pytest.mark.parametrize("code", [call("max_attempts = 3, initial_delay = '10ms'"), "return funcs.call('app:raises')"])
async def test_a_call_that_is_not_tried_again_is_not_told(stage: Stage, code: str) -> None:
    stage.function("app:flaky", FAILS)
    stage.function("app:raises", "error('no')")
    stage.workflow("app:w", code)
    assert (await stage.run("app:w")).failure is not None
    assert stage.told == []


async def test_a_call_that_ends_badly_after_many_attempts_is_settled(stage: Stage) -> None:
    stage.function("app:flaky", FAILS)
    stage.workflow("app:w", call("max_attempts = 5, initial_delay = '10ms'"))
    assert (await stage.run("app:w")).failure is not None
    await told(stage, 3)
    assert [type(each) for each in stage.told] == [Retrying, Retrying, Settled]


@pytest.mark.parametrize(("key", "value"), [("local", "true"), ("heartbeat_timeout", "'1s'")])
@pytest.mark.parametrize("last", [3, 5])
async def test_a_cancelled_call_is_settled_and_never_told_again(stage: Stage, key: str, value: str, last: int) -> None:
    stage.function(
        "app:flaky",
        f"""
        if ctx.get("activity").attempt < {last} then {FAILS} end
        process.send(a, "began")
        process.events():receive()
        process.send(a, "stopped")
        return nil, errors.new({{message = "stopped", kind = errors.CANCELED, retryable = true}})
        """,
    )
    stage.workflow(
        "app:w",
        f"""
        local began, stopped = process.listen("began"), process.listen("stopped")
        local options = {{["activity.{key}"] = {value}, retry = {{max_attempts = 1000, initial_delay = "10ms"}}}}
        local future = funcs.new():with_options(options):async("app:flaky", process.pid())
        began:receive()
        future:cancel()
        stopped:receive()
        return "well"
        """,
    )
    assert await stage.value("app:w") == "well"
    await told(stage, 3 if last > 3 else 0)
    assert [type(each) for each in stage.told] == ([Retrying, Retrying, Settled] if last > 3 else [])


@pytest.mark.parametrize("from_workflow", [False, True])
async def test_a_run_on_a_queue_of_nobody_is_told_by_its_starter(stage: Stage, from_workflow: bool) -> None:
    queue = f"nobody-{uuid.uuid4().hex[:6]}"
    stage.workflow("app:gone", "return 1")
    options: dict[str, Value] = {"workflow.task_queue": queue}
    if from_workflow:
        given = f"{{['workflow.task_queue'] = '{queue}'}}"
        stage.workflow("app:w", f"return process.with_options({given}):spawn('app:gone', 'app:worker', 5)")
        pid = str(await stage.value("app:w"))
    else:
        pid = await stage.spawn("app:gone", 5, options=options)
    await told(stage, 1)
    [seen] = stage.told
    assert isinstance(seen, StartedElsewhere)
    assert (seen.workflow_id, seen.task_queue, seen.entry_id, seen.input) == (workflow_id(pid), queue, "app:gone", (5,))
    assert seen.run_id and bool(seen.parent_run_id) is from_workflow
