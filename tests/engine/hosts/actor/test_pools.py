from __future__ import annotations

import asyncio

import pytest

from engine.entry import Entry
from engine.hosts.actor.pools import Pools, bound_of
from tests.engine.hosts.actor.support import lab, lua, process

# Counts how many callers are inside at once, and answers every report with the most so far.
GAUGE = process(
    "app:gauge",
    """
    local inbox, now, most = process.inbox(), 0, 0
    while true do
      local msg = inbox:receive()
      if msg:topic() == "enter" then now = now + 1 end
      if msg:topic() == "leave" then now = now - 1 end
      if now > most then most = now end
      if msg:topic() == "ask" then process.send(msg:from(), "most", most) end
    end
    """,
)
WORK = "process.send('gauge', 'enter') time.sleep('10ms') process.send('gauge', 'leave')"
MOST = "local ch = process.listen('most') process.send('gauge', 'ask') return (ch:receive())"


@pytest.mark.parametrize(
    ("pool", "bound"),
    [
        (None, 16),
        ({"type": "inline"}, 0),
        ({"type": "static"}, 8),
        ({"type": "static", "workers": 3}, 3),
        ({"workers": 2}, 2),
        ({"size": 5}, 5),
        ({"type": "lazy", "max_size": 4, "size": 1}, 4),
        ({"max_size": "many"}, 16),
    ],
)
def test_the_pool_of_an_entry_says_how_many_calls_run_at_once(pool: object, bound: int) -> None:
    assert bound_of(Entry("app:f", "function.lua", {}, {"pool": pool})) == bound


async def test_no_more_calls_run_at_once_than_the_pool_allows() -> None:
    async with lab(GAUGE, lua("app:work", WORK, pool={"max_size": 3})) as it:
        await it.spawn("app:gauge", name="gauge")
        await asyncio.gather(*(it.call("app:work") for _ in range(12)))
        assert await it.run(MOST) == 3


async def test_a_function_that_calls_itself_does_not_wait_for_itself() -> None:
    deep = lua("app:deep", "local n = ... if n == 0 then return 0 end return funcs.call('app:deep', n - 1) + 1")
    deep.data["pool"] = {"max_size": 1}  # type: ignore[index]
    async with lab(deep) as it:
        assert await asyncio.wait_for(it.call("app:deep", 20), 10) == 20


async def test_two_functions_that_call_each_other_from_full_pools_both_finish() -> None:
    one = lua("app:one", "local n = ... time.sleep('5ms') return n > 0 and funcs.call('app:two', n - 1) or 0")
    two = lua("app:two", "local n = ... time.sleep('5ms') return n > 0 and funcs.call('app:one', n - 1) or 0")
    for entry in (one, two):
        entry.data["pool"] = {"max_size": 1}  # type: ignore[index]
    async with lab(one, two) as it:
        both = (it.call(name, 3) for name in ["app:one", "app:two"] * 4)
        assert await asyncio.wait_for(asyncio.gather(*both), 10) == [0] * 8


def test_a_ring_of_three_full_pools_is_broken_by_the_call_that_would_close_it() -> None:
    pools, ran = Pools(), list[str]()

    def enter(function: str, *within: str) -> None:
        pools.enter(function, 1, lambda: frozenset(within), lambda: ran.append(function))

    for function in ("a", "b", "c"):
        enter(function)
    enter("b", "a")
    enter("c", "b")
    assert ran == ["a", "b", "c"]
    enter("a", "c")
    assert ran == ["a", "b", "c", "a"]


def test_a_busy_caller_does_not_lift_the_bound_of_what_it_calls() -> None:
    pools, ran = Pools(), list[str]()
    pools.enter("a", 1, frozenset, lambda: ran.append("a"))
    pools.enter("a", 1, frozenset, lambda: ran.append("a waiting"))
    pools.enter("b", 1, lambda: frozenset({"a"}), lambda: ran.append("b"))
    pools.enter("b", 1, lambda: frozenset({"a"}), lambda: ran.append("b waiting"))
    assert ran == ["a", "b"]


def test_a_call_that_stops_waiting_frees_its_place_in_the_queue() -> None:
    pools, ran = Pools(), list[str]()
    first = pools.enter("a", 1, frozenset, lambda: ran.append("first"))
    second = pools.enter("a", 1, frozenset, lambda: ran.append("second"))
    pools.enter("a", 1, frozenset, lambda: ran.append("third"))
    pools.leave(second)
    pools.leave(first)
    assert ran == ["first", "third"]
