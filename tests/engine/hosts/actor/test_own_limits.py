"""Functions and processes with limits of their own, and what their host allows."""

from __future__ import annotations

import pytest

from engine.entry import Entry
from engine.errors import LIMIT_EXCEEDED
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.budget import BESIDE, FIRST, Budget
from engine.program import OwnLimits, Program
from engine.steps import DEFAULT_LIMITS, Exited, Limits
from tests.engine.hosts.actor.support import HOST, lab, lua, process

MIB = 1 << 20
LOOP = "for i = 1, 300000000 do end return 'done'"
HOLD = "local s, held = ('x'):rep(8388608), {} for i = 1, 18 do held[i] = s .. i end return #held"
RAISED = {"instructions": 310_000_000}
ROOMY = {"memory": 200}
EXEC = "local value, err = process.exec('app:p', 'app:procs') return value or { err:kind(), err:message() }"


@pytest.mark.parametrize(
    ("body", "limits", "value", "text"),
    [
        (LOOP, RAISED, "done", "more than 200000000 Lua instructions in one step"),
        (HOLD, ROOMY, 18, "more than 128 MiB of Lua memory"),
    ],
)
async def test_a_raised_limit_lets_a_function_pass_that_the_default_ends(
    body: str, limits: dict[str, int], value: object, text: str
) -> None:
    async with lab(lua("app:f", body)) as it:
        failure = await it.failure("app:f")
        assert (failure.kind, failure.message.endswith(text)) == (LIMIT_EXCEEDED, True)
        it.catalog.publish(lua("app:f", body, limits=limits))
        assert await it.call("app:f") == value


@pytest.mark.parametrize(
    ("body", "limits", "value", "text"),
    [
        ("for i = 1, 6000000 do end return 'done'", {"instructions": 7_000_000}, "done", "more than 5000000 Lua"),
        ("return #('x'):rep(10000000)", {"memory": 20}, 10_000_000, "more than 8 MiB of Lua memory"),
    ],
)
async def test_and_a_process(body: str, limits: dict[str, int], value: object, text: str) -> None:
    async with lab(process("app:p", body), limits=Limits(max_instructions=5_000_000, max_memory=8 * MIB)) as it:
        kind, message = await it.run(EXEC)
        assert (kind, text in message) == (LIMIT_EXCEEDED, True)
        it.catalog.publish(process("app:p", body, limits=limits))
        assert await it.run(EXEC) == value


async def test_a_lowered_limit_ends_a_unit_sooner_and_says_so() -> None:
    low = {"instructions": 8_000_000, "memory": 4}
    async with lab(lua("app:loop", "while true do end", limits=low), lua("app:hold", HOLD, limits=low)) as it:
        assert "more than 8000000 Lua instructions" in (await it.failure("app:loop")).message
        assert "more than 4 MiB of Lua memory" in (await it.failure("app:hold")).message


@pytest.mark.parametrize("kind", ["function.lua", "process.lua"])
async def test_the_smallest_limits_run_a_unit(kind: str) -> None:
    body = "local json = require('json') return json.decode(json.encode({ 1 }))[1]"
    async with lab(lua("app:p", body, kind, limits={"instructions": 100_000, "memory": 1})) as it:
        assert await (it.call("app:p") if kind == "function.lua" else it.run(EXEC)) == 1


async def test_a_host_allows_its_processes_less_than_they_ask_for() -> None:
    ceiling = {"instructions": 8_000_000, "memory": 4}
    host = Entry(HOST.id, "process.host", {}, {"host": {"limits": ceiling}})
    async with lab(host, process("app:p", "while true do end", limits=RAISED)) as it:
        assert "more than 8000000 Lua instructions" in (await it.run(EXEC))[1]
        it.catalog.publish(process("app:p", HOLD, limits=ROOMY))
        assert "more than 4 MiB of Lua memory" in (await it.run(EXEC))[1]
        it.catalog.publish(process("app:p", "while true do end"))
        assert "more than 8000000 Lua instructions" in (await it.run(EXEC))[1]
        it.catalog.publish(process("app:p", "while true do end", limits={"instructions": 1_000_000}))
        assert "more than 1000000 Lua instructions" in (await it.run(EXEC))[1]


async def test_an_upgraded_process_has_the_limits_of_what_it_became() -> None:
    became = process("app:became", "while true do end", limits={"instructions": 3_000_000})
    async with lab(process("app:p", "process.upgrade('app:became')", limits=RAISED), became) as it:
        assert "more than 3000000 Lua instructions" in (await it.run(EXEC))[1]


def test_a_unit_with_raised_memory_counts_with_it_until_its_first_step_has_ended() -> None:
    budget = Budget(1024 * MIB)
    for number in range(2):
        program = Program("app:f", "function.lua", "main", {}, OwnLimits(memory=384))
        actor = Actor(f"{{n@f|{number}}}", "function", "f", program, (), {}, None, "", DEFAULT_LIMITS, 0, family="one")
        budget.enter(actor)
    assert budget.total == 2 * (256 * MIB + FIRST)
    refused = budget.no_call("one")
    assert refused is not None and refused.retryable
    budget.weigh(actor, MIB)
    assert budget.total == 257 * MIB + FIRST + BESIDE
    budget.leave(actor, Exited(actor.pid, 0))
    assert budget.total == 256 * MIB + FIRST


def test_lowered_memory_counts_like_any() -> None:
    budget = Budget(1024 * MIB)
    program = Program("app:f", "function.lua", "main", {}, OwnLimits(memory=2))
    budget.enter(Actor("{n@f|1}", "function", "f", program, (), {}, None, "", DEFAULT_LIMITS, 0))
    assert budget.total == FIRST
