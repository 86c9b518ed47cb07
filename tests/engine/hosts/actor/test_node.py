from __future__ import annotations

import asyncio
import threading

import pytest

from engine.contracts.host import SpawnRequest
from engine.entry import Entry
from engine.errors import UnitFailed
from tests.engine.hosts.actor.support import HOST, lab, lua, process

IDLE = process("app:idle", "process.inbox():receive()")
POLITE = process("app:polite", "local e = process.events():receive() process.send('log', 'reason', e.reason)")
DEAF = process("app:deaf", "process.inbox():receive()")


async def test_a_pid_leads_to_its_host() -> None:
    async with lab(IDLE, lua("app:me", "return process.pid()")) as it:
        assert it.node.host_of(await it.spawn("app:idle")) is it.node.host(HOST.id)
        function_host = it.node.host_of(await it.call("app:me"))
        assert function_host is not None
        with pytest.raises(UnitFailed, match="not found"):
            await function_host.send(await it.call("app:me"), "t", (), "")
        assert it.node.host_of("nonsense") is None
        assert it.node.host_of("{app:client@app:worker|order-1}") is None


async def test_a_node_that_stopped_looks_nothing_up_on_threads_any_more() -> None:
    before = set(threading.enumerate())
    async with lab(IDLE, lua("app:me", "return process.pid()")) as it:
        await it.spawn("app:idle")
        await it.call("app:me")
    await it.until(lambda: not {each for each in threading.enumerate() if "lookups" in each.name} - before)


async def test_a_new_host_entry_is_a_new_host_and_a_deleted_one_only_finishes_its_work() -> None:
    async with lab(IDLE) as it:
        pid = await it.spawn("app:idle")
        old = it.node.host(HOST.id)
        assert old is not None
        it.catalog.publish(Entry("app:more", "process.host"), delete=[HOST.id])
        it.node.reconcile()
        assert it.node.host("app:more") is not None
        assert it.node.host(HOST.id) is None
        assert it.node.host_of(pid) is old
        with pytest.raises(UnitFailed, match="host not found"):
            await old.spawn(SpawnRequest("app:idle", HOST.id))
        it.catalog.publish(HOST)
        it.node.reconcile()
        assert it.node.host(HOST.id) is old


async def test_the_console_sees_what_runs() -> None:
    async with lab(IDLE) as it:
        parent = await it.spawn("app:idle", name="first")
        await it.until(lambda: it.node.processes()[0].state == "idle")
        (seen,) = it.node.processes()
        assert (seen.pid, seen.entry, seen.kind, seen.host) == (parent, "app:idle", "process", "app:procs")
        assert (seen.names, seen.mailbox, seen.parent, seen.links) == (("first",), 0, "", ())
        assert it.node.counts() == {"app:procs": 1, "functions": 0}


async def test_stopping_asks_first_and_terminates_those_who_do_not_heed() -> None:
    log = process("app:log", "return (process.inbox():receive():payload():data())")
    async with lab(POLITE, DEAF, log) as it:
        reason = asyncio.create_task(
            it.run("return process.with_options({}):with_name('log'):exec('app:log', 'app:procs')")
        )
        await it.until(lambda: it.node.counts()["app:procs"] == 1)
        await it.spawn("app:polite")
        await it.spawn("app:deaf")
        await it.until(lambda: all(p.state == "idle" for p in it.node.processes()))
        await it.node.stop(grace=0.3)
        assert it.node.processes() == []
        assert await reason == "node stopping"
        with pytest.raises(UnitFailed, match="node is stopping"):
            await it.call("app:idle")


async def test_a_pid_of_an_earlier_life_of_the_node_reaches_nobody() -> None:
    async with lab(IDLE) as first:
        old = await first.spawn("app:idle")
    async with lab(IDLE) as second:
        assert await second.spawn("app:idle") != old
        with pytest.raises(UnitFailed, match="not found"):
            second.node.send(old, "m")


async def test_a_published_function_is_callable_and_a_deleted_one_is_not() -> None:
    async with lab() as it:
        it.catalog.publish(lua("app:f", "return 1"))
        assert await it.call("app:f") == 1
        it.catalog.publish(lua("app:f", "return 2"))
        assert await it.call("app:f") == 2
        it.catalog.publish(delete=["app:f"])
        assert (await it.failure("app:f")).kind == "NotFound"
