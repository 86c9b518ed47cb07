"""Stopping a step from another thread: soon, final, and not to be caught."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from engine.errors import StepAborted
from engine.lua.unit import Unit
from engine.steps import Failed, Identity, Limits, Returned, Step
from engine.testing import HandWorld, program_of

ENDLESS = Limits(max_instructions=10**15)


def unit_of(body: str, kind: str = "function", world: HandWorld | None = None) -> Unit:
    program = program_of(f"return {{main = function(...) {body} end}}", kind)
    return Unit(program, Identity("{test:unit|1}", kind), (), world or HandWorld(), ENDLESS)


def interrupted(unit: Unit, why: str = "time limit exceeded") -> Step:
    """The step of a unit that another thread interrupts as soon as it can."""

    ended = threading.Event()

    def strike() -> None:
        while not unit.interrupt(why) and not ended.is_set():
            time.sleep(0.001)
        unit.interrupt("again")

    thread = threading.Thread(target=strike)
    thread.start()
    try:
        return unit.step()
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize(
    "body",
    [
        "while true do end",
        "while true do local t = {} end",
        "while true do pcall(function() while true do end end) end",
        "while true do coroutine.wrap(function() while true do end end)() end",
        """pcall(function()
            local u <close> = setmetatable({}, {__close = function() while true do end end})
            error('x')
        end)""",
        "coroutine.spawn(function() while true do end end) channel.new():receive()",
        "while true do uuid.v4() end",
        "while true do local s = ('x'):rep(1000000) end",
    ],
)
def test_an_interrupted_step_fails_the_unit_whatever_it_does(body: str) -> None:
    status = interrupted(unit_of(body)).status
    assert isinstance(status, Failed)
    assert (status.failure.kind, status.failure.message) == ("LimitExceeded", "time limit exceeded")


def test_a_workflows_step_is_aborted_and_never_becomes_a_failed_run() -> None:
    unit = unit_of("while true do end", "workflow")
    with pytest.raises(StepAborted, match="time limit exceeded"):
        interrupted(unit)
    with pytest.raises(StepAborted, match="time limit exceeded"):
        unit.step()


def test_nothing_is_interrupted_between_steps() -> None:
    unit = unit_of("return 1")
    assert not unit.interrupt("too early")
    assert isinstance(unit.step().status, Returned)
    assert not unit.interrupt("too late")


class Striking(HandWorld):
    """A world whose clock interrupts: while Python works for a step, and none of Lua runs."""

    def __init__(self) -> None:
        super().__init__()
        self.strike: Callable[[str], bool] = lambda _: False

    def random_bytes(self, count: int) -> bytes:
        assert self.strike("time limit exceeded")
        return super().random_bytes(count)


def test_an_interrupt_while_the_host_answers_stops_the_step_when_lua_would_go_on() -> None:
    world = Striking()
    unit = unit_of("uuid.v4() return 1", world=world)
    world.strike = unit.interrupt
    status = unit.step().status
    assert isinstance(status, Failed)
    assert status.failure.message == "time limit exceeded"


def ends(body: str, rounds: int, often: bool) -> bool:
    """Whether so many rounds fit into a step, with many looks of the hook, or as the clock has it."""
    limits = Limits(max_instructions=50_000)
    program = program_of(f"return {{main = function(...) {body} end}}")
    unit = Unit(program, Identity("{test:unit|1}", "function"), (rounds,), HandWorld(), limits)
    unit._open()._k["often"] = often
    return isinstance(unit._run(unit._state).status, Returned)  # type: ignore[arg-type]


def most_rounds(body: str, often: bool) -> int:
    low, high = 0, 100_000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if ends(body, middle, often) else (low, middle)
    return low


@pytest.mark.parametrize(
    "body",
    [
        "for i = 1, ... do end",
        "local n = ... pcall(function() for i = 1, n do end end)",
        "local n = ... for i = 1, n do local s = #tostring(i) end",
        "local n = ... coroutine.wrap(function() for i = 1, n do end end)()",
    ],
)
def test_the_limit_strikes_at_the_same_instruction_however_often_the_hook_looks(body: str) -> None:
    assert most_rounds(body, often=True) == most_rounds(body, often=False)


def test_a_loop_of_long_comparisons_stops_soon() -> None:
    body = "local a, b = ('x'):rep(8000000) .. 'a', ('x'):rep(8000000) .. 'a' while a == b do end"
    began = time.monotonic()
    assert isinstance(interrupted(unit_of(body)).status, Failed)
    assert time.monotonic() - began < 60
