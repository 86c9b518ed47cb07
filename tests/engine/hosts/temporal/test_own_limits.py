"""A run has the limits of the program that it began with, in every replay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.errors import LIMIT_EXCEEDED
from engine.steps import KERNEL, Failed, Limits, Returned
from engine.testing import Driver, program_of
from tests.engine.hosts.temporal.stage import Stage, body, lua

LOOP = "for i = 1, 43000000 do end return 'done'"
HOLD = "local s, held = ('x'):rep(8388608), {} for i = 1, 18 do held[i] = s .. i end return #held"
WAITS = f"local go = process.listen('go') go:receive() {LOOP}"
RAISED = {"instructions": 50_000_000}


def publish(stage: Stage, code: str, limits: dict[str, int] | None = None) -> None:
    made = lua("app:w", "workflow.lua", body(code))
    stage.catalog.publish(replace(made, data={**made.data, **({"limits": limits} if limits else {})}))


@pytest.mark.parametrize(
    ("code", "limits", "value", "text"),
    [
        (LOOP, RAISED, "done", "more than 40000000 Lua instructions in one step"),
        (HOLD, {"memory": 200}, 18, "more than 128 MiB of Lua memory"),
    ],
)
async def test_a_raised_limit_lets_pass_what_the_default_ends(
    stage: Stage, code: str, limits: dict[str, int], value: object, text: str
) -> None:
    publish(stage, code)
    failure = (await stage.run("app:w")).failure
    assert failure is not None
    assert (failure.kind, failure.message.endswith(text)) == (LIMIT_EXCEEDED, True)
    publish(stage, code, limits)
    assert await stage.value("app:w") == value


async def test_a_run_keeps_the_limits_of_the_program_that_it_began_with(stage: Stage) -> None:
    publish(stage, WAITS, RAISED)
    raised = await stage.spawn("app:w")
    await stage.waits_for(raised, "topic", "go")
    publish(stage, WAITS)
    plain = await stage.spawn("app:w")
    await stage.waits_for(plain, "topic", "go")
    publish(stage, WAITS, {"instructions": 70_000_000})
    await stage.rest()  # and replays on another worker
    await stage.serve_again()
    for pid in (raised, plain):
        await stage.host.send(pid, "go", (), "")
    assert (await stage.exit(raised)).value == "done"
    failure = (await stage.exit(plain)).failure
    assert failure is not None
    assert failure.message.endswith("more than 40000000 Lua instructions in one step")


@pytest.mark.parametrize(("kernel", "ends"), [(1, Failed), (KERNEL, Returned)])
def test_runs_begun_before_know_of_no_limits_of_a_program(kernel: int, ends: type[Any]) -> None:
    program = program_of("return { main = function() for i = 1, 2000000 do end return true end }", "workflow")
    raised = replace(program, limits=replace(program.limits, instructions=10_000_000))
    driver = Driver(raised, "workflow", limits=Limits(max_instructions=1_000_000), kernel=kernel)
    assert isinstance(driver.status, ends)
