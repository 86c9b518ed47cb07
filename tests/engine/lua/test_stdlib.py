"""The standard library of user code: Lua's own behaviour, made deterministic, bounded and closed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.lua.stdlib_state import LuaFailure, StdlibState


@pytest.fixture
def state() -> StdlibState:
    return StdlibState()


def fails(state: StdlibState, source: str) -> str:
    with pytest.raises(LuaFailure) as caught:
        state.run(source)
    return str(caught.value)


# --- pairs and next ---------------------------------------------------------------------------

MIXED = "{30, 20, 10, b = 1, a = 2, [2.5] = 3, [-1] = 4, [7] = 5, [true] = 6, [false] = 7, Z = 8}"
IN_ORDER = "1 2 3 -1 2.5 7 Z a b false true"
WALKS = {
    "pairs": "for k in pairs(t) do o[#o + 1] = tostring(k) end",
    "next": "local k = next(t) while k ~= nil do o[#o + 1] = tostring(k) k = next(t, k) end",
    "for in next": "for k in next, t do o[#o + 1] = tostring(k) end",
}


@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)
def test_keys_come_in_one_fixed_order(state: StdlibState, walk: str) -> None:
    assert state.run(f"local t, o = {MIXED}, {{}} {walk} return table.concat(o, ' ')") == IN_ORDER


@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)
def test_order_does_not_depend_on_how_a_table_was_filled(state: StdlibState, walk: str) -> None:
    source = f"local t = {{}} for i = 40, 1, -1 do t[i] = i t['k' .. i] = i end local o = {{}} {walk} return o"
    keys = list(state.run(source).values())
    assert keys == [str(i) for i in range(1, 41)] + sorted(f"k{i}" for i in range(1, 41))


@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)
def test_fields_may_be_cleared_and_changed_while_walking(state: StdlibState, walk: str) -> None:
    clearing = walk.replace("o[#o", "t[k] = nil t.b = t.b and 9 o[#o")
    source = f"local t, o = {MIXED}, {{}} {clearing} return table.concat(o, ' '), next(t)"
    assert state.run(source) == (IN_ORDER, None)


def test_a_field_cleared_ahead_is_not_visited(state: StdlibState) -> None:
    assert state.run("local t, n = {a = 1, b = 2, c = 3}, 0 for k in pairs(t) do t.b = nil n = n + 1 end return n") == 2


def test_two_walks_of_one_table_by_next_do_not_disturb_each_other(state: StdlibState) -> None:
    source = """
    local t, o = {a = 1, b = 2, c = 3}, {}
    for x in next, t do for y in next, t do o[#o + 1] = x .. y end end
    return table.concat(o, " ")"""
    assert state.run(source) == "aa ab ac ba bb bc ca cb cc"


def test_a_queue_can_be_drained_and_refilled_by_next(state: StdlibState) -> None:
    source = """
    local t, seen = {c = 1, d = 1}, {}
    for i = 1, 6 do
      local k = next(t)
      if i == 2 then t.a = 1 end
      if k then seen[#seen + 1] = k t[k] = nil end
    end
    return table.concat(seen, " "), next(t)"""
    assert state.run(source) == ("c d a", None)


@pytest.mark.parametrize("key", ["{}", "print or function() end", "coroutine.create(function() end)"])
def test_a_workflow_refuses_to_walk_keys_without_an_order(key: str) -> None:
    source = f"local t = {{[{key}] = 1, x = 2}} for k in pairs(t) do end"
    assert "no deterministic order" in fails(StdlibState(is_workflow=True), source)
    assert StdlibState(is_workflow=False).run(source + " return 'fine'") == "fine"


def test_keys_without_an_order_come_last_outside_workflows() -> None:
    source = "local o = {} for k in pairs({[{}] = 1, x = 2, 3}) do o[#o + 1] = type(k) end return table.concat(o, ' ')"
    assert StdlibState(is_workflow=False).run(source) == "number string table"


def test_pairs_honours_its_metamethod(state: StdlibState) -> None:
    assert state.run(
        "for k, v in pairs(setmetatable({}, {__pairs = function() return next, {7} end})) do return k, v end"
    ) == (1, 7)


def test_pairs_ignores_index_and_sees_raw_fields(state: StdlibState) -> None:
    source = (
        "local n = 0 for k in pairs(setmetatable({1}, {__index = function() return 1 end})) do n = n + 1 end return n"
    )
    assert state.run(source) == 1


@pytest.mark.parametrize(
    "call", ["pairs(o)(o)", "next(o)", "ipairs(o)", "rawget(o, 1)", "rawset(o, 1, 2)", "setmetatable(o, {})"]
)
def test_kernel_objects_are_refused_like_userdata(state: StdlibState, call: str) -> None:
    assert "table expected, got userdata" in fails(state, f"local o = object('x') local _ = {call}")


@pytest.mark.parametrize(
    "call",
    ["insert(o, 1)", "remove(o)", "concat(o)", "sort(o)", "unpack(o)", "move(o, 1, 2, 3)", "move({}, 1, 2, 3, o)"],
)
def test_the_table_library_refuses_kernel_objects(state: StdlibState, call: str) -> None:
    assert "table expected, got userdata" in fails(state, f"local o = object('x') local _ = table.{call}")


_keys = st.one_of(st.integers(-5, 12), st.floats(-3, 3, width=16), st.text("abz", max_size=2), st.booleans())


def _lua_key(key: Any) -> str:
    return f'"{key}"' if isinstance(key, str) else str(key).lower()


@settings(max_examples=150, deadline=None)
@given(st.lists(_keys, max_size=14))
def test_pairs_and_next_agree_and_visit_each_key_once(keys: list[Any]) -> None:
    fill = " ".join(f"t[{_lua_key(key)}] = 1" for key in keys)
    walks = (f"local t, o = {{}}, {{}} {fill} {walk} return table.concat(o, ' ')" for walk in WALKS.values())
    by_pairs, *others = (_SHARED.run(walk) for walk in walks)
    assert all(other == by_pairs for other in others)
    assert len(by_pairs.split(" ")) >= len({k for k in keys if not isinstance(k, bool) and k != ""})


_SHARED = StdlibState()

# --- values -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("10 / 2", "5"),
        ("-0.0", "0"),
        ("0.1", "0.1"),
        ("1 / 3", "0.3333333333333333"),
        ("2 ^ 53", "9007199254740992"),
        ("1e300", "1e+300"),
        ("1 / 0", "inf"),
        ("-1 / 0", "-inf"),
        ("0 / 0", "nan"),
        ("7", "7"),
        ("nil", "nil"),
        ("true", "true"),
        ("setmetatable({}, {__tostring = function() return 'me' end})", "me"),
        ("setmetatable({}, {__name = 'Point'})", "Point: 0x0000000001"),
        ("{}", "table: 0x0000000001"),
        ("function() end", "function: 0x0000000001"),
        ("object('an error')", "an error"),
    ],
)
def test_tostring_is_the_same_in_every_run(state: StdlibState, value: str, text: str) -> None:
    assert state.run(f"return tostring({value})") == text
    assert StdlibState().run(f"return string.format('%s', {value})") == text


@given(st.floats(allow_nan=False))
@settings(max_examples=200, deadline=None)
def test_floats_print_in_the_shortest_form_that_reads_back(value: float) -> None:
    assert (
        _SHARED.run(f"local x = {value.hex()} return tonumber(tostring(x)) == x")
        if abs(value) != float("inf")
        else True
    )


def test_identities_are_numbered_by_first_use(state: StdlibState) -> None:
    source = "local a, b = {}, print or {} return tostring(b), tostring(a), tostring(b), ('%p'):format(a)"
    assert state.run(source) == (
        "table: 0x0000000001",
        "table: 0x0000000002",
        "table: 0x0000000001",
        "0x0000000002",
    )


def test_kernel_objects_are_userdata_and_count_as_strings(state: StdlibState) -> None:
    source = """
    local e = object("it was not found")
    return type(e), string.find(e, "not found"), string.upper(e), string.format("%s!", e), e .. "?",
      #string.rep(e, 2)"""
    assert state.run(source) == ("userdata", 8, "IT WAS NOT FOUND", "it was not found!", "it was not found?", 32)


@pytest.mark.parametrize("field", ["__gc", "__mode"])
def test_metatables_that_depend_on_the_collector_are_refused(state: StdlibState, field: str) -> None:
    assert "not deterministic" in fails(state, f"setmetatable({{}}, {{{field} = 'k'}})")


def test_protected_metatables_stay(state: StdlibState) -> None:
    assert state.run("return getmetatable(setmetatable({}, {__metatable = 'no'}))") == "no"
    assert "protected metatable" in fails(state, "setmetatable(setmetatable({}, {__metatable = 1}), {})")
    assert "protected metatable" in fails(state, "setmetatable(string, {})")


def test_string_can_be_called_as_a_cast(state: StdlibState) -> None:
    assert state.run("return string('a')") == "a"
    assert "string expected, got number" in fails(state, "local s = string(1)")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("string.rep()", "user:1: bad argument #1 to 'rep' (string expected, got no value)"),
        ("('x'):rep({})", "user:1: bad argument #2 to 'rep' (number expected, got table)"),
        ("string.find('a', '[a')", "user:1: malformed pattern (missing ']')"),
        ("string.gsub('a', 'a', '%2')", "user:1: invalid capture index %2"),
        ("string.gsub('a', 'a', function() return {} end)", "user:1: invalid replacement value (a table)"),
        ("string.format('%d', 'x')", "user:1: bad argument #2 to 'format' (number expected, got string)"),
        ("table.concat({1, {}})", "user:1: invalid value (table) at index 2 in table for 'concat'"),
        ("table.insert({}, 5, 1)", "user:1: bad argument #2 to 'insert' (position out of bounds)"),
        ("table.insert(1, 2)", "user:1: bad argument #1 to 'insert' (table expected, got number)"),
        ("math.sinh({})", "user:1: bad argument #1 to 'sinh' (number expected, got table)"),
        ("setmetatable(1, {})", "user:1: bad argument #1 to 'setmetatable' (table expected, got number)"),
        ("pairs()", "user:1: bad argument #1 to 'pairs' (value expected)"),
        ("math.random(0, -1)", "user:1: bad argument #1 to 'random' (interval is empty)"),
        ("os.time({month = 1.5})", "user:1: field 'month' is not an integer"),
        ("os.date('%Ez')", "user:1: bad argument #1 to 'date' (invalid conversion specifier '%Ez')"),
        ("assert(false, 'boom')", "boom"),
        ("error('boom')", "user:1: boom"),
        ("error('boom', 0)", "boom"),
    ],
)
def test_errors_name_the_users_line(state: StdlibState, call: str, message: str) -> None:
    assert fails(state, f"local x = {call}") == message


