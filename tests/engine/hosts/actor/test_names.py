from __future__ import annotations

import asyncio

import pytest

from engine.errors import NOT_FOUND, UnitFailed
from engine.hosts.actor.failures import NAME_LIKE_PID
from tests.engine.hosts.actor.support import lab, lua, process
from tests.engine.hosts.actor.test_other_hosts import FLOWS, FlowHost

HOLDER = process("app:holder", "process.inbox():receive()")


async def test_a_name_is_found_until_its_owner_ends() -> None:
    async with lab(HOLDER) as it:
        pid = await it.spawn("app:holder", name="desk")
        assert await it.run("return process.registry.lookup('desk')") == pid
        it.node.send("desk", "go")
        await it.until(lambda: not it.node.processes())
        kind, message = await it.run("local _, e = process.registry.lookup('desk') return { e:kind(), e:message() }")
        assert (kind, message) == ("NotFound", "name not registered")


async def test_of_many_that_want_a_name_exactly_one_gets_it() -> None:
    rival = lua(
        "app:rival", "local ok, e = process.registry.register('crown') time.sleep('100ms') return ok or e:kind()"
    )
    async with lab(rival) as it:
        results = await asyncio.gather(*(it.call("app:rival") for _ in range(12)))
        assert sorted(results, key=str) == ["AlreadyExists"] * 11 + [True]


async def test_registering_again_for_the_same_pid_is_fine_and_for_the_dead_is_not() -> None:
    async with lab(HOLDER) as it:
        answers = await it.run(
            """
            local again = process.registry.register("a") and process.registry.register("a")
            local pid = process.spawn("app:holder", "app:procs")
            local other = process.registry.register("b", pid)
            local freed, gone = process.registry.unregister("b"), process.registry.unregister("b")
            process.terminate(pid)
            local _, dead = process.registry.register("c", pid)
            return { again, other, freed, gone, dead:message() }
            """
        )
        assert answers == [True, True, True, False, "pid not registered"]


async def test_spawns_that_race_for_a_name_make_one_process() -> None:
    racer = lua("app:racer", "return process.with_options({}):with_name('single'):spawn('app:holder', 'app:procs')")
    async with lab(racer, HOLDER) as it:
        pids = await asyncio.gather(*(it.call("app:racer") for _ in range(12)))
        assert len(set(pids)) == 1
        assert it.node.counts()["app:procs"] == 1


async def test_nobody_gets_a_name_that_others_would_take_for_a_pid() -> None:
    async with lab(HOLDER) as it:
        messages = await it.run(
            """
            local _, own = process.registry.register("{node-2@app:procs|0x01}")
            local named = process.with_options({}):with_name("{node-2@app:procs|0x01}")
            local _, spawned = named:spawn("app:holder", "app:procs")
            local _, sent = process.send("{node-2@app:procs|0x01}", "secret")
            return { own:message(), spawned:message(), sent:kind() }
            """
        )
        assert messages == [NAME_LIKE_PID.message, NAME_LIKE_PID.message, NOT_FOUND]


async def test_a_name_means_its_pid_also_when_the_host_of_that_is_gone() -> None:
    flow = f"{{app:client@{FLOWS}|order-1}}"
    async with lab() as it:
        it.node.add_host(FlowHost())
        assert await it.run("return process.registry.register('order', ...)", flow) is True
        for _ in range(2):
            assert await it.node.find("order") == flow
            with pytest.raises(UnitFailed, match=r"process \{app:client.*order-1\} not found"):
                it.node.send("order", "m")
            it.node.remove_host(FLOWS)
