"""What a step costs by what its unit holds: timers, calls, topics and selects of a workflow, topics of a process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

from bench.figure import Figure
from engine.lua.unit import Unit
from engine.steps import Identity, Limits, Message, Waiting
from engine.testing import HandWorld, program_of

HELD = (1, 100, 1_000, 10_000)
COMPARED = 1_000
STEPS = 60
LIMITS = Limits(max_instructions=10**12, max_memory=2**30)
SOURCE = """
return function(n)
    local inbox = process.inbox()
    for i = 1, n do %s end
    while true do inbox:receive() end
end
"""
HOLDS = {
    "timers": ("workflow", 'coroutine.spawn(function() time.sleep("1h") end)'),
    "calls": ("workflow", 'funcs.async("bench:step", i)'),
    "topics": ("workflow", 'local heard = process.listen("t" .. i) coroutine.spawn(function() heard:receive() end)'),
    "selects": (
        "workflow",
        'local a, b = process.listen("a" .. i), process.listen("b" .. i) '
        "coroutine.spawn(function() channel.select{a:case_receive(), b:case_receive()} end)",
    ),
    "topics of a process": (
        "process",
        'local heard = process.listen("t" .. i) coroutine.spawn(function() heard:receive() end)',
    ),
}


def figures() -> dict[str, Callable[[], Figure]]:
    """By what is held."""
    return {f"growth by {what}": partial(growth, what) for what in HOLDS}


def growth(what: str) -> Figure:
    """The step of a unit that holds one of them against the step of a unit that holds a thousand."""
    found = {n: _microseconds(what, n) for n in HELD}
    detail = ", ".join(f"{cost:.0f} us at {n:,}" for n, cost in found.items())
    return Figure(f"step at 1 / step at {COMPARED:,} pending {what}", found[1] / found[COMPARED], 0.5, detail)


def _microseconds(what: str, n: int) -> float:
    """The median of some steps that each bring a message."""
    kind, hold = HOLDS[what]
    unit = Unit(program_of(SOURCE % hold, kind), Identity("{bench|1}", kind), (n,), HandWorld(), LIMITS)
    assert isinstance(unit.step().status, Waiting)
    costs = [_step(unit) for _ in range(STEPS)]
    unit.close()
    return statistics.median(costs) * 1e6


def _step(unit: Unit) -> float:
    began = time.perf_counter()
    unit.step((Message("news", (1,), ""),))
    unit.waits()  # as the host of a workflow tells those who watch
    return time.perf_counter() - began
