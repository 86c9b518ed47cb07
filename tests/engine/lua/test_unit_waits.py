"""What a workflow waits for, kept by what its steps change, and what a step costs."""

from __future__ import annotations

import pytest

from engine.steps import CancelCall, Returned, Wait, Waiting
from engine.testing import Driver

HOUR = 3600 * 10**9


def body(text: str) -> str:
    """A unit whose main function is the text."""
    return f"return {{ main = function(...) {text} end }}"


def waits(driver: Driver) -> list[Wait]:
    """All that it waits for."""
    return list(driver.waits)


def test_what_is_answered_given_up_or_stopped_is_no_wait_any_more() -> None:
    source = body("""
        local funcs, time = require("funcs"), require("time")
        local first, second = funcs.async("app:a"), funcs.async("app:b")
        local timer = time.timer("1h")
        local go = process.listen("go")
        go:receive() second:cancel()
        go:receive() timer:stop()
        go:receive()
        return "over"
    """)
    driver = Driver.of_source(source, "workflow")
    due = driver.world.now() + HOUR
    calls, timer = [Wait("call", "app:a", 1), Wait("call", "app:b", 2)], Wait("timer", "", 3, due)
    assert waits(driver) == [Wait("topic", "go"), *calls, timer]
    driver.resolve(1)
    assert waits(driver) == [Wait("topic", "go"), calls[1], timer]
    driver.send("go")
    assert isinstance(driver.last(), CancelCall)
    assert waits(driver) == [Wait("topic", "go", 1), timer]
    driver.send("go")
    assert waits(driver) == [Wait("topic", "go", 2)]
    assert driver.send("go") == Returned("over")


@pytest.mark.parametrize("winner", ["inbox", "events"])
def test_a_channel_that_lost_a_select_is_waited_for_no_more(winner: str) -> None:
    source = body("""
        local inbox, events, never = process.inbox(), process.events(), process.listen("never")
        channel.select{inbox:case_receive(), events:case_receive(), never:case_receive()}
        inbox:receive()
    """)
    driver = Driver.of_source(source, "workflow")
    assert waits(driver) == [Wait("inbox"), Wait("events"), Wait("topic", "never")]
    if winner == "inbox":
        driver.send("news")
    else:
        driver.cancel()
    assert waits(driver) == [Wait("inbox", "", int(winner == "inbox"))]


def test_a_listener_that_was_closed_is_no_wait_and_its_messages_count_no_more() -> None:
    source = body("""
        local topic, inbox = process.listen("topic"), process.inbox()
        local waiting = coroutine.spawn(function() topic:receive() end)
        inbox:receive()
        process.unlisten(topic)
        inbox:receive()
    """)
    driver = Driver.of_source(source, "workflow")
    assert waits(driver) == [Wait("inbox"), Wait("topic", "topic")]
    for _ in range(3):
        driver.send("topic")
    assert driver.send("news") == Waiting(0)
    assert waits(driver) == [Wait("inbox", "", 1)]


def test_lists_are_bounded_and_totals_count_all() -> None:
    source = body("""
        local funcs, time = require("funcs"), require("time")
        for i = 1, 250 do
            funcs.async("app:a", i)
            time.after(i .. "h")
            local topic = process.listen("t" .. i)
            coroutine.spawn(function() topic:receive() end)
        end
        process.inbox():receive()
    """)
    driver = Driver.of_source(source, "workflow")
    found = driver.unit.waits(most=10, most_topics=20)
    assert found.totals == {"inbox": 1, "topic": 250, "call": 250, "timer": 250}
    kinds = [wait.kind for wait in found.listed]
    assert [kinds.count(kind) for kind in ("inbox", "topic", "call", "timer")] == [1, 20, 10, 10]
    nearest = next(wait for wait in found.listed if wait.kind == "timer")
    assert nearest.deadline == driver.world.now() + HOUR


def test_a_loop_of_selects_keeps_nothing_of_its_rounds() -> None:
    source = body("""
        local inbox, never = process.inbox(), process.listen("never")
        coroutine.spawn(function() never:receive() end)
        while true do channel.select{inbox:case_receive(), never:case_receive()} end
    """)
    driver = Driver.of_source(source, "process")

    def after(rounds: int) -> int:
        for _ in range(rounds):
            driver.send("news")
        return driver.unit.memory()

    after(2_000)
    before = after(500)
    assert after(4_000) < before + 200_000
