"""What library calls cost: as much as the work that they do, and never a native loop of any length."""

from __future__ import annotations

import time

import pytest

from engine.lua.unit import Unit
from engine.steps import Failed, Identity, Limits, Returned, Status
from engine.testing import HandWorld, program_of

FUNCTION = Limits()
WORKFLOW = Limits(max_instructions=40_000_000)


def status_of(body: str, limits: Limits = FUNCTION, kernel: int = 2, kind: str = "function") -> Status:
    program = program_of(f"return {{main = function(...) {body} end}}", kind)
    return Unit(program, Identity("{test:unit|1}", kind, kernel=kernel), (), HandWorld(), limits).step().status


def value(body: str, limits: Limits = FUNCTION, kernel: int = 2) -> object:
    status = status_of(body, limits, kernel)
    assert isinstance(status, Returned), status
    return status.value


LYING = "local t = setmetatable({}, {__len = function() return 1 << 50 end, __index = {}, __newindex = {}}) "


@pytest.mark.parametrize(
    "call",
    [
        "table.insert(t, 1, 'x')",
        "table.remove(t, 1)",
        "table.concat(t)",
        "table.sort(t)",
        "for i = 1, 1000000 do table.move(t, 1, 1000000, 2) end",
        "for i = 1, 1000000 do pcall(table.unpack, t, 1, 900000) end",
    ],
)
def test_a_length_that_lies_costs_no_more_than_the_budget(call: str) -> None:
    status = status_of(LYING + call, Limits(max_instructions=2_000_000))
    assert not isinstance(status, Returned)


def test_a_length_is_read_once() -> None:
    body = """
        local reads = 0
        local t = setmetatable({1, 2, 3}, {__len = function() reads = reads + 1 return reads == 1 and 3 or 1 << 50 end})
        table.insert(t, 1, 0)
        local inserted = reads
        reads = 0
        return {inserted, table.remove(t, 1), reads, rawget(t, 1), rawget(t, 2)}
    """
    assert value(body) == [1, 0, 1, 1, 2]


TOKENS = """
    local text = ("local order_total = 1234567 + discount * (shipping_cost - 77)\\n"):rep({size} // 64)
    local at, count = 1, 0
    while at <= #text do
        local c = text:sub(at, at)
        local from, to = text:find("^[%a_][%w_]*", at)
        if not from then from, to = text:find("^%d+", at) end
        if not from then from, to = text:find("^%s+", at) end
        at, count = (to or at) + 1, count + 1
    end
    return count
"""
SORTS = """
    local list, words, seed = {{}}, {{}}, 7
    for i = 1, {count} do
        seed = (seed * 1103515245 + 12345) % 2147483648
        list[i], words[i] = seed, "w" .. seed
    end
    table.sort({what})
"""
WHAT = ["list", "words", "list, function(a, b) return a > b end", "words, function(a, b) return a > b end"]


@pytest.mark.parametrize(("size", "limits"), [(1_000_000, FUNCTION), (200_000, WORKFLOW)])
def test_a_tokenizer_in_lua_fits_into_a_step(size: int, limits: Limits) -> None:
    assert value(TOKENS.format(size=size), limits) == size // 64 * 22


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize(("count", "limits"), [(100_000, FUNCTION), (50_000, WORKFLOW)])
def test_a_long_sort_fits_into_a_step(count: int, limits: Limits, what: str) -> None:
    value(SORTS.format(count=count, what=what), limits)


def test_a_gsub_over_a_megabyte_fits_into_a_step_of_a_workflow() -> None:
    assert value("return (select(2, ('a b '):rep(250000):gsub('a', 'xyz')))", WORKFLOW) == 250_000


@pytest.mark.parametrize("call", ["s:sub(i, i)", "s:byte(i)", "s:len()", "s:find('^%d', i)", "s:match('^%s*', i)"])
def test_a_look_at_one_byte_of_a_long_string_costs_by_that_byte(call: str) -> None:
    body = f"local s = ('x'):rep(900000) for i = 1, 5000 do local _ = {call} end return true"
    assert value(body, Limits(max_instructions=3_000_000)) is True


def test_runs_begun_before_keep_the_price_of_the_whole_string() -> None:
    body = "local s = ('x'):rep(900000) for i = 1, 5000 do local _ = s:sub(i, i) end return true"
    assert not isinstance(status_of(body, Limits(max_instructions=3_000_000), kernel=1), Returned)


