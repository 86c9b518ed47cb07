"""Where the coroutines of a unit stand: told without touching anything that code could observe."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.lua import stacks
from engine.steps import KERNEL, Limits, Returned
from engine.testing import SECOND, Driver

VERSIONS = range(1, KERNEL + 1)


def main(text: str) -> str:
    """A unit whose main function is the text, with the usual modules at hand."""
    heads = " ".join(f'local {name} = require("{name}")' for name in ("funcs", "time", "channel"))
    return f"{heads}\nreturn {{ main = function(...)\n{text}\nend }}"


def coroutines(driver: Driver) -> list[dict[str, Any]]:
    """Those of the unit, main first."""
    found: list[dict[str, Any]] = driver.unit.stacks()["coroutines"]
    return found


def variables(coroutine: dict[str, Any], frame: int = 0, which: str = "locals") -> dict[str, Any]:
    """Its variables by name."""
    return {each["name"]: each["value"] for each in coroutine["frames"][frame][which]}


def kinds(coroutine: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What it waits for: how, kind, name."""
    return [(wait["does"], wait["kind"], wait["name"]) for wait in coroutine["waits"]]


@pytest.mark.parametrize("kernel", VERSIONS)
def test_each_coroutine_tells_where_it_stands_what_it_waits_for_and_since_when(kernel: int) -> None:
    source = main("""
        coroutine.spawn(function() time.sleep("1h") end)
        coroutine.spawn(function() channel.new(0):receive() end)
        coroutine.spawn(function() local answer = funcs.async("app:later"):response():receive() end)
        coroutine.spawn(function()
          channel.select { process.listen("go"):case_receive(), time.after("2h"):case_receive() }
        end)
        local order = ...
        local done = funcs.call("app:charge", order)
    """)
    driver = Driver.of_source(source, "workflow", ({"id": 17},), kernel=kernel)
    began = driver.world.now()
    first, sleeper, receiver, future, selecting = coroutines(driver)
    assert first["main"]
    assert (first["frames"][0]["entry"], first["frames"][0]["line"]) == ("test:unit", 11)
    assert kinds(first) == [("answer", "call", "app:charge")]
    assert first["waits"][0]["since"] == began
    assert kinds(sleeper) == [("sleep", "timer", "")]
    assert sleeper["waits"][0]["deadline"] == began + 3600 * SECOND
    assert kinds(receiver) == [("receive", "channel", "")]
    assert kinds(future) == [("receive", "call", "app:later")]
    assert kinds(selecting) == [("select", "topic", "go"), ("select", "timer", "")]
    assert variables(first)["order"] == {"t": "table", "items": [["id", 17]]}


@pytest.mark.parametrize("kernel", VERSIONS)
def test_a_coroutine_within_another_is_told_with_the_frames_of_both(kernel: int) -> None:
    source = main("""
        local function inner(n) local doubled = n * 2 coroutine.yield(1) funcs.call("app:inner", doubled) end
        local step = coroutine.wrap(function(n) inner(n) return 1 end)
        step(21)
        local last = step()
    """)
    (found,) = coroutines(Driver.of_source(source, "workflow", kernel=kernel))
    assert kinds(found) == [("answer", "call", "app:inner")]
    assert [frame["line"] for frame in found["frames"]] == [4, 5, 7]
    assert variables(found) == {"n": 21, "doubled": 42}


TRAPS = """
    local function trap() error("a trap ran") end
    local trapped = setmetatable({ a = 1 }, {
      __index = trap, __newindex = trap, __tostring = trap, __pairs = trap, __len = trap, __eq = trap, __lt = trap,
      __call = trap, __concat = trap, __name = "Trap",
    })
    local cycle = { name = "round" } cycle.self = cycle
"""


@pytest.mark.parametrize("kernel", VERSIONS)
def test_metatables_are_not_asked_and_cycles_end(kernel: int) -> None:
    driver = Driver.of_source(main(TRAPS + ' funcs.call("app:f") return trapped.b'), "workflow", kernel=kernel)
    found = variables(coroutines(driver)[0])
    assert found["trapped"] == {"t": "table", "class": "Trap", "items": [["a", 1]]}
    items = sorted(found["cycle"]["items"], key=str)
    assert items == [["name", "round"], ["self", {"t": "table", "cycle": True}]]


