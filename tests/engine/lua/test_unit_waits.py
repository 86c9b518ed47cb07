"""What a workflow waits for, kept by what its steps change, and what a step costs."""

from __future__ import annotations

from functools import partial

import pytest

from engine.steps import CancelCall, Returned, Wait, Waiting
from engine.testing import Driver

HOUR = 3600 * 10**9


def wait(number: int, kind: str, name: str = "", taken: int = 0, *, joined: int = 0) -> Wait:
    """A wait on the channel of that number, alone unless told otherwise."""
    return Wait(kind, name, taken, number=number, joined=joined or number)


go = partial(wait, 1, "topic", "go")


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
    assert waits(driver) == [go(), *calls, timer]
    driver.resolve(1)
    assert waits(driver) == [go(), calls[1], timer]
    driver.send("go")
    assert isinstance(driver.last(), CancelCall)
    assert waits(driver) == [go(1), timer]
    driver.send("go")
    assert waits(driver) == [go(2)]
    assert driver.send("go") == Returned("over")


@pytest.mark.parametrize("winner", ["inbox", "events"])
def test_a_channel_that_lost_a_select_is_waited_for_no_more(winner: str) -> None:
    source = body("""
        local inbox, events, never = process.inbox(), process.events(), process.listen("never")
        channel.select{inbox:case_receive(), events:case_receive(), never:case_receive()}
        inbox:receive()
    """)
    driver = Driver.of_source(source, "workflow")
    assert waits(driver) == [wait(1, "inbox"), wait(2, "events", joined=1), wait(3, "topic", "never", joined=1)]
    if winner == "inbox":
        driver.send("news")
    else:
        driver.cancel()
    assert waits(driver) == [wait(1, "inbox", "", int(winner == "inbox"))]


def test_a_listener_that_was_closed_is_no_wait_and_its_messages_count_no_more() -> None:
    source = body("""
        local topic, inbox = process.listen("topic"), process.inbox()
        local waiting = coroutine.spawn(function() topic:receive() end)
        inbox:receive()
        process.unlisten(topic)
        inbox:receive()
    """)
    driver = Driver.of_source(source, "workflow")
    assert waits(driver) == [wait(2, "inbox"), wait(1, "topic", "topic")]
    for _ in range(3):
        driver.send("topic")
    assert driver.send("news") == Waiting(0)
    assert waits(driver) == [wait(2, "inbox", "", 1)]


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
    kinds = [each.kind for each in found.listed]
    assert [kinds.count(kind) for kind in ("inbox", "topic", "call", "timer")] == [1, 20, 10, 10]
    nearest = next(each for each in found.listed if each.kind == "timer")
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


def topics(driver: Driver) -> dict[str, tuple[int, int]]:
    """What it listens to: number and joined by topic, the inbox as ""."""
    return {each.name: (each.number, each.joined) for each in driver.waits if each.kind in ("topic", "inbox")}


def test_topics_and_the_inbox_of_one_select_are_joined_by_the_smallest_of_their_numbers() -> None:
    source = body("""
        local time = require("time")
        local events, no, yes, inbox = process.events(), process.listen("no"), process.listen("yes"), process.inbox()
        local due = time.after("1h")
        channel.select{
            yes:case_receive(), due:case_receive(), inbox:case_receive(), no:case_receive(), events:case_receive(),
        }
        yes:receive()
    """)
    driver = Driver.of_source(source, "workflow")
    assert topics(driver) == {"": (4, 2), "yes": (3, 2), "no": (2, 2)}
    assert [each.joined for each in driver.waits if each.kind in ("events", "timer")] == [2, 0]
    driver.send("no")
    assert topics(driver) == {"yes": (3, 3)}


def test_tasks_that_receive_each_for_itself_are_not_joined_even_if_all_wait_for_a_cancel() -> None:
    source = body("""
        local events = process.events()
        for _, name in ipairs{"a", "b"} do
            local topic = process.listen(name)
            coroutine.spawn(function() channel.select{topic:case_receive(), events:case_receive()} end)
        end
        process.listen("c"):receive()
    """)
    assert topics(Driver.of_source(source, "workflow")) == {"a": (2, 2), "b": (3, 3), "c": (4, 4)}


def test_a_loop_that_a_ticker_wakes_goes_on_to_tell_the_same() -> None:
    source = body("""
        local time = require("time")
        local yes, no, ticker = process.listen("yes"), process.listen("no"), time.ticker("1m")
        while true do
            channel.select{no:case_receive(), ticker:channel():case_receive(), yes:case_receive()}
        end
    """)
    driver = Driver.of_source(source, "workflow")
    told: list[object] = []
    driver.unit._book.heard = told.append  # type: ignore[method-assign, union-attr]
    for _ in range(3):
        driver.advance(60)
    assert told == []
    assert topics(driver) == {"yes": (1, 1), "no": (2, 1)}


def test_what_is_joined_follows_who_is_the_first_to_receive() -> None:
    source = body("""
        local a, b, c = process.listen("a"), process.listen("b"), process.listen("c")
        coroutine.spawn(function() channel.select{a:case_receive(), c:case_receive()} end)
        coroutine.spawn(function() channel.select{b:case_receive(), c:case_receive()} end)
        process.inbox():receive()
    """)
    driver = Driver.of_source(source, "workflow")
    assert topics(driver) == {"": (4, 4), "a": (1, 1), "b": (2, 2), "c": (3, 1)}
    driver.send("a")
    assert topics(driver) == {"": (4, 4), "b": (2, 2), "c": (3, 2)}


def test_units_of_the_first_kernel_tell_of_no_select() -> None:
    source = body("""
        local yes, no = process.listen("yes"), process.listen("no")
        while true do channel.select{yes:case_receive(), no:case_receive()} end
    """)
    driver = Driver.of_source(source, "workflow", kernel=1)
    assert topics(driver) == {"yes": (1, 0), "no": (2, 0)}
    driver.send("no")
    assert topics(driver) == {"yes": (1, 0), "no": (2, 0)}
