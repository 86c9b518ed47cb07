"""What docs/lua.md#limits says that a million instructions buy."""

from __future__ import annotations

import pytest

from engine.steps import Limits, Returned
from engine.testing import Driver
from tests.engine.lua.test_prices import TOKENS

MILLION = 1_000_000
LIST = "local list = {{}} for i = 1, {n} do list[i] = i end "
OBJECTS = "local list = {{}} for i = 1, {n} do list[i] = {{ id = i, name = 'name ' .. i }} end "
ROWS = [
    ("for i = 1, {n} do end", 1_000_000, 0),
    ("local t, sum = {{ 1, 2, 3 }}, 0 for i = 1, {n} do sum = sum + t[i % 3 + 1] end", 200_000, 0),
    ("local function f(x) return x + 1 end for i = 1, {n} do f(i) end", 170_000, 0),
    (LIST + "for i, v in ipairs(list) do end", 1_000_000, 2_000_000),
    (LIST + "for i, v in pairs(list) do end", 35_000, 70_000),
    ("local t = {{}} for i = 1, {n} do table.insert(t, i) end", 26_000, 0),
    ("for i = 1, {n} do local _ = string.format('%d:%s', i, 'x') end", 11_000, 0),
    ("local s = ('x'):rep({n}) for i = 1, {n} do local _ = s:byte(i) end", 58_000, 0),
    ("local s = ('x'):rep({n}) for i = 1, {n} do local _ = s:sub(i, i) end", 36_000, 0),
    (LIST + "require('json').encode(list)", 25_000, 50_000),
    (OBJECTS + "require('json').encode(list)", 4_000, 32_000),
]


def fits(body: str, instructions: int) -> bool:
    source = f"return {{ main = function()\n{body}\nend }}"
    return isinstance(Driver.of_source(source, limits=Limits(max_instructions=instructions)).status, Returned)


@pytest.mark.parametrize(("body", "count", "beside"), ROWS)
def test_a_million_instructions_buy_what_the_page_says(body: str, count: int, beside: int) -> None:
    text = body.format(n=count)
    assert fits(text, beside + MILLION * 14 // 10)
    assert not fits(text, beside + MILLION * 6 // 10)


@pytest.mark.parametrize(("comparator", "millions"), [("", 25), (", function(a, b) return a > b end", 33)])
def test_a_sort_costs_what_the_page_says(comparator: str, millions: int) -> None:
    body = f"""
        local list, seed = {{}}, 7
        for i = 1, 100000 do seed = (seed * 1103515245 + 12345) % 2147483648 list[i] = seed end
        table.sort(list{comparator})
    """
    assert fits(body, millions * MILLION * 13 // 10)
    assert not fits(body, millions * MILLION * 7 // 10)


def test_a_tokenizer_reads_what_the_page_says() -> None:
    body = TOKENS.format(size=80_000)
    assert fits(body, 14 * MILLION)
    assert not fits(body, 6 * MILLION)