# --- tables -----------------------------------------------------------------------------------


def test_sort_is_stable_and_its_comparator_may_yield(state: StdlibState) -> None:
    source = """
    local list = {}
    for i = 1, 500 do list[i] = {key = i * 7 % 10, at = i} end
    local sorting = coroutine.wrap(function()
      table.sort(list, function(a, b) coroutine.yield("step") return a.key < b.key end)
      return "done"
    end)
    local steps = 0
    while sorting() == "step" do steps = steps + 1 end
    for i = 2, 500 do
      local a, b = list[i - 1], list[i]
      if a.key > b.key or a.key == b.key and a.at > b.at then return "unstable" end
    end
    return steps > 1000 and "stable" """
    assert state.run(source) == "stable"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-50, 50), max_size=60))
def test_sort_sorts(values: list[int]) -> None:
    listed = ", ".join(map(str, values))
    result = _SHARED.run(f"local t = {{{listed}}} table.sort(t) return table.concat(t, ' ')")
    assert result == " ".join(map(str, sorted(values)))
    result = _SHARED.run(
        f"local t = {{{listed}}} table.sort(t, function(a, b) return a > b end) return table.concat(t, ' ')"
    )
    assert result == " ".join(map(str, sorted(values, reverse=True)))


@pytest.mark.parametrize(
    ("list_", "message"),
    [
        ("{1, 'a'}", "attempt to compare string with number"),
        ("{{}, {}}", "attempt to compare two table values"),
        ("{1, {}}", "attempt to compare table with number"),
        ("{true, false}", "attempt to compare two boolean values"),
    ],
)
def test_sort_refuses_what_has_no_order(state: StdlibState, list_: str, message: str) -> None:
    assert fails(state, f"table.sort({list_})") == f"user:1: {message}"


