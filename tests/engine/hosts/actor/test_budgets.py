from __future__ import annotations

import asyncio

import pytest

from engine.contracts.host import SpawnRequest
from engine.contracts.operations import HostInfo
from engine.entry import Entry
from engine.errors import LIMIT_EXCEEDED, UnitFailed
from engine.heap import LEAST, malloc_trim
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.answers import InFlight, Left
from engine.hosts.actor.budget import FIRST, Budget, half_of_the_machine
from engine.hosts.actor.concurrency.fair import FairQueue
from engine.hosts.actor.concurrency.lanes import AT_ONCE, Lanes
from engine.hosts.actor.concurrency.lock import OwnedLock
from engine.hosts.actor.concurrency.loop import LoopBridge
from engine.hosts.actor.trimming import Trimmer
from engine.modules import MODULES
from engine.program import Program
from engine.steps import DEFAULT_LIMITS, Exited, Limits, Value
from tests.engine.hosts.actor.support import HOST, Lab, lab, lua, process
from tests.patience import PATIENCE

MIB = 1 << 20
ENV = [*MODULES, "env"]
REFUSED = "too many requests at once: 5 are not answered yet"
IDLE = process("app:idle", "process.inbox():receive()")
ADD = lua("app:add", "return (...) + 1")
NAP = lua("app:nap", "time.sleep('1h')", pool={"type": "inline"})
SMALL = Entry("app:small", "process.host", {}, {"host": {"max_memory": 2}})
SPAWN_MANY = """
    local refused, spawned = nil, {}
    for i = 1, 50 do
        local pid, err = process.spawn("app:idle", "app:small")
        if pid then spawned[#spawned + 1] = pid else refused = err end
    end
    for _, pid in ipairs(spawned) do process.send(pid, "end") end
    return { #spawned, refused:kind(), refused:retryable(), refused:message() }
"""


def _host(it: Lab, host_id: str) -> HostInfo:
    return next(host for host in it.node.hosts() if host.id == host_id)


async def test_a_host_refuses_processes_beyond_its_memory_and_takes_them_again_when_others_ended() -> None:
    async with lab(IDLE, SMALL) as it:
        spawned, kind, retryable, text = await it.run(SPAWN_MANY)
        assert 4 <= spawned < 25
        assert (kind, retryable, text) == (LIMIT_EXCEEDED, True, "host 'app:small' is full (2 MiB of memory)")
        info = _host(it, "app:small")
        assert (info.refused_units, info.max_memory) == (50 - spawned, 2 * MIB)
        await it.until(lambda: _host(it, "app:small").memory == 0)
        assert (await it.run(SPAWN_MANY))[0] >= 4


async def test_what_a_unit_calls_takes_its_share_of_memory_and_leaves_the_rest_to_others() -> None:
    async with lab(NAP, ADD, max_memory=8 * MIB) as it:
        body = """
            for i = 1, 100 do funcs.async("app:nap") end
            time.sleep("1h")
        """
        it.catalog.publish(lua("app:greedy", body))
        greedy = asyncio.create_task(it.call("app:greedy"))
        await it.until(lambda: _host(it, "functions").refused_units > 0)
        assert await it.call("app:add", 1) == 2
        assert it.node.counts()["functions"] > 1
        greedy.cancel()


async def test_a_unit_waits_for_so_many_answers_at_once_and_is_refused_more() -> None:
    async with lab(NAP, limits=Limits(max_pending=5)) as it:
        body = """
            local errors = {}
            for i = 1, 7 do
                local future = funcs.async("app:nap")
                if i > 5 then future:response():receive() errors[#errors + 1] = tostring(future:error()) end
            end
            return errors
        """
        assert await it.run(body) == ["too many requests at once: 5 are not answered yet"] * 2


async def test_what_ended_units_left_in_flight_counts_for_their_family() -> None:
    gate, asked = asyncio.Event(), 0

    async def slow(pid: str, args: tuple[Value, ...]) -> Value:
        nonlocal asked
        asked += 1
        await asyncio.wait_for(gate.wait(), PATIENCE)
        return []

    leaver = lua(
        "app:leaver", "coroutine.spawn(function() require('env').get_all() end) time.sleep('1ms')", modules=ENV
    )
    other, handlers = lua("app:other", "require('env').get_all()", modules=ENV), {"env.get_all": slow}
    async with lab(leaver, other, limits=Limits(max_pending=5), ask_handlers=lambda catalog: handlers) as it:
        body = """
            local env = require("env")
            for i = 1, 4 do funcs.call("app:leaver") end
            coroutine.spawn(function() time.sleep("1h") end) -- counts as well
            time.sleep("1ms")
            local _, err = env.get_all()
            return tostring(err)
        """
        it.catalog.publish(lua("app:family", body, modules=ENV))
        assert await asyncio.wait_for(it.call("app:family"), PATIENCE) == REFUSED
        others = asyncio.create_task(it.call("app:other"))
        await it.until(lambda: asked == 5)
        gate.set()
        await asyncio.wait_for(others, PATIENCE)


def test_what_was_left_in_flight_counts_until_it_is_done() -> None:
    left = Left()
    some = [InFlight(left, "family", 7) for _ in range(3)]
    for each in some[1:]:
        each.abandon()
    assert (left.commands["family"], left.sizes["family"]) == (2, 14)
    for each in some:
        each.over()
    assert not left.commands and not left.sizes


