"""What `${env:NAME}` stood for when a run first read it, it stands for to the end of the run and in every replay."""

from __future__ import annotations

import asyncio
import logging

import pytest
from temporalio.client import WorkflowHistory

from engine.entry import Entry
from engine.hosts.temporal.wire.lookups import FILLED
from engine.hosts.temporal.worker.worker import replayer
from engine.security.context import Actor, Policy, Security
from tests.engine.hosts.temporal.stage import Stage, until

ANN = Security(Actor("user:ann"), (Policy("app:policy"),))


def policy(resource: str) -> Entry:
    body = {"actions": "*", "resources": [resource], "effect": "allow"}
    return Entry("app:policy", "security.policy", {}, {"policy": body})


def ids(history: WorkflowHistory) -> list[str]:
    """Of the activities, in the order in which they were asked for."""
    events = [event.activity_task_scheduled_event_attributes for event in history.events]
    return [each.activity_id for each in events if each.activity_id]


def asked(history: WorkflowHistory) -> int:
    """How often the run asked its worker for an entry."""
    return sum(FILLED.encode() in event.SerializeToString() for event in history.events)


async def replays(stage: Stage, history: WorkflowHistory) -> None:
    result = await replayer(stage.settings).replay_workflow(history, raise_on_replay_failure=False)
    assert result.replay_failure is None


async def test_a_worker_that_knows_another_value_goes_on_as_the_run_began(stage: Stage) -> None:
    stage.environ |= {"OPEN": "app:named", "REGION": "eu"}
    stage.catalog.publish(policy("${env:OPEN}"))
    stage.function("app:named", "return a", options={"activity": {"id": "${env:REGION}-call"}})
    stage.function("app:shut", "return a")
    stage.workflow(
        "app:w",
        """
        local function all()
            local _, refused = funcs.call('app:shut', 1)
            return {funcs.call('app:named', 1), refused and refused:kind()}
        end
        local before = all()
        process.listen('go'):receive()
        return {before, all()}
        """,
    )
    pid = await stage.spawn("app:w", security=ANN)
    await stage.waits_for(pid, "topic", "go")
    await stage.rest()
    stage.environ |= {"OPEN": "app:shut", "REGION": "us"}
    await stage.serve_again()
    await stage.host.send(pid, "go", (), "")
    exited = await stage.exit(pid)
    assert exited.value == [[1, "PermissionDenied"]] * 2
    history = await stage.history(pid)
    assert (ids(history), asked(history)) == (["eu-call"] * 2, 2)
    await replays(stage, history)
    stage.environ.clear()
    await replays(stage, history)


async def test_calls_that_begin_together_ask_once_and_keep_their_order(stage: Stage) -> None:
    stage.environ["FOR"] = "5m"
    stage.function("app:fn", "return a", options={"activity": {"start_to_close_timeout": "${env:FOR}"}})
    stage.function("app:local", "return a", options={"activity": {"local": "${env:HERE|true}"}})
    stage.workflow(
        "app:w",
        """
        local calls, out = {}, {}
        for i = 1, 5 do calls[i] = funcs.async(i % 2 == 0 and 'app:local' or 'app:fn', i) end
        for i = 1, 5 do out[i] = calls[i]:response():receive():data() end
        return out
        """,
    )
    pid = await stage.spawn("app:w")
    assert (await stage.exit(pid)).value == [1, 2, 3, 4, 5]
    history = await stage.history(pid)
    assert [each.partition("-")[0] for each in ids(history)] == sorted(each.partition("-")[0] for each in ids(history))
    assert (len(ids(history)), asked(history)) == (3, 2)
    stage.environ["FOR"] = "never"
    await replays(stage, history)


async def test_a_variable_that_a_node_lacks_fails_the_task_until_it_is_there(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.function("app:fn", "return a", options={"activity": {"id": "${env:REGION}"}})
    stage.workflow("app:child", "return a", options={"workflow": {"summary": "${env:REGION}"}})
    stage.workflow(
        "app:w",
        """
        coroutine.spawn(function() process.spawn('app:child', 'app:worker', 1) end)
        return a and funcs.call('app:fn', 1)
        """,
    )
    with caplog.at_level(logging.WARNING):
        pids = [await stage.spawn("app:w", True), await stage.spawn("app:w", False)]
        failed = "the variable REGION is not set"
        await until(lambda: _true(sum(failed in (r.exc_text or r.message) for r in caplog.records) >= 2))
    stage.environ["REGION"] = "eu"
    exits = await asyncio.gather(*map(stage.exit, pids))
    assert [each.value for each in exits] == [1, False]


async def test_a_call_that_is_given_up_while_the_run_asks_never_begins(stage: Stage) -> None:
    stage.environ["REGION"] = "eu"
    stage.function("app:fn", "return a", options={"activity": {"id": "${env:REGION}"}})
    stage.workflow(
        "app:w",
        "local f = funcs.async('app:fn', 1) f:cancel() time.sleep('20ms') return funcs.call('app:fn', 2)",
    )
    pid = await stage.spawn("app:w")
    assert (await stage.exit(pid)).value == 2
    history = await stage.history(pid)
    assert ids(history) == ["eu"]
    await replays(stage, history)


async def test_what_an_upgrade_continues_reads_variables_anew(stage: Stage) -> None:
    stage.environ["REGION"] = "eu"
    stage.function("app:fn", "return a", options={"activity": {"id": "${env:REGION}"}})
    code = "funcs.call('app:fn', 1) process.listen('go'):receive() if a then process.upgrade(nil, false) end"
    stage.workflow("app:w", code)
    pid = await stage.spawn("app:w", True)
    await stage.waits_for(pid, "topic", "go")
    stage.environ["REGION"] = "us"
    await stage.host.send(pid, "go", (), "")
    await until(lambda: _has_id(stage, pid, "us"))
    await stage.waits_for(pid, "topic", "go")
    await stage.host.send(pid, "go", (), "")
    await stage.exit(pid)
    assert ids(await stage.history(pid)) == ["us"]


async def _has_id(stage: Stage, pid: str, activity_id: str) -> bool:
    return activity_id in ids(await stage.history(pid))


async def _true(value: bool) -> bool:
    return value
