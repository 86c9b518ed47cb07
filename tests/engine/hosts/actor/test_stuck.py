"""Steps that never end, on threads of a real node: how many there are at once, and that others are served."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

from engine.entry import Entry
from engine.hosts.actor.actor import SteppedUnit
from engine.hosts.actor.concurrency.ready import bounds_of_this_machine
from engine.lua.unit import Unit
from engine.program import Program
from engine.steps import Event, Identity, Limits, Returned, Step, Value, World
from tests.engine.hosts.actor.scripted import ScriptedUnit
from tests.engine.hosts.actor.support import lab, lua
from tests.patience import PATIENCE

ADD = lua("app:add", "return (...) + 1")
TOLD = lua("app:told", "")
BOUNDS = bounds_of_this_machine()
CALLS = 3 * BOUNDS.program


class Held:
    """Makes units; those of `app:stuck...` hold their thread until the gate opens, `app:told` says that it ran."""

    def __init__(self) -> None:
        self.gate, self.told = threading.Event(), threading.Event()
        self.now = self.most = 0
        self._lock = threading.Lock()

    def unit(
        self, program: Program, identity: Identity, args: Sequence[Value], world: World, limits: Limits
    ) -> SteppedUnit:
        """A real one for all other entries."""
        if program.entry_id == "app:told":
            return ScriptedUnit(self._tell, identity)
        if program.entry_id.startswith("app:stuck"):
            return ScriptedUnit(self._hold, identity)
        return Unit(program, identity, args, world, limits)

    def _tell(self, unit: ScriptedUnit, events: Sequence[Event]) -> Step:
        self.told.set()
        return Step((), Returned())

    def _hold(self, unit: ScriptedUnit, events: Sequence[Event]) -> Step:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.gate.wait(PATIENCE)
        with self._lock:
            self.now -= 1
        return Step((), Returned(1))


def _stuck(name: str = "") -> Entry:
    return lua(f"app:stuck{name}", "", pool={"type": "inline"})


def _caller(entries: int) -> Entry:
    body = f"""
        local futures = {{}}
        for i = 1, {CALLS} do futures[i] = funcs.async("app:stuck" .. i % {entries}) end
        funcs.call("app:told")
        local sum = 0
        for i = 1, {CALLS} do
            futures[i]:response():receive()
            sum = sum + futures[i]:result():data()
        end
        return sum
    """
    return lua("app:caller", body)


async def test_calls_of_many_stuck_functions_hold_their_familys_threads_and_no_other() -> None:
    held, stuck = Held(), [_stuck(str(number)) for number in range(10)]
    async with lab(ADD, TOLD, _caller(10), *stuck, unit_factory=held.unit) as it:
        calling = asyncio.create_task(it.call("app:caller"))
        await it.until(lambda: held.now == BOUNDS.family)
        for number in range(20):
            assert await asyncio.wait_for(it.call("app:add", number), PATIENCE) == number + 1
        held.gate.set()
        assert await asyncio.wait_for(calling, PATIENCE) == CALLS
    assert held.most == BOUNDS.family


async def test_calls_of_one_stuck_function_leave_a_thread_to_their_caller() -> None:
    held = Held()
    async with lab(ADD, TOLD, _caller(1), _stuck("0"), unit_factory=held.unit) as it:
        calling = asyncio.create_task(it.call("app:caller"))
        await it.until(lambda: held.now == BOUNDS.program_of_family)
        await it.until(held.told.is_set)
        held.gate.set()
        assert await asyncio.wait_for(calling, PATIENCE) == CALLS
    assert held.most == BOUNDS.program_of_family


async def test_one_stuck_function_that_many_call_leaves_threads_to_others() -> None:
    held = Held()
    async with lab(ADD, _stuck(), unit_factory=held.unit) as it:
        calls = [asyncio.create_task(it.call("app:stuck")) for _ in range(CALLS)]
        await it.until(lambda: held.now == BOUNDS.program)
        assert await asyncio.wait_for(it.call("app:add", 1), PATIENCE) == 2
        held.gate.set()
        assert sum(await asyncio.wait_for(asyncio.gather(*calls), PATIENCE)) == CALLS
    assert held.most == BOUNDS.program
