"""Where activities and children go, and whom a pid means."""

from __future__ import annotations

import asyncio
import logging
import uuid

import pytest

from engine.asks.variables import DecodedCatalog
from engine.contracts.catalog import Catalog
from engine.contracts.host import CallRequest
from engine.entry import Entry
from engine.errors import UnitFailed
from engine.hosts.temporal.settings import worker_settings
from engine.hosts.temporal.workflow.entries import RunEntries
from engine.hosts.temporal.workflow.routing import ChildWorker, Elsewhere, KnownNodes, Routing, Update, Workflow
from engine.memory.catalog import MemoryCatalog
from engine.steps import KERNEL
from tests.engine.hosts.temporal.stage import CLIENT, WORKER, Stage, workflow_id
from tests.patience import PATIENCE

ENTRIES = (
    Entry("app:client", "temporal.client", {}, {"address": "x:1", "tq_prefix": "eu-"}),
    Entry("app:worker", "temporal.worker", {}, {"client": "client", "task_queue": "orders"}),
    Entry("app:other", "temporal.worker", {}, {"client": "app:client", "task_queue": "other"}),
    Entry("far:client", "temporal.client", {}, {"address": "y:1"}),
    Entry("far:worker", "temporal.worker", {}, {"client": "client", "task_queue": "far"}),
    Entry("app:processes", "process.host", {}, {}),
)


@pytest.fixture
def routing() -> Routing:
    return routing_over(MemoryCatalog(ENTRIES))


def routing_over(catalog: Catalog, known_nodes: KnownNodes | None = None) -> Routing:
    entries = RunEntries(catalog, catalog.version(), KERNEL)
    return Routing(worker_settings(catalog, "app:worker"), entries, known_nodes or KnownNodes())


def test_a_queue_has_the_prefix_of_its_client() -> None:
    assert worker_settings(MemoryCatalog(ENTRIES), "app:worker").task_queue == "eu-orders"


@pytest.mark.parametrize("missing", ["app:nothing", "app:client"])
def test_a_worker_that_is_none_is_not_found(missing: str) -> None:
    with pytest.raises(UnitFailed):
        worker_settings(MemoryCatalog(ENTRIES), missing)


def test_runs_begun_before_read_placeholders_as_they_are_written() -> None:
    meta = {"options": {"activity": {"id": "${env:REGION}"}}}
    catalog = DecodedCatalog(MemoryCatalog((*ENTRIES, Entry("app:f", "function.lua", meta))), {"REGION": "eu"})
    before, now = (RunEntries(catalog, catalog.version(), kernel) for kernel in (1, 2))
    entry = before.entry("app:f")
    assert entry is not None
    assert entry.meta == meta
    assert not before.lacks("app:f")
    assert now.lacks("app:f")


def test_an_activity_goes_to_the_worker_of_its_meta(routing: Routing) -> None:
    for worker, queue in (("other", "eu-other"), ("app:worker", ""), ("app:missing", "")):
        entry = Entry("app:f", "function.lua", {"temporal": {"activity": {"worker": worker}}})
        assert routing.activity_queue(entry) == queue
    assert routing.activity_queue(None) == ""


def test_a_child_goes_to_a_worker_or_a_literal_queue(routing: Routing) -> None:
    assert routing.child("") == routing.child("app:worker") == ChildWorker("eu-orders", "app:client", "app:worker")
    assert routing.child("far:worker") == ChildWorker("far", "far:client", "far:worker")
    assert routing.child("a queue") == ChildWorker("a queue", "app:client", "app:worker", literal=True)
    with pytest.raises(UnitFailed, match="not supported in workflow context"):
        routing.child("app:processes")


def test_a_pid_tells_whom_it_means(routing: Routing) -> None:
    assert routing.destination("{app:client@app:worker|order|1}") == Workflow("order|1")
    assert routing.destination("{update|u1}") == Update("u1")
    assert routing.destination("{app:processes|0x1}") == Elsewhere()
    assert routing.destination("{node7@app:processes|0x1}") == Elsewhere()
    assert routing.destination("{far:client@far:worker|w}") == Elsewhere()
    assert routing.destination("a name") == Elsewhere()


def test_a_process_that_an_old_run_heard_of_has_its_node_to_fall_back_on() -> None:
    catalog = MemoryCatalog(ENTRIES)
    known_nodes = KnownNodes()
    known_nodes.learn({f"{{app:processes|{n}}}": "node7" for n in range(1001)})
    routing = routing_over(catalog, known_nodes)
    assert routing.destination("{app:processes|5}") == Elsewhere("wippy-node-node7")
    assert routing.destination("{app:processes|0}") == Elsewhere()


def test_options_are_those_of_the_runs_registry_version() -> None:
    catalog = MemoryCatalog(ENTRIES)
    old = routing_over(catalog)
    catalog.publish(Entry("app:new", "function.lua", {}, {}))
    assert old.entries.entry("app:new") is None


async def test_a_workflow_named_by_meta_runs_under_that_type(stage: Stage) -> None:
    name = f"OrderFlow-{uuid.uuid4().hex}"
    stage.workflow(
        "app:named", "return require('workflow').info().workflow_type", temporal={"workflow": {"name": name}}
    )
    assert await stage.value("app:named") == name
    stage.workflow("app:parent", "return process.exec('app:named', 'app:worker')")
    assert await stage.value("app:parent") == name
    foreign = await stage.client.execute_workflow(name, id=name, task_queue=stage.settings.task_queue)
    assert foreign == name