def test_an_anchored_search_that_looks_at_all_is_charged_for_all() -> None:
    body = "local s = ('x'):rep(900000) for i = 1, 5000 do s:find('^x*y', i) end"
    assert not isinstance(status_of(body, Limits(max_instructions=100_000_000)), Returned)


UNPACKED = "local t = {} for i = 1, 100000 do t[i] = i end "


@pytest.mark.parametrize(
    "call",
    [
        "(function(...) for i = 1, 1e9 do local _ = select('#', ...) end end)(table.unpack(t))",
        "(function(...) for i = 1, 1e9 do local _ = select(2, ...) end end)(table.unpack(t))",
        "local s = ('x'):rep(100000) for i = 1, 1e9 do local _ = s:byte(1, -1) end",
        "local s = ('x'):rep(1000000) for i = 1, 1e9 do local _ = string.pack('s4', s) end",
        "local s = string.pack('s4', ('x'):rep(1000000)) for i = 1, 1e9 do local _ = string.unpack('s4', s) end",
        "local s = ('9'):rep(1000000) for i = 1, 1e9 do local _ = s + 1 end",
        "local s = ('9'):rep(1000000) for i = 1, 1e9 do local _ = 1 // s end",
        "local s = ('9'):rep(1000000) for i = 1, 1e9 do local _ = -s end",
        "local s = ('9'):rep(1000000) for i = 1, 1e9 do pcall(function() return s + {} end) end",
        "for i = 1, 1e9 do time.after('1s') end",
        "for i = 1, 1e9 do process.listen('topic' .. i) end",
    ],
)
def test_what_one_instruction_hides_is_paid_by_what_it_does(call: str) -> None:
    began = time.process_time()
    status = status_of((UNPACKED if "(t)" in call else "") + call, WORKFLOW, kind="workflow")
    assert isinstance(status, Failed) and "instruction limit" in status.failure.message
    assert time.process_time() - began < 2  # most take 0.3: native work without a price took minutes


@pytest.mark.parametrize("call", ["select(2, ...)", "select('#', ...)", "(digits + 1)"])
def test_runs_begun_before_pay_nothing_for_it(call: str) -> None:
    body = f"""return (function(...)
        local digits = ('9'):rep(100000)
        for i = 1, 1000 do local _ = {call} end
        return true
    end)(table.unpack(t))"""
    few = Limits(max_instructions=2_000_000)
    assert isinstance(status_of(UNPACKED + body, few, kernel=1), Returned)
    assert isinstance(status_of(UNPACKED + body, few), Failed)


ARITHMETIC = """
    local function try(f, ...) return tostring((pcall(f, ...))) .. ' ' .. tostring(select(2, pcall(f, ...))) end
    local t = setmetatable({}, {__add = function(a, b) return 'added ' .. type(a) .. type(b) end,
        __idiv = function() error('mine', 0) end})
    local o = setmetatable({}, {__unm = function() return 'minus' end})
    local found = {}
    for _, b in ipairs { '3', 3, 0, '0', ' 0x10 ', '1e2', 'x', '', true, t, o } do
        for _, f in ipairs {
            function(x, y) return x + y end, function(x, y) return x - y end, function(x, y) return x * y end,
            function(x, y) return x / y end, function(x, y) return x % y end, function(x, y) return x ^ y end,
            function(x, y) return x // y end, function(_, y) return -y end,
        } do
            found[#found + 1] = try(f, '10', b)
            found[#found + 1] = try(f, b, '10.5')
            found[#found + 1] = try(f, 'no', b)
        end
    end
    found[#found + 1] = try(function() return '1' + nil end)
    return found
"""


def test_arithmetic_on_strings_is_what_it_was() -> None:
    assert value(ARITHMETIC) == value(ARITHMETIC, kernel=1)


SELECTS = """
    local found = {}
    for _, n in ipairs { '#', '#x', 1, 2, 3, 4, -1, -3, -4, 0, 1.0, 1.5, '2', 'x', false } do
        found[#found + 1] = { pcall(select, n, 'a', nil, 'c') }
        found[#found + 1] = { pcall(function() return (select(n, 'a', 'b')) end) }
    end
    found[#found + 1] = { pcall(select) }
    found[#found + 1] = { pcall(function() local _ = select(nil, 1) return _ end) }
    found[#found + 1] = { pcall(function() local _ = select('#') return _ end) }
    return found
"""


def test_select_is_what_it_was() -> None:
    assert value(SELECTS) == value(SELECTS, kernel=1)
