"""What a body does, and the outcome that a caller sees (docs/lua.md#results-and-errors)."""

from __future__ import annotations

import pytest

from engine.errors import Failure
from engine.steps import Failed, Limits, Returned
from engine.testing import Driver


def body(text: str) -> str:
    return f"return {{main = function(...) {text} end}}"


def test_a_returned_value_is_the_result() -> None:
    assert Driver.of_source(body("return {1, 2, name = 'x'}")).value == {1: 1, 2: 2, "name": "x"}


def test_only_the_first_value_survives() -> None:
    assert Driver.of_source(body("return 1, 2, 3")).value == 1


def test_falling_off_the_end_returns_nothing() -> None:
    assert Driver.of_source(body("")).value is None


def test_a_string_as_second_value_is_a_failure_even_beside_a_value() -> None:
    failure = Driver.of_source(body("return 1, 'no stock'")).failure
    assert (failure.kind, failure.message, failure.retryable) == ("Internal", "no stock", False)


def test_an_error_object_as_second_value_keeps_its_fields() -> None:
    source = body("return nil, errors.new{message='gone', kind=errors.NOT_FOUND, retryable=true, details={id=7}}")
    failure = Driver.of_source(source).failure
    assert (failure.kind, failure.message, failure.retryable) == ("NotFound", "gone", True)
    assert failure.details == {"id": 7}


def test_a_raised_text_carries_its_position() -> None:
    failure = Driver.of_source("return {main = function()\n  error('boom')\nend}").failure
    assert (failure.kind, failure.message, failure.retryable) == ("Internal", "test:unit:2: boom", None)
    assert "test:unit:2" in failure.stack


def test_a_raised_error_object_keeps_its_fields() -> None:
    failure = Driver.of_source(body("error(errors.new{message='later', kind='Unavailable', retryable=false})")).failure
    assert (failure.kind, failure.message, failure.retryable) == ("Unavailable", "later", False)


def test_a_raised_table_is_stringified() -> None:
    source = body("error(setmetatable({}, {__tostring = function() return 'odd' end}))")
    assert Driver.of_source(source).failure == Failure(
        "Internal", "odd", None, {}, Driver.of_source(source).failure.stack
    )


def test_a_failing_tostring_of_a_raised_table_does_no_harm() -> None:
    source = body("error(setmetatable({}, {__tostring = function() error('worse') end}))")
    assert Driver.of_source(source).failure.kind == "Internal"


def test_a_spawned_coroutine_that_raises_fails_the_unit() -> None:
    source = body("coroutine.spawn(function() error('child') end) process.inbox():receive()")
    assert "child" in Driver.of_source(source).failure.message


def test_coroutines_still_running_end_with_main() -> None:
    source = body("coroutine.spawn(function() channel.new():receive() end) return 'done'")
    assert Driver.of_source(source).value == "done"


def test_blocked_for_ever_is_a_failure() -> None:
    failure = Driver.of_source(body("channel.new():receive()")).failure
    assert failure.message == "all coroutines blocked with no pending operations"


def test_waiting_for_the_inbox_is_not_blocked_for_ever() -> None:
    assert Driver.of_source(body("process.inbox():receive()")).waiting


def test_a_function_chunk_is_its_own_method() -> None:
    assert Driver.of_source("return function(n) return n + 1 end", args=(1,)).value == 2


def test_a_missing_method_is_not_found() -> None:
    failure = Driver.of_source("return {other = function() end}").failure
    assert (failure.kind, failure.retryable) == ("NotFound", False)
    assert failure.message.startswith('method "main" not found in module test:unit: its source')
    before = Driver.of_source("return {other = function() end}", kernel=1).failure
    assert before.message == 'method "main" not found in module'


def test_a_module_that_is_not_listed_is_named_with_where_to_list_it() -> None:
    body = "return {main = function() return select(2, pcall(require, 'fs')) end}"
    assert str(Driver.of_source(body).value).endswith("'fs' not found: list it in `modules` or `imports` of test:unit")
    assert str(Driver.of_source(body, kernel=1).value).endswith("'fs' not found")


def test_broken_lua_names_the_entry_and_the_line() -> None:
    failure = Driver.of_source("local a = 1\nlocal b = = 2").failure
    assert failure.kind == "Invalid"
    assert failure.message.startswith("test:unit:2: ")


