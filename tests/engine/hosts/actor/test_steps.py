from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

import pytest

from engine.steps import Ask, Call, Event, Failed, Log, Rejected, Resolved, Returned, Send, StartTimer, Step, Waiting
from tests.engine.hosts.actor.scripted import ScriptedUnit, Scripts
from tests.engine.hosts.actor.support import lab, lua, process

ENTRIES = (lua("app:f", ""), process("app:p", ""))
WAIT = Step((), Waiting())


def asking(*commands: Ask | Call | Send) -> Scripts:
    """A function that issues commands and returns the answers, as text."""
    answers: list[str] = []

    def step(unit: ScriptedUnit, events: Sequence[Event]) -> Step:
        if unit.steps == 1:
            return Step(commands, Waiting())
        for event in events:
            answers.append(event.failure.kind if isinstance(event, Rejected) else "ok")
        return Step((), Returned(answers)) if len(answers) == len(commands) else WAIT

    return Scripts(f=step)


async def test_a_unit_is_stepped_by_one_thread_at_a_time() -> None:
    def step(unit: ScriptedUnit, events: Sequence[Event]) -> Step:
        time.sleep(0.0005)
        return WAIT

    scripts = Scripts(p=step)
    async with lab(*ENTRIES, unit_factory=scripts, threads=4) as it:
        pid = await it.spawn("app:p")
        for _ in range(20):
            await asyncio.gather(*(asyncio.to_thread(it.node.send, pid, "m") for _ in range(10)))
        await it.until(lambda: it.node.processes()[0].mailbox == 0)
    assert not scripts.units[0].overlapped
    assert scripts.units[0].closed == 1


async def test_a_step_that_raises_fails_that_unit_only(caplog: pytest.LogCaptureFixture) -> None:
    def step(unit: ScriptedUnit, events: Sequence[Event]) -> Step:
        raise RuntimeError("a defect")

    scripts = Scripts(f=step, p=lambda unit, events: WAIT)
    async with lab(*ENTRIES, unit_factory=scripts) as it:
        await it.spawn("app:p")
        with caplog.at_level(logging.CRITICAL):
            failure = await it.failure("app:f")
        assert (failure.kind, "a defect" in failure.message) == ("Internal", True)
        assert it.node.counts()["app:procs"] == 1


async def test_an_unknown_ask_is_invalid_and_a_known_one_is_answered() -> None:
    async def echo(pid: str, args: tuple[object, ...]) -> object:
        return args[0]

    units = asking(Ask(1, "weather"), Ask(2, "echo", ("x",)))
    async with lab(*ENTRIES, unit_factory=units, ask_handlers=lambda _: {"echo": echo}) as it:
        assert sorted(await it.call("app:f")) == ["Invalid", "ok"]


async def test_commands_of_the_last_step_are_carried_out() -> None:
    heard: list[Event] = []

    def function(unit: ScriptedUnit, events: Sequence[Event]) -> Step:
        return Step((Send(1, "box", "bye"),), Returned(1))

    def listener(unit: ScriptedUnit, events: Sequence[Event]) -> Step:
        heard.extend(events)
        return WAIT

    async with lab(*ENTRIES, unit_factory=Scripts(f=function, p=listener)) as it:
        await it.spawn("app:p", name="box")
        assert await it.call("app:f") == 1
        await it.until(lambda: bool(heard))


async def test_a_timer_resolves_not_before_its_time() -> None:
    times: list[float] = []

    def step(unit: ScriptedUnit, events: Sequence[Event]) -> Step:
        times.append(time.monotonic())
        if unit.steps == 1:
            return Step((StartTimer(1, 30_000_000),), Waiting())
        return Step((), Returned([e.seq for e in events if isinstance(e, Resolved)]))

    async with lab(*ENTRIES, unit_factory=Scripts(f=step)) as it:
        assert await it.call("app:f") == [1]
    assert 0.029 <= times[1] - times[0] < 1


async def test_log_lines_carry_pid_and_entry(caplog: pytest.LogCaptureFixture) -> None:
    def step(unit: ScriptedUnit, events: Sequence[Event]) -> Step:
        return Step((Log("warn", "100% sure", {"a": 1}, "shop"),), Returned())

    with caplog.at_level(logging.INFO, "wippy.lua"):
        async with lab(*ENTRIES, unit_factory=Scripts(f=step)) as it:
            await it.call("app:f")
    record = next(r for r in caplog.records if r.name == "wippy.lua")
    assert (record.getMessage(), record.levelname) == ("100% sure", "WARNING")
    assert vars(record)["entry_id"] == "app:f"
    assert vars(record)["pid"].startswith("{node-1@app:f|")
    assert vars(record)["fields"] == {"a": 1}


async def test_a_unit_that_can_not_be_made_fails_its_caller() -> None:
    async with lab(lua("app:unscripted", ""), unit_factory=Scripts()) as it:
        assert (await it.failure("app:unscripted")).kind == "Internal"


async def test_a_failed_status_is_the_callers_failure_unchanged() -> None:
    from engine.errors import Failure

    failure = Failure("Custom", "as it is", retryable=True, details={"n": 1})
    async with lab(*ENTRIES, unit_factory=Scripts(f=lambda unit, events: Step((), Failed(failure)))) as it:
        assert await it.failure("app:f") == failure
