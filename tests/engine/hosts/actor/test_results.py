"""Results for a unit that is busy when they come: what waits is bounded, and who fans out waits instead of failing."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Sequence

import pytest

from engine.asks.threads import SHORT, on_thread
from engine.errors import LIMIT_EXCEEDED
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.pools import SPARE, Pools, Ticket
from engine.steps import (
    Ask,
    Call,
    CancelCall,
    CancelRequested,
    Command,
    Event,
    Limits,
    Rejected,
    Resolved,
    Returned,
    Step,
    Value,
    Waiting,
)
from tests.engine.hosts.actor.scripted import ScriptedUnit, Scripts
from tests.engine.hosts.actor.support import lab, lua
from tests.patience import PATIENCE

CALLS = 40
SIZE = 1016
SMALL = Limits(max_record=1000, max_memory=20_000)  # 4 records of results before calls wait; 19 results at all
ENTRIES = (lua("app:busy", ""), lua("app:pooled", "", pool={"size": 2}), lua("app:inline", "", pool={"type": "inline"}))


class Busy:
    """A function that calls often, and holds its second step, with the first result, until the gate opens."""

    def __init__(self, target: str, *then: Command, asks: bool = False) -> None:
        self.gate, self.holds = threading.Event(), threading.Event()
        self.answers: list[Event] = []
        self._first = (*(Ask(seq, "big") if asks else Call(seq, target) for seq in range(1, CALLS + 1)),)
        self._then = then
        self.units = Scripts(busy=self._step, pooled=self._big, inline=self._big)

    @property
    def begun(self) -> int:
        """How many callees there were."""
        return len(self.units.units) - 1

    def _step(self, unit: ScriptedUnit, events: Sequence[Event]) -> Step:
        self.answers += events
        if unit.steps == 1:
            return Step(self._first, Waiting())
        if unit.steps == 2:
            self.holds.set()
            self.gate.wait(PATIENCE)
        wanted = CALLS - len(self._then)
        done = len(self.answers) >= wanted  # perhaps by the second step, when its thread was slow to come
        return Step(self._then if unit.steps == 2 else (), Returned() if done else Waiting())

    def _big(self, unit: ScriptedUnit, events: Sequence[Event]) -> Step:
        return Step((), Returned("x" * (SIZE - 16)))


async def test_calls_of_a_unit_that_takes_no_results_wait_and_all_succeed_when_it_does() -> None:
    busy = Busy("app:pooled")
    async with lab(*ENTRIES, unit_factory=busy.units, limits=SMALL) as it:
        calling = asyncio.create_task(it.call("app:busy"))
        await it.until(busy.holds.is_set)
        await it.until(lambda: busy.begun >= 6 and it.node.counts()["functions"] == 1)
        assert await it.call("app:pooled") == "x" * (SIZE - 16)  # a caller of its own waits for nobody
        assert busy.begun - 1 <= 1 + 4 + 2
        busy.gate.set()
        await asyncio.wait_for(calling, PATIENCE)
    assert [type(each) for each in busy.answers] == [Resolved] * CALLS
    assert busy.begun == CALLS + 1


async def test_calls_that_wait_for_room_and_are_given_up_never_begin() -> None:
    busy = Busy("app:pooled", *(CancelCall(seq) for seq in range(11, CALLS + 1)))
    async with lab(*ENTRIES, unit_factory=busy.units, limits=SMALL) as it:
        calling = asyncio.create_task(it.call("app:busy"))
        await it.until(lambda: busy.begun >= 6 and it.node.counts()["functions"] == 1)
        busy.gate.set()
        await asyncio.wait_for(calling, PATIENCE)
    assert sorted(each.seq for each in busy.answers if isinstance(each, Resolved)) == list(range(1, 11))
    assert busy.begun < CALLS


async def test_results_beyond_what_a_busy_unit_may_hold_come_as_failures() -> None:
    busy = Busy("app:inline")
    async with lab(*ENTRIES, unit_factory=busy.units, limits=SMALL) as it:
        calling = asyncio.create_task(it.call("app:busy"))
        await it.until(lambda: busy.begun == CALLS and it.node.counts()["functions"] == 1)
        busy.gate.set()
        await asyncio.wait_for(calling, PATIENCE)
    failures = [each.failure for each in busy.answers if isinstance(each, Rejected)]
    waited = CALLS - len(failures)
    assert waited - SMALL.max_memory // SIZE in (0, 1)  # the held step took one, before or after the last found room
    assert {(each.kind, each.retryable) for each in failures} == {(LIMIT_EXCEEDED, True)}


async def test_asks_of_a_unit_that_takes_no_results_wait_and_all_are_answered_when_it_does() -> None:
    asked = []

    async def big(pid: str, args: tuple[Value, ...]) -> Value:
        asked.append(pid)
        return "x" * (SIZE - 16)

    busy = Busy("", asks=True)
    async with lab(*ENTRIES, unit_factory=busy.units, limits=SMALL, ask_handlers=lambda catalog: {"big": big}) as it:
        calling = asyncio.create_task(it.call("app:busy"))
        await it.until(lambda: busy.holds.is_set() and len(asked) >= 5)
        assert await it.call("app:pooled") == "x" * (SIZE - 16)
        assert len(asked) <= 1 + 5
        busy.gate.set()
        await asyncio.wait_for(calling, PATIENCE)
    assert [type(each) for each in busy.answers] == [Resolved] * CALLS


async def test_asks_that_hold_their_threads_keep_no_call_waiting() -> None:
    gate = threading.Event()

    async def slow(pid: str, args: tuple[Value, ...]) -> Value:
        return await on_thread(gate.wait, PATIENCE)

    busy = Busy("", asks=True)
    async with lab(*ENTRIES, unit_factory=busy.units, ask_handlers=lambda catalog: {"big": slow}) as it:
        busy.gate.set()
        calling = asyncio.create_task(it.call("app:busy"))
        await it.until(lambda: it.node.counts()["functions"] == 1)
        for _ in range(20):
            assert await asyncio.wait_for(it.call("app:pooled"), PATIENCE)
        gate.set()
        await asyncio.wait_for(calling, PATIENCE)
    assert len(busy.answers) == CALLS


async def test_a_unit_that_steps_only_after_all_its_asks_are_answered_ends() -> None:
    answered = []

    async def quick(pid: str, args: tuple[Value, ...]) -> Value:
        answered.append(pid)
        return True

    busy = Busy("", asks=True)
    busy.gate.set()
    async with lab(*ENTRIES, unit_factory=busy.units, ask_handlers=lambda catalog: {"big": quick}) as it:
        run, late = it.node._system.table.scheduler._run_slice, threading.Event()

        def run_late(actor: Actor) -> None:
            if actor.unit is not None:
                late.wait(PATIENCE)
            run(actor)

        it.node._system.table.scheduler._run_slice = run_late
        calling = asyncio.create_task(it.call("app:busy"))
        await it.until(lambda: len(answered) == CALLS)
        await it.node._system._lanes.settled()
        late.set()
        await asyncio.wait_for(calling, PATIENCE)
    assert len(busy.answers) == CALLS


async def test_calls_that_waited_begin_though_those_before_them_give_no_result() -> None:
    first, slow, holds, gate = 5, 60, threading.Event(), threading.Event()

    def call(unit: ScriptedUnit, events: Sequence[Event]) -> Step:
        if any(isinstance(each, CancelRequested) for each in events):
            return Step((), Returned())
        if unit.steps == 1:
            return Step((*(Call(seq, "app:inline") for seq in range(first)),), Waiting())
        if unit.steps == 2:  # four results lie there when it calls again
            holds.set()
            gate.wait(PATIENCE)
            return Step((*(Call(first + seq, "app:slow") for seq in range(slow)),), Waiting())
        return Step((), Waiting())

    units = Scripts(
        busy=call,
        inline=lambda unit, events: Step((), Returned("x" * (SIZE - 16))),
        slow=lambda unit, events: Step((), Returned() if unit.steps > 1 else Waiting()),
    )
    entries = (*ENTRIES, lua("app:slow", "", pool={"type": "inline"}))
    async with lab(*entries, unit_factory=units, limits=SMALL) as it:
        calling = asyncio.create_task(it.call("app:busy"))
        await it.until(lambda: holds.is_set() and len(units.units) == 1 + first and it.node.counts()["functions"] == 1)
        gate.set()
        await it.until(lambda: len(units.units) == 1 + first + slow)
        calling.cancel()


async def test_an_ask_whose_handler_is_cancelled_fails_and_the_next_are_answered() -> None:
    async def cancelled(pid: str, args: tuple[Value, ...]) -> Value:
        raise asyncio.CancelledError

    busy = Busy("", asks=True)
    busy.gate.set()
    async with lab(*ENTRIES, unit_factory=busy.units, ask_handlers=lambda catalog: {"big": cancelled}) as it:
        await asyncio.wait_for(it.call("app:busy"), PATIENCE)
    assert [type(each) for each in busy.answers] == [Rejected] * CALLS


async def test_turns_are_short_while_a_unit_is_answered_on_a_thread() -> None:
    usual = sys.getswitchinterval()
    assert await on_thread(sys.getswitchinterval) == pytest.approx(SHORT)
    assert sys.getswitchinterval() == usual


async def test_what_a_unit_asks_at_once_holds_no_more_bytes_than_it_may_hold() -> None:
    answers: list[Event] = []
    calls = [Call(seq, "app:pooled", ("x" * 5000,)) for seq in range(1, 9)]

    def ask(unit: ScriptedUnit, events: Sequence[Event]) -> Step:
        answers.extend(events)
        if unit.steps == 1:
            return Step((*calls[:6],), Waiting())
        if unit.steps == 2:
            return Step((CancelCall(1), *calls[6:]), Waiting())
        return Step((), Returned())

    units = Scripts(busy=ask, pooled=lambda unit, events: Step((), Waiting()))
    async with lab(*ENTRIES, unit_factory=units, limits=SMALL) as it:
        await asyncio.wait_for(it.call("app:busy"), PATIENCE)
    refused = [(each.seq, each.failure.kind) for each in answers if isinstance(each, Rejected)]
    assert refused == [(seq, LIMIT_EXCEEDED) for seq in (4, 5, 6, 8)]  # three hold 15,000 bytes


def test_who_gives_up_in_a_queue_leaves_little_behind() -> None:
    pools = Pools()
    pools.enter("f", 1, frozenset, lambda: None)
    for _ in range(10_000):
        pools.leave(pools.enter("f", 1, frozenset, lambda: None))
    assert len(pools._pools["f"].queue) <= SPARE


def test_a_call_that_is_held_when_its_turn_comes_gives_its_place_to_the_next() -> None:
    pools, ran = Pools(), list[int]()

    def enter(number: int, *, held: bool) -> Ticket:
        return pools.enter("f", 1, frozenset, lambda: ran.append(number), held=lambda: held)

    first, second, third = enter(1, held=False), enter(2, held=True), enter(3, held=False)
    pools.leave(first)
    assert (ran, second.left, third.running) == ([1, 3], True, True)
    pools.leave(second)
    pools.leave(third)
    enter(4, held=True)
    assert ran == [1, 3, 4]
