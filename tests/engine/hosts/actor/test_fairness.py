from __future__ import annotations

import asyncio

from engine.hosts.actor.concurrency.scheduler import CEILING
from engine.steps import Limits
from tests.engine.hosts.actor.support import lab, lua, process

ADD = lua("app:add", "local a, b = ... return a + b")
# Burns the core for ever, a slice at a time: it never waits for anything but itself.
BUSY = process(
    "app:busy",
    "while true do local t = 0 for i = 1, 2000000 do t = t + i end process.send(process.pid(), 'again') "
    "process.inbox():receive() end",
)
LOOP = process("app:loop", "while true do end")
BOMB = process("app:bomb", "local t = {} while true do t[#t + 1] = string.rep('x', 100000) .. #t end")
IDLE = process("app:idle", "process.inbox():receive()")
EXEC = "local _, err = process.exec(..., 'app:procs') return { err:kind(), err:message() }"


async def test_busy_processes_starve_neither_others_nor_the_loop() -> None:
    async with lab(ADD, BUSY) as it:
        for _ in range(4):
            await it.spawn("app:busy")
        for n in range(20):
            await asyncio.wait_for(asyncio.sleep(0.005), 10)
            assert await asyncio.wait_for(it.call("app:add", n, 1), 10) == n + 1
        assert it.node.counts()["app:procs"] == 4


async def test_one_endless_step_does_not_hold_up_the_others() -> None:
    async with lab(ADD, LOOP, threads=1, limits=Limits(max_instructions=600_000_000)) as it:
        await it.spawn("app:loop")
        assert await it.call("app:add", 1, 1) == 2
        assert [p.entry for p in it.node.processes()] == ["app:loop"]


async def test_an_infinite_loop_fails_that_process_only() -> None:
    async with lab(ADD, LOOP, limits=Limits(max_instructions=5_000_000)) as it:
        kind, message = await it.run(EXEC, "app:loop")
        assert kind == "LimitExceeded"
        assert "instruction" in message
        assert await it.call("app:add", 1, 1) == 2


async def test_a_memory_bomb_fails_that_process_only() -> None:
    async with lab(ADD, BOMB, limits=Limits(max_memory=8 * 1024 * 1024)) as it:
        kind, message = await it.run(EXEC, "app:bomb")
        assert kind == "LimitExceeded"
        assert "memory" in message
        assert await it.call("app:add", 1, 1) == 2


async def test_a_terminated_endless_step_is_over_at_once_for_everybody_else() -> None:
    async with lab(LOOP, limits=Limits(max_instructions=300_000_000)) as it:
        body = "local pid = process.spawn_monitored('app:loop', 'app:procs') time.sleep('20ms') "
        body += "process.terminate(pid) return process.events():receive().result.error:message()"
        assert await asyncio.wait_for(it.run(body), 10) == "process terminated"


async def test_two_thousand_idle_processes_need_no_threads_of_their_own() -> None:
    async with lab(IDLE) as it:
        pids = [await it.spawn("app:idle") for _ in range(2000)]
        await it.until(lambda: all(p.state == "idle" for p in it.node.processes()), 60)
        assert it.node.counts()["app:procs"] == 2000
        assert it.node.threads <= CEILING
        assert len(asyncio.all_tasks()) < 5
        for pid in pids:
            it.node.send(pid, "go")
        await it.until(lambda: it.node.counts()["app:procs"] == 0, 60)


async def test_timers_of_many_processes_run_beside_each_other() -> None:
    nap = lua("app:nap", "time.sleep('3s') return 1", pool={"type": "inline"})
    async with lab(nap) as it:
        calls = [asyncio.ensure_future(it.call("app:nap")) for _ in range(100)]
        await it.until(lambda: it.node.counts()["functions"] == 100, 3)
        assert sum(await asyncio.gather(*calls)) == 100


SENDER = process("app:sender", "local pid = ... while true do process.send(pid, 'more') end")
SWALLOWER = process("app:swallower", "local inbox = process.inbox() while true do inbox:receive() end")
ECHO = process(
    "app:echo",
    "while true do local m = process.inbox():receive() process.send(m:from(), 'pong', m:payload():data()) end",
)
PING = """
    local pid, pong, order = ..., process.listen('pong'), {}
    for i = 1, 20 do process.send(pid, 'ping', i) order[i] = pong:receive() end
    return order
"""


async def test_among_idle_and_sending_processes_a_ping_is_answered() -> None:
    async with lab(SENDER, SWALLOWER, ECHO, IDLE) as it:
        for _ in range(1000):
            await it.spawn("app:idle")
        for _ in range(2):
            await it.spawn("app:sender", await it.spawn("app:swallower"))
        assert await it.run(PING, await it.spawn("app:echo")) == list(range(1, 21))
        assert it.node.counts()["app:procs"] == 1005


async def test_the_loop_gets_its_turns_beside_processes_that_never_stop_sending() -> None:
    async with lab(SENDER, SWALLOWER) as it:
        for _ in range(2):
            await it.spawn("app:sender", await it.spawn("app:swallower"))
        turns = 0
        async with asyncio.timeout(20):
            while turns < 500:
                await asyncio.sleep(0)
                turns += 1
        assert {p.entry for p in it.node.processes()} == {"app:sender", "app:swallower"}