def test_the_extra_names_of_the_dialect_are_there(state: StdlibState) -> None:
    source = """
    return unpack({1, 2}), table.getn({1, 2}), table.maxn({1, [9] = 1}), #table.create(4, 4), math.pow(2, 3),
      math.log10(1000), math.ldexp(0.5, 4), math.frexp(8), math.atan2(0, 1), os.platform"""
    assert state.run(source) == (1, 2, 9, 0, 8.0, 3.0, 8.0, 0.5, 0.0, "wippy")


def test_an_immutable_table_reads_like_before_and_refuses_writes(state: StdlibState) -> None:
    source = """
    local class = {__index = {hello = function(self) return "hello " .. self.name end}}
    local t = setmetatable({1, 2, name = "me"}, class)
    local same = table.make_immutable(t)
    local n = 0
    for k, v in pairs(t) do n = n + 1 end
    return same == t, n, #t, t:hello(), rawget(t, "name"), table.is_immutable(t), table.is_immutable({}),
      (select(2, pcall(function() t.x = 1 end))), (pcall(rawset, t, "x", 1)), (pcall(table.insert, t, 1)), next(t)"""
    assert state.run(source) == (
        True, 3, 2, "hello me", "me", True, False, "user:8: attempt to modify a read-only table", False, False, 1, 1,
    )  # fmt: skip


