"""Wrong arguments and odd values are told as plain Lua 5.4 tells them, in the kernel of now."""

from __future__ import annotations

import pytest

from engine.steps import Value
from engine.testing import Driver

KINDS = ("function", "process", "workflow")
ODD = "setmetatable({1, 2}, {__len = function() return 'x' end})"
NO_THREAD = "thread expected, got no value"
PASSED = "return select(2, pcall(coroutine.close))"
BEFORE_ONE = "setmetatable({1, 2}, {__len = function() return -1 end})"


def told(body: str, kind: str = "function", kernel: int = 2) -> Value:
    """The results of the body, or its error without the place."""
    source = f"""
    local function first(ok, ...)
      if ok then return {{...}} end
      return (tostring((...)):gsub("^test:unit:%d+: ", ""))
    end
    return function() return first(pcall(function() {body} end)) end
    """
    return Driver.of_source(source, kind, kernel=kernel).value


def argument(index: int, name: str, what: str) -> str:
    return f"bad argument #{index} to '{name}' ({what})"


@pytest.mark.parametrize(
    ("body", "now", "before"),
    [
        ("table.sort(nil)", argument(1, "sort", "table expected, got nil"), "got no value"),
        ("table.sort()", argument(1, "sort", "table expected, got no value"), "got no value"),
        ("rawset(nil, 1, 2)", argument(1, "rawset", "table expected, got nil"), "got no value"),
        ("rawget({})", argument(2, "rawget", "value expected"), []),
        ("setmetatable(nil, {})", argument(1, "setmetatable", "table expected, got nil"), "got no value"),
        ("next(nil)", argument(1, "next", "table expected, got nil"), "got no value"),
        ("next()", argument(1, "next", "table expected, got no value"), "got no value"),
        ("pairs()", argument(1, "pairs", "value expected"), "got no value"),
        ("return select('#', pairs(nil))", [3], "got no value"),
        ("for _ in pairs(nil) do end", argument(1, "for iterator", "table expected, got nil"), "got no value"),
        ("for _ in ipairs(nil) do end", "attempt to index a nil value", "got no value"),
        ("string.find('x')", argument(2, "find", "string expected, got no value"), "got nil"),
        ("string.sub()", argument(1, "sub", "string expected, got no value"), "got nil"),
        ("string.sub(nil)", argument(1, "sub", "string expected, got nil"), "got nil"),
        ("string.sub('x')", argument(2, "sub", "number expected, got no value"), "got nil"),
        ("string.sub('x', nil, 1)", argument(2, "sub", "number expected, got nil"), "got nil"),
        ("string.byte()", argument(1, "byte", "string expected, got no value"), "got nil"),
        ("string.byte(nil)", argument(1, "byte", "string expected, got nil"), "got nil"),
        ("return ('x'):byte(nil)", [120], [120]),
        ("string.rep('x')", argument(2, "rep", "number expected, got no value"), "got nil"),
        ("string.rep('x', nil)", argument(2, "rep", "number expected, got nil"), "got nil"),
        ("string.format(nil, nil)", argument(1, "format", "string expected, got nil"), "got no value"),
        ("table.unpack()", "attempt to get length of a nil value", "got no value"),
        ("table.unpack(1)", "attempt to get length of a number value", "table expected, got number"),
        ("table.move()", argument(2, "move", "number expected, got no value"), "table expected"),
        ("table.move('x')", argument(2, "move", "number expected, got no value"), "table expected"),
        ("coroutine.close()", argument(1, "close", NO_THREAD), argument(1, "close", NO_THREAD)),
        (PASSED, [argument(1, "close", NO_THREAD)], [argument(1, "coroutine.close", NO_THREAD)]),
        ("coroutine.wrap(12)", argument(1, "wrap", "function expected, got number"), "'create' (function expected)"),
        ("coroutine.resume()", argument(1, "resume", "thread expected, got no value"), "(coroutine expected)"),
        ("xpcall({}, nil)", argument(2, "xpcall", "function expected, got nil"), "attempt to call a nil value"),
        ("xpcall({})", argument(2, "xpcall", "function expected, got no value"), "attempt to call a nil value"),
        ("pcall()", argument(1, "pcall", "value expected"), []),
        ("assert()", argument(1, "assert", "value expected"), "assertion failed!"),
        (f"table.sort({ODD})", "object length is not an integer", "attempt to compare"),
        (f"table.insert({ODD}, 1)", "object length is not an integer", "attempt to add"),
        (f"table.concat({ODD})", "object length is not an integer", "'for' limit"),
        (f"table.unpack({ODD})", "object length is not an integer", "#3 to 'unpack' (number expected, got string)"),
        (f"return table.remove({BEFORE_ONE}, 1)", [1], [1]),
        (f"return table.remove({BEFORE_ONE}, 6)", [], []),
        ("return ('abc'):gsub('(a', 'z')", ["zbc", 1], "unfinished capture"),
        ("return ('abc'):gsub('(a)(b', '<%1>')", ["<a>c", 1], "unfinished capture"),
        ("return ('abc'):gsub('(a)(b', '%2')", "unfinished capture", "unfinished capture"),
        ("return ('abc'):gsub('(a', '%')", "invalid use of '%' in replacement string", "unfinished capture"),
        ("tostring(setmetatable({}, {__tostring = false}))", "attempt to call a boolean value", []),
        ("return ('%.3p'):format(1)", "invalid conversion specification: '%.3p'", ["(nu"]),
        ("return ('%+p'):format({})", "invalid conversion specification: '%+p'", "'%+s'"),
        ("return ('%10p|'):format(nil)", ["    (null)|"], ["    (null)|"]),
        ("local p = ('%p'):format('a') return p == ('%p'):format('a'), p == '(null)'", [True, False], [True, True]),
    ],
)  # fmt: skip
def test_odd_calls_are_told_as_in_lua_and_runs_begun_before_keep_their_answers(
    body: str, now: Value, before: Value
) -> None:
    assert told(body) == now
    was = told(body, "workflow", kernel=1)
    assert before in was if isinstance(before, str) and isinstance(was, str) else before == was