def test_values_are_exact_and_what_is_large_or_deep_is_cut_and_says_so() -> None:
    source = main("""
        local large, whole, nan = 9007199254740993, 2.0, 0/0
        local text, bytes = string.rep("x", 100000), "\\xff\\xfe"
        local many = {} for i = 1, 10000 do many[i] = i end
        local keyed = {} for i = 1, 100 do keyed["k" .. i] = i end
        local deep = {} local at = deep for i = 1, 50 do at.next = {} at = at.next end
        local err, f = errors.new("no stock"), function() end
        local at, span = time.unix(1700000000, 5), time.parse_duration("90s")
        funcs.call("app:f")
    """)
    found = variables(coroutines(Driver.of_source(source, "workflow"))[0])
    assert found["large"] == 9007199254740993
    assert json.dumps(found["whole"]) == "2.0"
    assert found["nan"] == {"t": "number", "text": "nan"}
    assert (found["text"]["size"], len(found["text"]["text"])) == (100000, 300)
    assert found["bytes"] == "\N{REPLACEMENT CHARACTER}" * 2
    assert (len(found["many"]["items"]), found["many"]["more"]) == (25, 1000)
    assert (len(found["keyed"]["items"]), found["keyed"]["more"]) == (25, 75)
    assert '"deeper": true' in json.dumps(found["deep"])
    assert found["err"] == {"t": "object", "class": "error", "text": "no stock"}
    assert found["f"] == {"t": "function", "entry": "test:unit", "line": 9}
    assert found["at"] == {"t": "object", "class": "time.Time", "sec": 1700000000, "nsec": 5}
    assert found["span"] == {"t": "object", "class": "time.Duration", "ns": 90 * SECOND}


def test_variables_of_functions_around_it_are_told_without_libraries() -> None:
    source = main('local order = ... coroutine.spawn(function() funcs.call("app:f", order) end) time.sleep("1h")')
    found = coroutines(Driver.of_source(source, "workflow", (5,)))[1]
    assert variables(found, which="upvalues") == {"order": 5}


def test_a_deep_stack_is_cut_and_tells_its_depth() -> None:
    source = main('local function down(n) if n == 0 then funcs.call("app:f") end local r = down(n - 1) end down(5000)')
    (found,) = coroutines(Driver.of_source(source, "workflow"))
    assert len(found["frames"]) == 40
    assert found["depth"] > 5000


def test_of_coroutines_at_one_place_some_are_told_and_the_others_counted() -> None:
    source = main('for i = 1, 400 do coroutine.spawn(function() local n = i time.sleep("1h") end) end time.sleep("2h")')
    told = Driver.of_source(source, "workflow").unit.stacks()
    assert told["total"] == 401
    assert [each["alike"] for each in told["coroutines"]] == [1, 400, 400, 400]


def test_an_answer_is_bounded_whatever_the_unit_holds() -> None:
    source = main("""
        local function wait(a, b, c, d) local e = { a, b, c, d } funcs.call("app:f") return e end
        local wide = {} for i = 1, 25 do wide[i] = string.rep("\\xff", 300) end
        local wider = {} for i = 1, 25 do wider[i] = wide end
        for i = 1, 2000 do
          local code = i
          coroutine.spawn(function() local copy = { wider, code } wait(wider, copy, wide, i) return copy end)
        end
        wait(wider, wider, wider, wider) return 1
    """)
    told = Driver.of_source(source, "workflow").unit.stacks()
    assert told["cut"]
    assert told["total"] == 2001
    assert len(json.dumps(told, ensure_ascii=False).encode()) <= stacks.MOST_BYTES


@pytest.mark.parametrize("kernel", VERSIONS)
def test_looking_changes_nothing_that_code_can_observe(kernel: int) -> None:
    source = main(
        TRAPS
        + """
        local seen = {}
        for round = 1, 3 do
          local t, keyed = {}, { b = 1, a = 2 }
          local answer = funcs.call("app:f", round)
          seen[#seen + 1] = tostring(t) .. tostring(function() end)
          for key in pairs(keyed) do seen[#seen + 1] = key end
          seen[#seen + 1] = math.random(1000)
          keyed.b = nil keyed.a = nil
          seen[#seen + 1] = keyed
        end
        return seen
    """
    )

    def outcome(*, looks: bool) -> tuple[Any, list[Any]]:
        driver = Driver.of_source(source, "workflow", kernel=kernel, limits=Limits(max_instructions=100_000))
        commands = []
        for seq in range(1, 4):
            if looks:
                assert driver.unit.stacks()["total"] == 1
            commands.append(driver.last())
            driver.resolve(seq, "ok")
        return driver.status, commands

    assert isinstance(outcome(looks=False)[0], Returned)
    assert outcome(looks=True) == outcome(looks=False)


def test_looking_needs_no_memory_of_the_unit() -> None:
    source = main('local full = string.rep("x", 1800000) funcs.call("app:f") return #full')
    driver = Driver.of_source(source, "workflow", limits=Limits(max_memory=4 << 20))
    for _ in range(20):
        assert driver.unit.stacks()["total"] == 1
    assert driver.resolve(1) == Returned(1800000)


def test_a_unit_that_has_not_begun_or_is_over_has_no_stacks() -> None:
    driver = Driver.of_source(main("return 1"), "workflow")
    assert driver.unit.stacks()["total"] == 0
    driver.unit.close()
    assert driver.unit.stacks() == stacks.EMPTY


def test_tables_that_look_like_the_kernels_own_are_read_raw() -> None:
    source = main(
        TRAPS
        + """
        local like = setmetatable({ receivers = {}, external = trapped }, getmetatable(trapped))
        local liar = { { channel = like }, trapped }
        pcall(function(list) funcs.call("app:f") end, liar)
    """
    )
    assert kinds(coroutines(Driver.of_source(source, "workflow"))[0]) == [("answer", "call", "app:f")]
