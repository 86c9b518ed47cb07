"""Workers die; runs go on."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.hosts.temporal.stage import Stage, until, workflow_id

ROOT = Path(__file__).parents[4]


@pytest.fixture
async def client_only(temporal_address: str) -> AsyncIterator[Stage]:
    """A stage whose workers are other OS processes."""
    stage = await Stage.open(temporal_address, serve=False, queue=uuid.uuid4().hex)
    yield stage
    await stage.close()


@contextmanager
def worker_process(stage: Stage, address: str) -> Iterator[subprocess.Popen[str]]:
    """A worker with the entries of the stage, in an OS process that is killed afterwards."""
    command = [sys.executable, "-m", "tests.engine.hosts.temporal.serve", address, stage.settings.task_queue]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for kind in ("workflow.lua", "function.lua", "function.python"):
            for entry in stage.catalog.entries(kind):
                process.stdin.write(json.dumps(entry.to_json()) + "\n")
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "serving\n"
        try:
            yield process
        finally:
            process.kill()


async def test_a_worker_killed_in_an_activity_is_replaced(client_only: Stage, temporal_address: str) -> None:
    stage = client_only
    stage.function("app:before", "return 'b'")
    stage.function("app:slow", "time.sleep('3s') return 'slow'", options={"activity.heartbeat_timeout": "2s"})
    stage.workflow("app:w", "local b = funcs.call('app:before') return b .. funcs.call('app:slow', b)")
    with worker_process(stage, temporal_address) as first:
        pid = await stage.spawn("app:w")
        await until(lambda: is_running(stage, pid, "app:slow"))
        first.kill()
        first.wait()
    with worker_process(stage, temporal_address):
        assert (await stage.exit(pid)).value == "bslow"
    started = [
        e.activity_task_started_event_attributes.attempt
        for e in (await stage.history(pid)).events
        if e.HasField("activity_task_started_event_attributes")
    ]
    assert started == [1, 2]


async def test_a_run_goes_on_where_a_killed_worker_left_it(client_only: Stage, temporal_address: str) -> None:
    stage = client_only
    stage.function("app:fn", "return a + 1")
    stage.workflow(
        "app:w", "local n = funcs.call('app:fn', 1) local go = process.listen('go'):receive() return {n, go}"
    )
    with worker_process(stage, temporal_address):
        pid = await stage.spawn("app:w")
        await stage.waits_for(pid, "topic", "go")
    await stage.host.send(pid, "go", ("on",), "")
    with worker_process(stage, temporal_address):
        assert (await stage.exit(pid)).value == [2, "on"]


async def is_running(stage: Stage, pid: str, activity: str) -> bool:
    """Whether the activity was taken by a worker."""
    description = (await stage.host.describe(workflow_id(pid))).raw_description
    return any(p.activity_type.name == activity and p.state == 2 for p in description.pending_activities)


async def test_a_shutdown_lets_a_running_activity_end(stage: Stage) -> None:
    stage.function("app:fn", "time.sleep('1s') return 'ended'")
    stage.workflow("app:w", "return funcs.call('app:fn')")
    pid = await stage.spawn("app:w")
    await until(lambda: is_running(stage, pid, "app:fn"))
    await stage.rest()
    await stage.serve_again()
    assert (await stage.exit(pid)).value == "ended"
    assert await attempts(stage, pid) == [1]


async def attempts(stage: Stage, pid: str) -> list[int]:
    """The attempts at which activities were recorded as started."""
    return [
        e.activity_task_started_event_attributes.attempt
        for e in (await stage.history(pid)).events
        if e.HasField("activity_task_started_event_attributes")
    ]


async def test_an_activity_is_tried_again_as_its_policy_says(stage: Stage) -> None:
    stage.function("app:fn", "return nil, errors.new{message = 'later', kind = errors.UNAVAILABLE, retryable = true}")
    stage.workflow(
        "app:w",
        """
        local f = funcs.new():with_options{
            ['temporal.activity.retry_policy'] = {maximum_attempts = 3, initial_interval = 10}}
        local _, err = f:call('app:fn')
        return {err:kind(), err:details()._retry_state}
        """,
    )
    pid = await stage.spawn("app:w")
    assert (await stage.exit(pid)).value == ["Unavailable", "MAXIMUM_ATTEMPTS_REACHED"]
    assert await attempts(stage, pid) == [3]


async def test_a_run_keeps_its_program_while_the_registry_moves_on(stage: Stage) -> None:
    old = "local go = process.listen('go'):receive() return {'old', funcs.call('app:fn')}"
    stage.function("app:fn", "return 'first'")
    stage.workflow("app:w", old)
    pinned = await stage.spawn("app:w")
    name = str(uuid.uuid4())
    await stage.client.start_workflow("app:w", id=name, task_queue=stage.settings.task_queue)
    foreign = stage.settings.pid(name)
    for pid in (pinned, foreign):
        await stage.waits_for(pid, "topic", "go")
    stage.workflow("app:w", "return 'new'")
    stage.function("app:fn", "return 'second'", options={"activity.task_queue": "nobody serves this"})
    # Without its cache the worker must replay from the first event.
    await stage.rest()
    await stage.serve_again()
    for pid in (pinned, foreign):
        await stage.host.send(pid, "go", (), "")
        assert (await stage.exit(pid)).value == ["old", "second"]
    assert await stage.value("app:w") == "new"


async def test_a_deleted_entry_leaves_its_open_runs_alone(stage: Stage) -> None:
    stage.workflow("app:w", "return process.listen('go'):receive()")
    pid = await stage.spawn("app:w")
    await stage.waits_for(pid, "topic", "go")
    stage.catalog.publish(delete=["app:w"])
    await stage.rest()
    await stage.serve_again()
    await stage.host.send(pid, "go", ("still here",), "")
    assert (await stage.exit(pid)).value == "still here"


async def test_a_local_activity_leaves_one_event_where_a_regular_one_leaves_more(stage: Stage) -> None:
    stage.function("app:local", "return 1", temporal={"activity": {"local": True}})
    stage.workflow("app:w", "for _ = 1, 10 do funcs.call('app:local') end return true")
    pid = await stage.spawn("app:w")
    await stage.exit(pid)
    assert len((await stage.history(pid)).events) <= 16


async def test_many_runs_at_once_all_end(stage: Stage) -> None:
    stage.function("app:fn", "return a + 1")
    stage.workflow("app:w", "local n = a for _ = 1, 3 do n = funcs.call('app:fn', n) end return n")
    exits = await asyncio.gather(*(stage.run("app:w", n) for n in range(40)))
    assert [exited.value for exited in exits] == [n + 3 for n in range(40)]