async def test_the_commands_of_a_long_step_are_carried_out_in_order() -> None:
    async with lab(IDLE) as it:
        body = """
            local channel, order = process.listen("order"), {}
            for i = 1, 2000 do coroutine.spawn(function() process.send(process.pid(), "order", i) end) end
            for i = 1, 2000 do order[i] = channel:receive() end
            return order
        """
        assert await it.run(body) == list(range(1, 2001))


async def test_neighbours_of_one_that_spawns_thousands_are_served_meanwhile() -> None:
    async with lab(IDLE, ADD) as it:
        it.catalog.publish(
            process("app:spawner", "for i = 1, 2000 do process.spawn('app:idle', 'app:procs') end return 'done'")
        )
        await it.spawn("app:spawner")
        while "app:spawner" in {each.entry for each in it.node.processes()}:
            assert await it.call("app:add", 1) == 2
        assert it.node.counts()[HOST.id] == 2000


async def test_callers_of_one_function_take_turns_in_its_queue() -> None:
    slow = lua("app:slow", "time.sleep('2ms') return 1", pool={"size": 1})
    async with lab(slow) as it:
        it.catalog.publish(lua("app:many", "for i = 1, 1000 do funcs.async('app:slow') end time.sleep('1h')"))
        many = asyncio.create_task(it.call("app:many"))
        await it.until(lambda: it.node.counts()["functions"] == 2)
        for _ in range(5):
            assert await it.call("app:slow") == 1
        many.cancel()


def test_groups_of_a_fair_queue_take_turns() -> None:
    queue: FairQueue[int] = FairQueue(2)
    for item, group in ((1, "a"), (2, "a"), (3, "a"), (4, "b"), (5, "a"), (6, "c")):
        queue.push(item, group)
    assert [queue.pop() for _ in range(len(queue))] == [1, 2, 4, 6, 3, 5]
    with pytest.raises(IndexError):
        queue.pop()


def test_a_fair_queue_keeps_what_is_wanted_in_order_and_takes_some_first() -> None:
    queue: FairQueue[int] = FairQueue()
    for item, group in ((1, "a"), (2, "a"), (3, "b"), (4, "a"), (5, "c")):
        queue.push(item, group)
    queue.keep(lambda item: item not in (1, 3))
    queue.push_first(6, "a")
    assert [queue.pop() for _ in range(len(queue))] == [6, 5, 2, 4]


async def test_some_lanes_of_an_owner_are_open_at_once_and_all_are_done() -> None:
    lock = OwnedLock()
    bridge = LoopBridge(lock)
    lanes, gate, done = Lanes(bridge, lock), asyncio.Event(), []
    bridge.start()

    async def job(number: int) -> None:
        done.append(number)
        await gate.wait()

    with lock:
        for number in range(AT_ONCE + 50):
            lanes.enqueue(("one", str(number)), lambda number=number: job(number))  # type: ignore[misc]
        lanes.enqueue(("other", "lane"), lambda: job(-1))
    while -1 not in done:
        await asyncio.sleep(0)
    assert done == [*range(AT_ONCE), -1]
    gate.set()
    await lanes.settled()
    assert len(done) == AT_ONCE + 51


def _actor(number: int, kind: str = "process", family: str = "") -> Actor:
    program = Program("app:any", kind, "main", {})
    return Actor(f"{{n@h|{number}}}", kind, "h", program, (), {}, None, "", DEFAULT_LIMITS, 0, family=family)


def test_a_budget_leaves_a_quarter_of_the_node_to_calls_and_a_quarter_of_it_to_one_family() -> None:
    budget = Budget(16 * FIRST)
    for number in range(12):
        assert budget.no_process("h", 100 * FIRST) is None
        budget.enter(_actor(number))
    assert budget.no_process("h", 100 * FIRST) is not None
    for number in range(4):
        assert budget.no_call("one") is None
        budget.enter(_actor(100 + number, "function", "one"))
    assert budget.no_call("one") is not None


def test_memory_is_given_back_once_most_of_a_burst_has_ended() -> None:
    lock, trims = OwnedLock(), []
    bridge, budget = LoopBridge(lock), Budget(1 << 40)
    trimmer = Trimmer(bridge, budget, lambda: trims.append(1))
    actors = [_actor(number) for number in range(2 * LEAST // FIRST)]
    for actor in actors:
        budget.enter(actor)
    timers = []
    bridge.timer = lambda seconds, callback: timers.append(callback)  # type: ignore[method-assign,assignment,return-value]
    for actor in actors:
        exited = Exited(actor.pid, 0)
        budget.leave(actor, exited)
        trimmer.at_end(actor, exited)
    assert (budget.total, len(timers)) == (0, 1)
    timers.pop()()
    while not trims:
        pass
    timers.pop()()
    assert (trims, timers) == ([1], [])


def test_this_machine_has_memory_and_perhaps_a_way_to_give_it_back() -> None:
    assert half_of_the_machine() > 64 * MIB
    if trim := malloc_trim():
        trim()


async def test_spawning_from_outside_is_refused_alike() -> None:
    async with lab(IDLE, SMALL) as it:
        host = it.node.host("app:small")
        assert host is not None
        for _ in range(4):
            await host.spawn(SpawnRequest("app:idle", "app:small", ()))
        with pytest.raises(UnitFailed, match="is full"):
            await asyncio.gather(*(host.spawn(SpawnRequest("app:idle", "app:small", ())) for _ in range(50)))
