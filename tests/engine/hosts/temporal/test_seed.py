"""The samples of the seed document on a real Temporal server, unchanged inside (tests/seed.py wraps them).

The server can't skip time. The sample that sleeps 24h runs as it is to show its timer; with "24h" replaced by "50ms",
and with nothing else changed, to show what follows when it fires.
"""

from __future__ import annotations

import asyncio
import re

import pytest
from temporalio.api.enums.v1 import EventType

from engine.contracts.host import ProcessHost, SpawnRequest
from engine.entry import Entry
from engine.hosts.temporal.client.host import WorkflowHost
from engine.hosts.temporal.settings import worker_settings
from engine.steps import Exited
from tests import seed
from tests.engine.hosts.temporal.stage import CLIENT, Stage, lua, workflow_id
from tests.patience import PATIENCE

WORKER_OF_THE_SEED = "app:temporal_worker"


def publish(stage: Stage, entry_id: str, source: str, kind: str = "workflow.lua") -> None:
    stage.catalog.publish(lua(entry_id, kind, source))


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
    publish(stage, "app.workflows:order", seed.lua("charge_sleep_refund", "payment").replace('"24h"', '"50ms"'))
    pid = await stage.spawn("app.workflows:order", {"amount": 5})
    assert (await stage.exit(pid)).failure is None
    assert (await calls(stage, pid))[-1] == last


async def test_a_sleep_of_a_day_is_a_durable_timer_of_a_day(stage: Stage) -> None:
    publish_payments(stage, "paid")
    publish(stage, "app.workflows:order", seed.lua("charge_sleep_refund", "payment"))
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
    publish(stage, "app.workflows:saga", seed.lua("saga", "items", "amount", "order"))
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


@pytest.mark.parametrize(
    ("approved", "last"), [(True, "app.orders:fulfill"), (False, "app.notifications:send_rejection")]
)
async def test_an_approval_waits_for_its_signal(stage: Stage, approved: bool, last: str) -> None:
    for entry_id in ("app.approvals:submit", "app.orders:fulfill", "app.notifications:send_rejection"):
        stage.function(entry_id, "return true")
    publish(stage, "app.workflows:approval", seed.lua("approval", "request"))
    pid = await stage.spawn("app.workflows:approval", {"order_id": 7})
    await stage.waits_for(pid, "inbox")
    await stage.host.send(pid, "decision", ({"approved": approved},), "")
    assert (await stage.exit(pid)).failure is None
    assert (await calls(stage, pid))[-1] == last


def seed_worker(stage: Stage) -> WorkflowHost:
    """The worker that the samples name, on the queue of the stage."""
    queue = stage.settings.task_queue
    stage.catalog.publish(Entry(WORKER_OF_THE_SEED, "temporal.worker", {}, {"client": CLIENT, "task_queue": queue}))
    host = WorkflowHost(stage.client, worker_settings(stage.catalog, WORKER_OF_THE_SEED, lambda _: None))
    stage.node.add_host(host)
    return host


async def run_process(stage: Stage, host: WorkflowHost, name: str, variable: str) -> Exited:
    """Run a sample as a process to its end, while the worker's tail looks for ended workflows."""
    publish(stage, "app:sample", seed.lua(name, variable), "process.lua")
    processes = stage.node.host("app:processes")
    assert isinstance(processes, ProcessHost)
    ended: asyncio.Future[Exited] = asyncio.get_running_loop().create_future()
    request = SpawnRequest("app:sample", "app:processes", ({"id": 42},))
    await processes.spawn_watched(request, "test", ended.set_result)
    async with asyncio.timeout(PATIENCE):
        while not ended.done():
            await host.sweep()
            await asyncio.sleep(0.05)
    return ended.result()


async def test_a_process_spawns_a_workflow_and_sends_to_it(stage: Stage) -> None:
    host = seed_worker(stage)
    stage.workflow("app.workflows:order_processor", "return {a.id, process.listen('update'):receive().status}")
    assert (await run_process(stage, host, "spawn_and_send", "order_data")).failure is None
    async with asyncio.timeout(PATIENCE):
        while not stage.observations:
            await asyncio.sleep(0.05)
    assert (await stage.exit(stage.observations[0].pid)).value == [42, "approved"]


@pytest.mark.parametrize("ending", ["return a.id", "error('order failed')"])
async def test_a_process_loops_over_its_events_until_the_workflow_ends(stage: Stage, ending: str) -> None:
    host = seed_worker(stage)
    stage.workflow("app.workflows:order", f"time.sleep('100ms') {ending}")
    assert (await run_process(stage, host, "watch", "data")).failure is None


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
