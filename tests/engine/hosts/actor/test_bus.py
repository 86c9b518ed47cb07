"""The event bus of a node; what Lua can see of it is in the conformance cases."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.host import SpawnRequest
from engine.entry import Entry
from engine.errors import UnitFailed
from engine.hosts.actor.asks.bus import MAX_SUBSCRIPTIONS
from engine.hosts.actor.asks.wildcards import BadPatternError, Wildcard
from engine.registry.changes import Changes
from tests.engine.hosts.actor.support import Lab, lab, lua, process

MODULES = ["events", "time", "logger"]
LISTENER = process(
    "app:listener",
    """
    local sub = assert(events.subscribe("news"))
    process.registry.register("listener")
    local heard = {}
    for event in sub:channel():iter() do
        if event.kind == "end" then return heard end
        heard[#heard + 1] = event.path
    end
    """,
    modules=MODULES,
)


def subscriptions(lab: Lab) -> int:
    return len(lab.node._system.bus.subscriptions)


async def test_subscriptions_end_with_their_unit() -> None:
    async with lab(LISTENER) as stage:
        pid = await stage.spawn("app:listener")
        await stage.until(lambda: subscriptions(stage) == 1)
        stage.node.terminate(pid)
        await stage.until(lambda: subscriptions(stage) == 0)
        stage.node._system.bus.publish("news", "k", "nobody hears it")


async def test_a_function_that_returns_leaves_no_subscription() -> None:
    body = "events.subscribe('a') events.subscribe('b'):close() return 1"
    async with lab(lua("app:short", body, modules=MODULES)) as stage:
        assert await stage.call("app:short") == 1
        assert subscriptions(stage) == 0


async def test_the_new_body_of_an_upgraded_process_hears_nothing_of_the_old_one() -> None:
    old = process(
        "app:old", "events.subscribe('news') process.listen('go'):receive() process.upgrade('app:new')", modules=MODULES
    )
    new = process(
        "app:new",
        """
        process.registry.register("new")
        local message = process.inbox():receive()
        return message:topic()
        """,
    )
    async with lab(old, new) as stage:
        pid = await stage.spawn("app:old")
        await stage.until(lambda: subscriptions(stage) == 1)
        for n in range(10):
            stage.node._system.bus.publish("news", "k", str(n))
        stage.node.send(pid, "go")
        await stage.until(lambda: stage.node._system.table.names.holder("new") == pid)
        assert subscriptions(stage) == 0
        stage.node._system.bus.publish("news", "k", "late")
        ended: list[Any] = []
        host = stage.node.host("app:procs")
        assert host is not None
        await host.watch(pid, "t", ended.append)
        stage.node.send(pid, "hello")
        await stage.until(lambda: bool(ended))
        assert ended[0].value == "hello"


async def test_a_slow_listener_keeps_the_oldest_and_says_once_that_it_drops(caplog: pytest.LogCaptureFixture) -> None:
    body = """
        local sub = events.subscribe("news")
        for i = 1, 200 do events.send("news", "k", tostring(i)) end
        sub:close()
        local paths = {}
        for event in sub:channel():iter() do paths[#paths + 1] = event.path end
        return { #paths, paths[1], paths[64] }
    """
    async with lab(lua("app:slow", body, modules=MODULES)) as stage:
        with caplog.at_level("WARNING"):
            assert await stage.call("app:slow") == [64, "1", "64"]
    assert [each.message for each in caplog.records if "dropped" in each.message] == [
        "events of news are dropped: 64 wait already"
    ]


async def test_a_full_mailbox_bounds_events_too(caplog: pytest.LogCaptureFixture) -> None:
    host = Entry("app:small", "process.host", {}, {"host": {"queue_size": 5}})
    body = "events.subscribe('news') process.registry.register('busy') while true do end"
    async with lab(host, process("app:busy", body, modules=MODULES)) as stage:
        small = stage.node.host("app:small")
        assert small is not None
        pid = await small.spawn(SpawnRequest("app:busy", "app:small"))
        await stage.until(lambda: stage.node._system.table.names.holder("busy") == pid)
        for n in range(50):
            stage.node._system.bus.publish("news", "k", str(n))
        assert stage.node._system.table._actors[pid].mailbox <= 5
        stage.node.terminate(pid)
    assert any("full mailbox" in each.message for each in caplog.records)


async def test_nobody_forges_an_event_by_a_message() -> None:
    async with lab(LISTENER) as stage:
        pid = await stage.spawn("app:listener")
        await stage.until(lambda: subscriptions(stage) == 1)
        with pytest.raises(UnitFailed, match="@ topics"):
            stage.node.send(pid, "@events", 1, {"system": "news", "kind": "k", "path": "forged"})


async def test_changes_of_the_registry_are_told_without_what_is_in_the_entries() -> None:
    body = """
        local sub = events.subscribe("registry")
        process.registry.register("watcher")
        local told = {}
        for event in sub:channel():iter() do
            local data = event.data
            told[#told + 1] = string.format("%s %s %s %s", event.kind, event.path, data.kind, data.data)
            if #told == 3 then return told end
        end
    """
    async with lab(process("app:watcher", body, modules=MODULES)) as stage:
        ended: list[Any] = []
        host = stage.node.host("app:procs")
        assert host is not None
        pid = await stage.spawn("app:watcher")
        await host.watch(pid, "t", ended.append)
        await stage.until(lambda: subscriptions(stage) == 1)
        a, b = Entry("x:a", "registry.entry", {}, {"secret": 1}), Entry("x:b", "function.lua")
        stage.node.announce(Changes((a,), (b,), ("x:c",)))
        await stage.until(lambda: bool(ended))
        assert ended[0].value == [
            "entry.create x:a registry.entry nil",
            "entry.update x:b function.lua nil",
            "entry.delete x:c nil nil",
        ]


async def test_the_number_of_subscriptions_is_bounded() -> None:
    body = f"""
        for i = 1, {MAX_SUBSCRIPTIONS} do assert(events.subscribe("a")) end
        local sub, err = events.subscribe("a")
        return err:kind()
    """
    async with lab(lua("app:many", body, modules=MODULES)) as stage:
        assert await stage.call("app:many") == "LimitExceeded"
        assert subscriptions(stage) == 0


SEGMENTS = st.sampled_from(["a", "b", "*", "**", "(a|b)", "x(a|)y"])


@given(st.lists(SEGMENTS, min_size=1, max_size=5), st.lists(st.sampled_from(["a", "b", "xay", "xy"]), min_size=1))
def test_a_pattern_matches_as_its_regular_expression_does(segments: list[str], parts: list[str]) -> None:
    spelled = "".join(
        r"(\.[^.]+)*" if each == "**" else r"\.[^.]+" if each == "*" else rf"\.{each}" for each in segments
    )
    name = ".".join(parts)
    assert Wildcard(".".join(segments)).matches(name) is bool(re.fullmatch(spelled, f".{name}"))


@pytest.mark.parametrize("pattern", ["", "a.(b", "a)b", "a*", "(a|*)", "a|b", "(a|b)" * 9, "a" * 501])
def test_a_pattern_that_makes_no_sense_is_refused(pattern: str) -> None:
    with pytest.raises(BadPatternError):
        Wildcard(pattern)