# --- math and os ------------------------------------------------------------------------------


def test_random_numbers_follow_the_hosts_seed() -> None:
    draw = "return math.random(1, 1000), math.random(1, 1000), math.random()"
    assert StdlibState().run(draw) == StdlibState().run(draw)
    again = "local a = math.random(1e9) math.random() math.randomseed() return a == math.random(1e9)"
    assert StdlibState().run(again) is True


def test_time_is_the_hosts_and_the_hour_defaults_to_zero(state: StdlibState) -> None:
    assert state.run("return os.time(), os.clock()") == (1700000000, 0.0)
    state.kernel.clock += 1_500_000_000
    assert state.run("return os.time(), os.clock()") == (1700000001, 1.5)
    assert state.run("return os.time{year=2024, month=2, day=29}") == 1709164800
    assert state.run("return os.time{year=2023, month=14, day=-1, hour=25}") == 1706662800


@settings(max_examples=100, deadline=None)
@given(st.integers(-62135596800, 253402300799))
def test_dates_and_times_are_inverse(seconds: int) -> None:
    assert _SHARED.run(f"return os.time(os.date('*t', {seconds}))") == seconds


def test_dates_are_utc(state: StdlibState) -> None:
    assert state.run("return os.date('%Y-%m-%d %H:%M:%S', 0), os.date('!%H', 3600), os.date('*t', 86400).day") == (
        "1970-01-01 00:00:00",
        "01",
        2,
    )


# --- the sandbox ------------------------------------------------------------------------------


def test_globals_are_exactly_these(state: StdlibState) -> None:
    expected = """_VERSION assert error getmetatable ipairs math next os package pairs rawequal rawget rawset select
    setmetatable string table tonumber tostring type unpack"""
    assert sorted(state.kernel.std) == expected.split()


@pytest.mark.parametrize("name", ["dump"])
def test_dangerous_string_functions_are_absent(state: StdlibState, name: str) -> None:
    assert state.run(f"return string.{name}, ('').{name}, rawget(string, '{name}')") == (None, None, None)


def test_os_holds_nothing_of_the_machine(state: StdlibState) -> None:
    source = "local o = {} for k in pairs(os) do o[#o + 1] = k end return table.concat(o, ' ')"
    assert state.run(source) == "clock date difftime platform time"


@pytest.mark.parametrize("library", ["string", "table", "math", "os"])
def test_libraries_are_read_only_and_still_walk_in_order(state: StdlibState, library: str) -> None:
    message = "read-only"
    assert message in fails(state, f"{library}.extra = 1")
    assert message in fails(state, f"rawset({library}, 'extra', 1)")
    assert message in fails(state, f"table.insert({library}, 1)")
    assert "protected" in fails(state, f"setmetatable({library}, nil)")
    assert state.run(f"return getmetatable({library})") is False
    walked = state.run(f"local o = {{}} for k in pairs({library}) do o[#o + 1] = k end return o")
    assert list(walked.values()) == sorted(walked.values())


def test_the_metatable_of_strings_is_out_of_reach(state: StdlibState) -> None:
    assert state.run("return getmetatable('') == string") is True
    assert "read-only" in fails(state, "getmetatable('').__index = nil")
    assert state.run("return ('x'):upper()") == "X"


def test_nothing_reachable_is_native_or_the_real_environment(state: StdlibState) -> None:
    """Walks everything that user code can reach by fields and metatables."""
    find = state.lua.execute("""
    local forbidden = {[_G] = "_G", [debug] = "debug", [string] = "string", [io] = "io", [package] = "package",
      [load] = "load", [string.dump] = "dump", [require] = "require", [os.execute] = "execute", [k] = "kernel",
      [k.raw] = "raw", [k.lib] = "lib", [rawlen] = "rawlen", [collectgarbage] = "collectgarbage"}
    return function()
      local seen, todo = {}, {k.std}
      while #todo > 0 do
        local value = table.remove(todo)
        if forbidden[value] then return forbidden[value] end
        if type(value) == "table" and not seen[value] then
          seen[value] = true
          todo[#todo + 1] = k.std.getmetatable(value)
          for key, field in k.std.pairs(value) do todo[#todo + 1], todo[#todo + 2] = key, field end
        end
      end
    end""")
    assert find() is None