@pytest.mark.parametrize(
    ("value", "back"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (1.5, 1.5),
        ("é\n", "é\n"),
        (b"\xff\x00", b"\xff\x00"),
        ([1, [2]], [1, [2]]),
        ({"a": {"b": [None, 1]}}, {"a": {"b": {2: 1}}}),
        ({}, {}),
        ([], []),
        ({"a": {}, "b": []}, {"a": {}, "b": []}),
        (2**63 - 1, 2**63 - 1),
        (2**70, float(2**70)),
    ],
)
def test_values_cross_both_ways(value: object, back: object) -> None:
    result = Driver.of_source(body("return (...)"), args=(value,)).value
    assert result == back
    assert type(result) is type(back)


def test_nil_arguments_keep_their_places() -> None:
    assert Driver.of_source(body("return select('#', ...)"), args=(None, 1, None)).value == 3


def test_shared_tables_are_copied_not_corrupted() -> None:
    assert Driver.of_source(body("local a = {x = 1} return {a, a}")).value == [{"x": 1}, {"x": 1}]


def test_a_cycle_is_refused_with_a_reason() -> None:
    failure = Driver.of_source(body("local t = {} t.me = t return t")).failure
    assert failure.kind == "Invalid"
    assert "cyclic" in failure.message


def test_functions_and_channels_cross_as_nothing() -> None:
    assert Driver.of_source(body("return {1, f = print, c = channel.new()}")).value == {1: 1}


def test_an_argument_too_deep_is_refused_before_lua_runs() -> None:
    deep: list[object] = []
    for _ in range(400):
        deep = [deep]
    assert Driver.of_source(body("return 1"), args=(deep,)).failure.kind == "Invalid"


LIMITS = Limits(max_memory=8 << 20, max_instructions=2_000_000)


@pytest.mark.parametrize(
    "text",
    [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do pcall(error, 'x') end",
        "while true do xpcall(error, function() while true do end end) end",
        "while true do coroutine.wrap(function() while true do pcall(error) end end)() end",
        "coroutine.spawn(function() while true do end end) process.inbox():receive()",
        (
            "setmetatable({}, {__index = function(t, k) return t[k + 1] end}).x = nil; while true do "
            "local _ = ('x'):rep(10) end"
        ),
        "local t = setmetatable({}, {__tostring = function() while true do end end}) error(t)",
        "table.sort({3, 2, 1, 5, 4}, function() while true do end end)",
        "string.gsub('aaaa', 'a', function() while true do end end)",
        "string.find(string.rep('a', 5000), '.-.-.-.-b')",
        "goto again ::again:: goto again",
    ],
)
def test_an_endless_loop_fails_the_unit_whatever_it_catches(text: str) -> None:
    failure = Driver.of_source(body(text), limits=LIMITS).failure
    assert failure.kind == "LimitExceeded"
    assert "instruction limit" in failure.message
    assert failure.retryable is False


@pytest.mark.parametrize(
    "text",
    [
        "local t = {} while true do t[#t + 1] = ('x'):rep(10000) .. #t end",
        "local t = {} while true do pcall(function() while true do t[#t + 1] = ('x'):rep(10000) .. #t end end) end",
        "local s = 'x' while true do s = s .. s end",
        "local t = {} for i = 1, 1e9 do t[i] = coroutine.create(function() end) end",
    ],
)
def test_a_memory_bomb_fails_the_unit_whatever_it_catches(text: str) -> None:
    status = Driver.of_source(body(text), limits=Limits(max_memory=8 << 20, max_instructions=200_000_000)).status
    assert isinstance(status, Failed)
    assert status.failure.kind == "LimitExceeded"


def test_big_input_into_a_small_state_fails_the_unit_only() -> None:
    driver = Driver.of_source(body("return #(...)"), args=("x" * (16 << 20),), limits=LIMITS)
    assert driver.failure.kind == "LimitExceeded"
    assert isinstance(Driver.of_source(body("return 1")).status, Returned)


def test_the_budget_starts_afresh_with_each_step() -> None:
    source = body(
        "for i = 1, 20 do local n = 0 for j = 1, 200000 do n = n + j end require('time').sleep('1s') end return 'ok'"
    )
    driver = Driver.of_source(source, limits=LIMITS)
    driver.advance(30)
    assert driver.value == "ok"