async def test_a_registered_name_is_reached_from_a_workflow(stage: Stage) -> None:
    stage.function(
        "app:named",
        """
        process.registry.register('desk')
        local inbox = process.inbox()
        process.spawn('app:w', 'app:worker')
        local m = inbox:receive()
        process.send(m:from(), 'thanks')
        return m:payload():data()
        """,
    )
    stage.workflow("app:w", "process.send('desk', 'hello', 5) return process.inbox():receive():topic()")
    assert await stage.node.call(CallRequest("app:named")) == 5


async def test_a_workflow_on_another_node_answers_a_process(stage: Stage, temporal_address: str) -> None:
    other = await Stage.open(temporal_address, serve=False, queue=stage.settings.task_queue, fleet=stage.fleet)
    await other.serve_fleet()
    code = "local go = process.inbox() for _ = 1, 2 do process.send(go:receive():from(), 'echo', 1) end"
    upgraded = f"{code} if a then process.upgrade(nil, false) end"
    for each in (stage, other):
        each.workflow("app:echo", upgraded)
        each.catalog.current("app:echo")
    other.function(
        "app:asker",
        """
        local echoes, sum = process.listen('echo'), 0
        local pid = process.spawn('app:echo', 'app:worker', true)
        for _ = 1, 4 do
            process.send(pid, 'n')
            sum = sum + echoes:receive()
        end
        return sum
        """,
    )
    async with asyncio.timeout(PATIENCE):
        assert await other.node.call(CallRequest("app:asker")) == 4
    await other.close()


async def test_runs_beyond_the_cache_are_evicted_and_come_back(
    temporal_address: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = await Stage.open(temporal_address, serve=False)
    worker = Entry(
        WORKER,
        "temporal.worker",
        {},
        {"client": CLIENT, "task_queue": stage.settings.task_queue, "worker_options": {"max_cached_workflows": 2}},
    )
    stage.catalog.publish(worker)
    await stage.serve_again()
    stage.function("app:fn", "time.sleep('50ms') return a")
    stage.workflow(
        "app:w",
        """
        local n = funcs.call('app:fn', a)
        funcs.async('app:fn', 1)
        coroutine.spawn(function() time.sleep('1h') end)
        local go = process.listen('go'):receive()
        return {n, go}
        """,
    )
    with caplog.at_level(logging.WARNING):
        pids = await asyncio.gather(*(stage.spawn("app:w", n) for n in range(12)))
        for pid in pids:
            await stage.waits_for(pid, "topic", "go")
            await stage.host.send(pid, "go", ("on",), "")
        exits = await asyncio.gather(*(stage.exit(pid) for pid in pids))
        await stage.close()
    assert [exited.value for exited in exits] == [[n, "on"] for n in range(12)]
    assert [r.message for r in caplog.records if r.name.startswith("temporalio.worker._workflow")] == []


async def test_a_replay_logs_nothing_again(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.workflow("app:w", "print('once') return process.listen('go'):receive()")
    with caplog.at_level(logging.INFO, logger="wippy.lua"):
        pid = await stage.spawn("app:w")
        await stage.waits_for(pid, "topic", "go")
        await stage.rest()
        await stage.serve_again()
        await stage.host.send(pid, "go", (1,), "")
        await stage.exit(pid)
    assert [r.message for r in caplog.records if r.name == "wippy.lua"] == ["once"]
    assert workflow_id(pid)


async def test_a_retried_activity_is_not_retried_inside_as_well(stage: Stage) -> None:
    stage.function(
        "app:fn",
        "process.send(a, 'try', 1) return nil, errors.new{message = 'x', kind = errors.UNAVAILABLE}",
        options={"retry": {"max_attempts": 3, "initial_delay": 10}},
    )
    stage.workflow(
        "app:w",
        """
        local tries, n = process.listen('try'), 0
        coroutine.spawn(function() for _ in tries:iter() do n = n + 1 end end)
        local _, err = funcs.call('app:fn', process.pid())
        time.sleep('200ms')
        return {n, err:kind()}
        """,
    )
    assert await stage.value("app:w") == [3, "Unavailable"]


async def test_attempts_of_one_call_have_one_key_and_other_calls_have_others(stage: Stage) -> None:
    stage.function(
        "app:fn",
        """
        local it = ctx.get('activity')
        if it.attempt == 1 then return nil, errors.new{message = 'x', kind = errors.UNAVAILABLE, details = it} end
        local nested = funcs.call('app:nested')
        return {it.key, it.attempt, it.workflow_id, it.run_id, it.run_id .. '/' .. it.id == it.key, nested == it.key}
        """,
        options={"retry": {"max_attempts": 2, "initial_delay": 10}},
    )
    stage.function("app:nested", "return ctx.get('activity').key")
    stage.workflow(
        "app:w",
        """
        local info = require('workflow').info()
        return {funcs.call('app:fn'), funcs.call('app:fn'), info.workflow_id, info.run_id}
    """,
    )
    first, second, workflow, run = await stage.value("app:w")
    assert first[1:] == second[1:] == [2, workflow, run, True, True]
    assert first[0] != second[0]
