"""Operations of units: cancelled with them, bounded, listed; what they hold is closed when they end."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from engine.asks import operations as parts
from engine.contracts.host import CallRequest
from engine.contracts.operation import MAX_HANDLES, MAX_TEXT, Operation
from engine.contracts.operations import Doing, ProcessInfo
from engine.entry import Entry
from engine.errors import CANCELED, INTERNAL, INVALID, LIMIT_EXCEEDED
from engine.hosts.actor import operating, outside
from engine.steps import Ask, Event, Limits, Rejected, Resolved, Returned, Step, Value, Waiting
from engine.testing import Driver
from tests.engine.hosts.actor.outside import Outer, asks, lua, process
from tests.engine.hosts.actor.scripted import ScriptedUnit, Scripts
from tests.engine.hosts.actor.support import Lab, lab
from tests.engine.hosts.actor.support import lua as plain
from tests.patience import PATIENCE

WAITER = process("app:waiter", "local value, err = env.get('wait') return value or err:kind()")


@asynccontextmanager
async def node(world: Outer, *entries: Entry, **options: Any) -> AsyncIterator[Lab]:
    """A node whose units reach that world."""
    async with lab(*entries, ask_handlers=asks, operations=world.operations(), **options) as it:
        yield it


def left(it: Lab) -> tuple[int, int]:
    """What ended units left in flight: commands and bytes."""
    count = it.node._system._operating.answers.left
    return sum(count.commands.values()), sum(count.sizes.values())


def doing(it: Lab, pid: str) -> tuple[Doing, ...]:
    """What a unit does outside."""
    info = it.node.describe(pid)
    return info.doing if info is not None else ()


async def test_an_operation_knows_who_asks_and_answers_the_unit() -> None:
    world = Outer()
    async with node(world, lua("app:asks", "return env.get('something')")) as it:
        assert await it.call("app:asks") == "an answer"
        (asker,) = world.askers
        assert (asker.entry, asker.kind) == ("app:asks", "function")
        assert asker.pid.startswith("{node-1@app:asks|")


async def test_what_a_failed_operation_had_gathered_does_not_wait_for_the_garbage_collector() -> None:
    world = Outer()
    async with node(world, lua("app:asks", "local _, err = env.get('gather it') return err:message()")) as it:
        gc.collect()
        gc.disable()
        try:
            assert await it.call("app:asks") == "it"
            gathered = world.gathered
            assert gathered is not None
            await it.until(lambda: gathered() is None)
        finally:
            gc.enable()


async def test_a_failure_reaches_the_unit_and_a_defect_only_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    world = Outer()
    async with node(world, lua("app:asks", "local v, err = env.get(...) return { err:kind(), err:message() }")) as it:
        assert await it.call("app:asks", "fail so it is") == [INVALID, "so it is"]
        assert await it.call("app:asks", "bad") == [INTERNAL, "internal error: RuntimeError"]
        assert (await it.call("app:asks", "endless"))[0] == INTERNAL
    assert "secret" not in caplog.text
    assert "RuntimeError at" in caplog.text


async def test_operations_of_a_unit_run_beside_each_other_and_are_listed_while_they_do() -> None:
    world = Outer()
    body = """
    local done = channel.new(2)
    for _, word in ipairs({"wait one", "wait two"}) do coroutine.spawn(function() done:send(env.get(word)) end) end
    return { (done:receive()), (done:receive()) }
    """
    async with node(world, process("app:both", body)) as it:
        pid = await it.spawn("app:both")
        await it.until(lambda: len(doing(it, pid)) == 2)
        info = it.node.describe(pid)
        assert info is not None
        assert [each.text for each in info.doing] == ["look at wait one", "look at wait two"]
        assert info.operations == 2
        assert all(each.since >= info.started for each in info.doing)
        world.go.set()
        await it.until(lambda: it.node.describe(pid) is None)
    assert world.cancelled == []


async def test_a_function_call_is_listed_with_what_it_does_and_only_the_oldest_of_many_are() -> None:
    world = Outer()
    body = "for i = 1, 40 do coroutine.spawn(function() env.get('wait ' .. i) end) end env.get('wait')"
    async with node(world, lua("app:many", body)) as it:
        calling = asyncio.create_task(it.call("app:many"))
        await it.until(lambda: len(world.begun) == 41)  # more than there are lanes
        (info,) = it.node.processes()
        assert (info.operations, len(info.doing)) == (41, outside.MOST_LISTED)
        world.go.set()
        await asyncio.wait_for(calling, PATIENCE)
        await it.until(lambda: not it.node.processes())


async def test_a_text_is_one_line_of_two_hundred_characters_and_a_broken_one_harms_nobody() -> None:
    def broken(args: tuple[Value, ...]) -> str:
        raise ValueError("no")

    world = Outer()
    made = (lambda args: "GET\n\x1b[31m " + "y" * 5000), broken
    for text in made:
        operation = Operation(world.work, text)
        async with lab(WAITER, ask_handlers=asks, operations={"env.get": operation}) as it:
            pid = await it.spawn("app:waiter")
            await it.until(lambda pid=pid, it=it: bool(doing(it, pid)))  # type: ignore[misc]
            (only,) = doing(it, pid)
            assert only.text.isprintable()
            assert len(only.text) <= MAX_TEXT


async def test_a_unit_that_is_asked_to_stop_gets_canceled_from_what_is_under_way_and_may_go_on() -> None:
    world = Outer()
    body = "local v, err = env.get('wait') return { err:kind(), (env.get('after')) }"
    async with node(world, lua("app:canceled", body)) as it:
        calling = asyncio.create_task(it.call("app:canceled"))
        await it.until(lambda: world.begun == ["wait"])
        (info,) = it.node.processes()
        it.node._system.table.cancel(info.pid, "enough", "")
        assert await asyncio.wait_for(calling, PATIENCE) == [CANCELED, "an answer"]
        assert world.cancelled == ["wait"]
        assert left(it) == (0, 0)


async def test_a_caller_that_is_asked_to_stop_cancels_what_its_callee_does() -> None:
    world = Outer()
    caller = lua("app:caller", "local v, err = funcs.call('app:callee') return v or err:kind()")
    async with node(world, caller, lua("app:callee", "return assert(env.get('wait'))")) as it:
        calling = asyncio.create_task(it.call("app:caller"))
        await it.until(lambda: world.begun == ["wait"])
        pid = next(info.pid for info in it.node.processes() if info.entry == "app:caller")
        it.node._system.table.cancel(pid, "enough", "")
        assert await asyncio.wait_for(calling, PATIENCE) == CANCELED


async def test_an_operation_that_goes_on_though_cancelled_is_answered_without_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operating, "CLOSING_SECONDS", 0.02)
    world = Outer()
    async with node(world, lua("app:stubborn", "local v, err = env.get('stubborn') return v or err:kind()")) as it:
        calling = asyncio.create_task(it.call("app:stubborn"))
        await it.until(lambda: world.begun == ["stubborn"])
        it.node._system.table.cancel(it.node.processes()[0].pid, "enough", "")
        assert await asyncio.wait_for(calling, PATIENCE) == CANCELED
        assert left(it)[0] == 1  # it counts as long as it runs
        world.go.set()
        await it.until(lambda: left(it) == (0, 0))


async def test_what_an_operation_does_to_clean_up_is_not_cut_short_by_another_cancel() -> None:
    cleaned, cleaning, go = list[str](), asyncio.Event(), asyncio.Event()

    async def work(asker: Any, args: tuple[Value, ...]) -> Value:
        try:
            await asyncio.Event().wait()
        finally:
            cleaning.set()
            await go.wait()
            cleaned.append(args[0])

    async with lab(WAITER, ask_handlers=asks, operations={"env.get": Operation(work, str)}) as it:
        pid = await it.spawn("app:waiter")
        await it.until(lambda: bool(doing(it, pid)))
        it.node._system.table.cancel(pid, "once", "")
        await asyncio.wait_for(cleaning.wait(), PATIENCE)
        it.node._system.table.cancel(pid, "twice", "")
        it.node.terminate(pid)
        go.set()
        await it.until(lambda: cleaned == ["wait"] and left(it) == (0, 0))


async def test_an_operation_that_heeds_cancel_is_told_and_cancelled_only_at_the_end() -> None:
    world = Outer(heeds_cancel=True)
    async with node(world, lua("app:heeds", "return env.get('heed')"), WAITER) as it:
        calling = asyncio.create_task(it.call("app:heeds"))
        await it.until(lambda: world.begun == ["heed"])
        it.node._system.table.cancel(it.node.processes()[0].pid, "enough", "")
        assert await asyncio.wait_for(calling, PATIENCE) == "enough"
        pid = await it.spawn("app:waiter")
        await it.until(lambda: world.begun == ["heed", "wait"])
        it.node._system.table.cancel(pid, "enough", "")
        await it.until(lambda: world.askers[-1].canceled.reason == "enough")
        assert world.cancelled == []
        it.node.terminate(pid)
        await it.until(lambda: world.cancelled == ["wait"])


OPENS = "for _, name in ipairs({'a', 'b', 'c'}) do assert(env.get('open ' .. name)) end "


@pytest.mark.parametrize(
    "end", ["return 1", "error('broke')", "process.upgrade('app:next')", "env.get('wait')"], ids=range(4)
)
async def test_what_a_unit_holds_is_closed_in_reverse_when_it_ends(end: str) -> None:
    world = Outer()
    after = process("app:next", "env.get('open again') env.get('wait next')")
    async with node(world, process("app:holds", OPENS + end), after) as it:
        pid = await it.spawn("app:holds")
        await it.until(lambda: len(world.ended) >= 3)
        if "wait" in end:
            await it.until(lambda: world.begun[-1] == "wait")
            it.node.terminate(pid)
        await it.until(lambda: len(world.closed) == 3)
        assert world.closed == ["c", "b", "a"]
        if "upgrade" in end:
            await it.until(lambda: world.begun[-1] == "wait next")
            assert world.askers[-1].entry == "app:next"
            it.node.terminate(pid)
            await it.until(lambda: world.closed[-1] == "again")
        assert left(it) == (0, 0)


async def test_operations_end_before_what_they_use_is_closed() -> None:
    world = Outer()
    body = "env.get('open a') env.get('wait')"
    async with node(world, process("app:uses", body)) as it:
        pid = await it.spawn("app:uses")
        await it.until(lambda: world.begun[-1:] == ["wait"])
        seen: list[list[str]] = []
        world.closing = Noting(lambda: seen.append(list(world.ended)))
        it.node.terminate(pid)
        await it.until(lambda: world.closed == ["a"])
    assert seen == [["open a", "wait"]]


class Noting(list[str]):
    """Calls back at each append."""

    def __init__(self, note: Any) -> None:
        super().__init__()
        self._note = note

    def append(self, item: str) -> None:
        self._note()
        super().append(item)


async def test_a_handle_that_hangs_or_fails_is_named_in_the_log_and_the_others_are_closed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(parts, "CLOSING_SECONDS", 0.05)
    world = Outer()
    body = "for _, name in ipairs({'first', 'hangs', 'fails', 'last'}) do env.get('open ' .. name) end"
    async with node(world, lua("app:holds", body)) as it:
        await it.call("app:holds")
        await it.until(lambda: world.closed == ["last", "first"])
    assert world.closing == ["last", "fails", "hangs", "first"]
    assert "the thing hangs of {node-1@app:holds|" in caplog.text
    assert "the thing fails of {node-1@app:holds|" in caplog.text
    assert "secret" not in caplog.text


async def test_a_unit_holds_so_many_handles_and_one_too_many_is_closed_at_once() -> None:
    world = Outer()
    body = f"""
    local first = env.get("open 1")
    for i = 2, {MAX_HANDLES} do assert(env.get("open " .. i)) end
    local _, err = env.get("open more")
    assert(err:kind() == "LimitExceeded" and err:retryable(), err)
    assert(env.get("close " .. first) == "closed")
    local next = assert(env.get("open next"))
    assert(next ~= first)
    local _, err = env.get("get " .. first)
    assert(err:kind() == "Invalid" and err:message() == "thing is closed", err)
    local _, err = env.get("other " .. next)
    assert(err:message() == "other is closed", err)
    assert(env.get("close " .. first) == "closed")
    return env.get("get " .. next)
    """
    async with node(world, lua("app:holds", body)) as it:
        assert await it.call("app:holds") == "next"
        assert world.closed[:2] == ["more", "1"]
        await it.until(lambda: len(world.closed) == MAX_HANDLES + 2)


async def test_no_unit_reaches_the_handles_of_another() -> None:
    world = Outer()
    async with node(world, process("app:holds", "env.get('open a') env.get('wait')"), lua("app:asks", ASKS)) as it:
        await it.spawn("app:holds")
        await it.until(lambda: world.begun[-1:] == ["wait"])
        for number in range(-2, 20):
            assert await it.call("app:asks", f"get {number}") == "thing is closed"


ASKS = "local v, err = env.get(...) return v or err:message()"


async def test_what_is_opened_after_its_unit_has_ended_is_closed_at_once() -> None:
    world = Outer()
    kept: list[Any] = []

    async def slow(asker: Any, args: tuple[Value, ...]) -> Value:
        kept.append(asker)
        return await world.work(asker, ("wait",))

    async with lab(WAITER, ask_handlers=asks, operations={"env.get": Operation(slow, str)}) as it:
        pid = await it.spawn("app:waiter")
        await it.until(lambda: bool(kept))
        it.node.terminate(pid)
        await it.until(lambda: world.cancelled == ["wait"])
        with pytest.raises(Exception, match="canceled"):
            await world.work(kept[0], ("open late",))
        await it.until(lambda: world.closed == ["late"])


async def test_a_result_that_is_too_large_comes_as_a_failure() -> None:
    world = Outer()
    limits = Limits(max_record=100_000)
    async with node(
        world, lua("app:asks", "local v, err = env.get(...) return v and #v or err:kind()"), limits=limits
    ) as it:
        assert await it.call("app:asks", "big 90000") == 90_000
        assert await it.call("app:asks", "big 200000") == LIMIT_EXCEEDED


async def test_results_beyond_what_a_busy_unit_may_hold_are_dropped() -> None:
    """As those of calls: `results_full`."""
    gate = asyncio.Event()
    answers: list[Event] = []

    def step(unit: ScriptedUnit, events: Sequence[Event]) -> Step:
        answers.extend(events)
        commands = tuple(Ask(seq, "big") for seq in range(1, 31)) if unit.steps == 1 else ()
        return Step(commands, Returned() if len(answers) == 30 else Waiting())

    async def big(asker: Any, args: tuple[Value, ...]) -> Value:
        await gate.wait()
        return "x" * 20_000

    limits = Limits(max_record=200_000, max_memory=200_000)  # ten results
    operations = {"big": Operation(big, lambda args: "big")}
    async with lab(plain("app:busy", ""), unit_factory=Scripts(busy=step), limits=limits, operations=operations) as it:
        calling = asyncio.create_task(it.call("app:busy"))
        await it.until(lambda: bool(it.node.processes()) and it.node.processes()[0].operations == 30)
        with it.node._system.table.lock:  # so that the unit takes none before all have come
            gate.set()
            for _ in range(5):
                await asyncio.sleep(0)
        await asyncio.wait_for(calling, PATIENCE)
    refused = [each.failure.kind for each in answers if isinstance(each, Rejected)]
    assert set(refused) == {LIMIT_EXCEEDED}
    assert len([each for each in answers if isinstance(each, Resolved)]) == 30 - len(refused)


async def test_operations_count_as_commands_in_flight_and_those_of_ended_units_too() -> None:
    world, answers = Outer(), list[Event]()

    def step(unit: ScriptedUnit, events: Sequence[Event]) -> Step:
        answers.extend(events)
        commands = tuple(Ask(seq, "env.get", ("stubborn",)) for seq in range(1, 9)) if unit.steps == 1 else ()
        return Step(commands, Returned() if len(answers) == 3 else Waiting())

    factory = Scripts(begins=step)
    async with node(world, plain("app:begins", ""), unit_factory=factory, limits=Limits(max_pending=5)) as it:
        await it.call("app:begins")
        assert [each.failure.kind for each in answers if isinstance(each, Rejected)] == [LIMIT_EXCEEDED] * 3
        await it.until(lambda: world.cancelled == ["stubborn"] * len(world.begun) and left(it)[0] == len(world.begun))
        world.go.set()
        await it.until(lambda: left(it) == (0, 0))


async def test_operations_count_as_memory_of_their_unit() -> None:
    """Each is a task: a unit of little memory has room for few."""
    world, answers = Outer(), list[Event]()

    def step(unit: ScriptedUnit, events: Sequence[Event]) -> Step:
        answers.extend(events)
        commands = tuple(Ask(seq, "env.get", ("wait",)) for seq in range(1, 101)) if unit.steps == 1 else ()
        return Step(commands, Waiting())

    limits = Limits(max_memory=10 * operating.BESIDE)
    async with node(world, process("app:begins", ""), unit_factory=Scripts(begins=step), limits=limits) as it:
        pid = await it.spawn("app:begins")
        await it.until(lambda: len(answers) == 90 and len(world.begun) == 10)
        assert {each.failure.kind for each in answers if isinstance(each, Rejected)} == {LIMIT_EXCEEDED}
        it.node.terminate(pid)
        await it.until(lambda: world.cancelled == ["wait"] * 10 and left(it) == (0, 0))


async def test_a_node_that_stops_cancels_what_is_under_way_and_closes_what_is_held() -> None:
    world = Outer()
    body = "env.get('open a') env.get('wait') env.get('stays') process.inbox():receive()"
    async with node(world, process("app:holds", body)) as it:
        await it.spawn("app:holds")
        await it.until(lambda: world.begun[-1:] == ["wait"])
    assert world.cancelled == ["wait"]
    assert world.closed == ["a"]


async def test_an_answer_for_a_unit_that_was_upgraded_does_not_reach_the_new_one() -> None:
    """Commands of both count from one."""
    world = Outer()
    old = process(
        "app:old",
        "coroutine.spawn(function() env.get('stubborn') end) process.inbox():receive() process.upgrade('app:new')",
    )
    new = process("app:new", "return env.get('wait') .. ' new'")
    async with node(world, old, new) as it:
        calling = asyncio.create_task(
            it.run("local v, err = process.exec('app:old', 'app:procs') return v or tostring(err)")
        )
        await it.until(lambda: world.begun == ["stubborn"])
        it.node.send(next(info.pid for info in it.node.processes() if info.entry == "app:old"), "go")
        await it.until(lambda: world.begun == ["stubborn", "wait"])
        world.go.set()
        assert await calling == "went on new"
        await it.until(lambda: left(it) == (0, 0))


async def test_a_unit_that_does_nothing_outside_has_nothing_to_show() -> None:
    world = Outer()
    async with node(world, process("app:idle", "process.inbox():receive()")) as it:
        pid = await it.spawn("app:idle")
        info = it.node.describe(pid)
        assert isinstance(info, ProcessInfo)
        assert (info.doing, info.operations) == ((), 0)
        assert it.node._system.table._actors[pid].outside is None


async def test_a_call_from_outside_that_is_given_up_cancels_what_its_function_does() -> None:
    world = Outer()
    async with node(world, lua("app:waits", "return env.get('wait')")) as it:
        calling = asyncio.create_task(it.node.call(CallRequest("app:waits")))
        await it.until(lambda: world.begun == ["wait"])
        calling.cancel()
        await it.until(lambda: world.cancelled == ["wait"])


def test_a_step_driver_carries_operations_out_and_closes_what_the_unit_holds() -> None:
    world = Outer()
    body = "local held = env.get('open a') local name = env.get('get ' .. held) process.inbox():receive() return name"
    source = f"return {{main = function() env = require('env') process = require('process') {body} end}}"
    driver = Driver.of_source(source, "process", asks=asks(None), operations=world.operations())
    assert world.begun == ["open a", "get 1"]
    assert world.closed == []
    driver.send("go")
    assert driver.value == "a"
    assert world.closed == ["a"]
    driver.close()  # nothing is left


def test_a_step_driver_leaves_operations_that_it_was_not_given_to_the_test() -> None:
    source = "return {main = function() return require('env').get('wait') end}"
    driver = Driver.of_source(source, asks=asks(None))
    command = driver.last()
    assert isinstance(command, Ask)
    driver.resolve(command, "answered")
    assert driver.value == "answered"