UNKNOWN = ("next({}, 'x')", "next({1, 2}, 7)", "next({}, math.mininteger)", "next({a = 1}, {})")


@pytest.mark.parametrize("body", UNKNOWN)
@pytest.mark.parametrize("kind", ["function", "process"])
def test_next_refuses_a_key_that_was_never_there(body: str, kind: str) -> None:
    assert told(f"return {body}", kind) == "invalid key to 'next'"


@pytest.mark.parametrize("body", UNKNOWN[:3])
def test_next_takes_any_key_for_a_cleared_one_in_workflows_and_runs_begun_before(body: str) -> None:
    assert told(f"return ({body})", "workflow") == told(f"return ({body})", kernel=1) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("walk", ["pairs(t)", "next, t"])
def test_next_goes_on_after_a_key_that_a_walk_cleared(kind: str, walk: str) -> None:
    body = f"""
    local t, followed = {{a = 1, b = 2, c = 3, [1] = 4, [7] = 5}}, 0
    for key in {walk} do
      t[key] = nil
      for _ in next, t do end
      if next(t, key) ~= nil then followed = followed + 1 end
    end
    return followed, next(t)
    """
    assert told(body, kind) == [4]


@pytest.mark.parametrize("kind", KINDS)
def test_no_place_of_the_kernel_shows(kind: str) -> None:
    compares = "table.sort({1, 2, 3}, function(a, b) return a end, 1) return 1"
    assert told(compares, kind) == [1]
    bad = "setmetatable({}, {__lt = 5}), setmetatable({}, {__lt = 5})"
    uncaught = Driver.of_source(f"return function() table.sort({{{bad}}}) end", kind).failure.message
    for shown in (
        told(f"table.sort({{{bad}}})", kind),
        told(f"return select(2, xpcall(table.sort, function(e) return e end, {{{bad}}}))", kind),
        told(f"return select(2, coroutine.resume(coroutine.create(table.sort), {{{bad}}}))", kind),
        told(f"coroutine.wrap(table.sort)({{{bad}}})", kind),
        uncaught,
    ):
        assert "attempt to call a number value" in str(shown)
        assert "?:-1" not in str(shown)


@pytest.mark.parametrize("kind", KINDS)
def test_coroutines_of_wrap_nest_as_deep_as_in_lua(kind: str) -> None:
    nest = "local function f(n) if n == 0 then return 0 end return 1 + coroutine.wrap(f)(n - 1) end"
    assert told(f"{nest} return f(190)", kind) == [190]
    assert "C stack overflow" in str(told(f"{nest} return f(250)", kind))
