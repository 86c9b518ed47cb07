from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter

from engine.errors import UnitFailed
from engine.steps import Exited
from tests.engine.hosts.actor.support import HOST, lab, lua, process

# Watches and links to all earlier ones, talks to one of them, and counts the exits that it sees.
MEMBER = process(
    "app:member",
    """
    process.set_options { trap_links = true }
    local inbox, events, exits = process.inbox(), process.events(), {}
    while true do
      local got = channel.select { events:case_receive(), inbox:case_receive() } -- the first that is ready: all exits
      if got.channel == events then
        local e = got.value
        exits[e.from] = (exits[e.from] or 0) + (e.type == "EXIT" and 1 or 1000)
      elseif got.value:topic() == "watch" then
        local pid = got.value:payload():data()
        process.monitor(pid)
        process.link(pid)
      elseif got.value:topic() == "report" then
        process.send(got.value:from(), "exits", exits)
      end
    end
    """,
)


async def test_every_monitor_and_link_hears_of_every_death_exactly_once_whoever_kills() -> None:
    async with lab(MEMBER, threads=4) as it:
        pids = [await it.spawn("app:member") for _ in range(30)]
        watcher = pids[0]
        for pid in pids[1:]:
            it.node.send(watcher, "watch", pid)
        await it.until(lambda: len(it.node.processes()[0].links) == 29)
        host = it.node.host(HOST.id)
        assert host is not None
        heard = Counter[str]()

        def count(exited: Exited) -> None:
            heard[exited.pid] += 1

        for pid in pids[1:]:
            await host.watch(pid, "test", count)

        def kill() -> None:
            order = random.sample(pids[1:], 29)
            for pid in order:
                it.node.terminate(pid)

        threads = [threading.Thread(target=kill) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        await it.until(lambda: len(heard) == 29)
        exits = await it.run(
            "local ch = process.listen('exits') process.send(..., 'report') return (ch:receive())", watcher
        )
        assert set(exits.values()) == {1001}
        assert set(heard.values()) == {1}


async def test_a_storm_of_calls_cancels_and_deaths_leaves_nothing_behind() -> None:
    leaf = lua("app:leaf", "time.sleep((...) .. 'ms') return 1", pool={"max_size": 4})
    branch = lua("app:branch", "for i = 1, 5 do funcs.async('app:leaf', i) end return funcs.call('app:leaf', 3)")
    async with lab(leaf, branch) as it:

        async def one(n: int) -> None:
            try:
                async with asyncio.timeout(0.002 * (n % 20)):
                    await it.call("app:branch")
            except (TimeoutError, UnitFailed):
                pass

        await asyncio.gather(*(one(n) for n in range(100)))
        await it.until(lambda: not it.node.processes(), 20)
        assert await asyncio.wait_for(it.call("app:branch"), 10) == 1
