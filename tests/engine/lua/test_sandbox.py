"""What hostile or careless code tries on its host: to escape the limits, or to make a step raise."""

from __future__ import annotations

import pytest

from engine.steps import Limits, Value
from engine.testing import Driver


def driven(text: str, **options: object) -> Driver:
    return Driver.of_source(f"return {{main = function(...) {text} end}}", **options)  # type: ignore[arg-type]


def value(text: str) -> Value:
    return driven(text).value


def test_a_field_of_an_error_is_read_once_so_that_no_metamethod_runs_outside_the_limits() -> None:
    source = """
        local reads, trap = 0, setmetatable({}, {__concat = function() while true do end end})
        local spec = setmetatable({}, {__index = function(_, key)
            if key == "message" then reads = reads + 1 return reads == 1 and "x" or trap end
        end})
        return nil, errors.wrap(errors.new(spec), "ctx")
    """
    assert driven(source).failure.message == "ctx: x"


@pytest.mark.parametrize("wait", ["json.encode({})", "time.sleep('1s')", "channel.new(0):receive()"])
def test_waiting_in_the_text_of_a_raised_value_fails_the_unit_only(wait: str) -> None:
    source = f"error(setmetatable({{}}, {{__tostring = function() {wait} return 'text' end}}))"
    assert driven(source).failure.kind == "Internal"


@pytest.mark.parametrize("wait", ["json.encode({i})", "process.send('x', 't')", "ch:receive()", "ch:send(1)"])
def test_waiting_under_a_native_call_is_an_error_that_leaves_nothing_behind(wait: str) -> None:
    source = f"""
        local ch = channel.new(0)
        local proxy = setmetatable({{}}, {{__index = function(_, i) return {wait} end}})
        local ok, why = pcall(function() for _ in ipairs(proxy) do end end)
        coroutine.spawn(function() ch:send("kept") end)
        return {{ok, why, (ch:receive())}}
    """
    driver = driven(source)
    assert driver.value == [False, "attempt to yield across a C-call boundary", "kept"]
    assert driver.commands == []


def test_short_coroutines_count_against_the_instructions_of_a_step() -> None:
    source = "for i = 1, 1000 do coroutine.wrap(function() for j = 1, 2500 do end end)() end"
    limits = Limits(max_instructions=2_000_000)
    assert driven(source, limits=limits).failure.kind == "LimitExceeded"


def test_coroutines_within_the_limit_may_be_many() -> None:
    source = "for i = 1, 1000 do coroutine.wrap(function() end)() end return 1"
    assert driven(source, limits=Limits(max_instructions=1_000_000)).value == 1


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ("{['$ref'] = '#'}", "Invalid"),
        ("{['$ref'] = '#/nope'}", "Invalid"),
        ("{['$ref'] = 'file:///etc/hostname'}", "Invalid"),
        ("{['$schema'] = {}}", "Invalid"),
        ("{type = 'string', pattern = '^(a+)+$'}", "Invalid"),
    ],
)
def test_a_hostile_schema_is_an_error_of_its_caller(schema: str, kind: str) -> None:
    source = f"local ok, err = json.validate({schema}, string.rep('a', 60) .. '!') return {{ok, err:kind()}}"
    assert value(source) == [False, kind]


def test_an_integer_of_any_length_arrives_as_lua_would_read_it() -> None:
    assert value("return (json.decode('1' .. string.rep('0', 400)))") == float("inf")
    assert driven("return ...", args=(-(10**400),)).value == float("-inf")


def test_a_text_that_would_fill_pythons_memory_is_not_decoded() -> None:
    source = "local v, err = json.decode('[' .. string.rep('[],', 2000000) .. '1]') return {v == nil, tostring(err)}"
    assert value(source) == [True, "json.decode: more than 524288 values"]


def nested(depth: int) -> Value:
    found: Value = 1
    for _ in range(depth):
        found = [found]
    return found


def test_a_message_nested_too_deeply_arrives_as_an_error() -> None:
    driver = driven("local m = process.inbox():receive() return {m:topic(), tostring(m:payload():data())}")
    driver.send("t", nested(300))
    assert driver.value[0] == "t"
    assert "nested deeper" in driver.value[1]


def test_an_answer_nested_too_deeply_is_an_error_of_the_call() -> None:
    driver = driven("local v, err = funcs.call('a:b') return {v == nil, err:kind()}")
    driver.resolve(driver.last(), nested(300))
    assert driver.value == [True, "Invalid"]


@pytest.mark.parametrize("limit", range(400_000, 403_000, 37))
def test_a_limit_that_strikes_while_a_record_is_written_leaves_whole_records(limit: int) -> None:
    source = "local t = {} for i = 1, 40 do t[i] = {a = i} end while true do json.encode(t) end"
    assert driven(source, limits=Limits(max_instructions=limit)).failure.kind == "LimitExceeded"


@pytest.mark.parametrize("limit", range(700_000, 760_000, 3_000))
def test_memory_that_ends_while_a_record_is_written_leaves_whole_records(limit: int) -> None:
    source = "local t = {} for i = 1, 40 do t[i] = {a = i} end while true do funcs.async('a:b', t) end"
    assert driven(source, limits=Limits(max_memory=limit)).failure.kind == "LimitExceeded"


def test_a_long_layout_takes_linear_time() -> None:
    source = "local text = string.rep('_', 500000) return tostring(time.parse(text, text))"
    assert driven(source, limits=Limits(max_instructions=2_000_000_000)).status is not None
