"""Ordinary code over much data fits into a step: a megabyte in a function, two hundred kilobytes in a workflow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.lua.unit import Unit
from engine.steps import Identity, Limits, Returned, Value
from engine.testing import HandWorld, program_of

SIZES = [("function", 1_000_000, Limits()), ("workflow", 200_000, Limits(max_instructions=40_000_000))]
COUNTS = [("function", 100_000, Limits()), ("workflow", 50_000, Limits(max_instructions=40_000_000))]
JSON = (Path(__file__).parent / "honest_json.lua").read_text("utf-8")
LINE = "local order_total = 1234567 + discount * (shipping_cost - 77)\n"
TEXT = """
    local text = ("local order_total = 1234567 + discount * (shipping_cost - 77)\\n"):rep(...)
    local at, count, size = 1, 0, #text
"""


def value(source: str, kind: str, limits: Limits, *args: Value) -> Value:
    program = program_of(source, kind)
    status = Unit(program, Identity("{test:unit|1}", kind), args, HandWorld(), limits).step().status
    assert isinstance(status, Returned), status
    return status.value


def of_text(body: str, kind: str, limits: Limits, size: int) -> Value:
    return value(f"return function(...) {TEXT} {body} end", kind, limits, size // len(LINE) + 1)


def expected(pattern: str, size: int) -> int:
    return len(re.findall(pattern, LINE)) * (size // len(LINE) + 1)


@pytest.mark.parametrize(("kind", "size", "limits"), SIZES)
def test_a_json_library_in_lua_reads_and_writes(kind: str, size: int, limits: Limits) -> None:
    source = f"""local json = (function() {JSON} end)()
    return function(size)
        local list = {{}}
        for i = 1, size // 100 do
            list[i] = {{id = i, name = "order " .. i, total = i * 1.25, tags = {{"new", "large \\"one\\""}},
                paid = i % 2 == 0}}
        end
        local text = json.encode(list)
        local back = json.decode(text)
        return {{#text >= size * 0.85, #back == #list, back[#back].tags[2], back[7].total, json.encode(back) == text}}
    end"""
    assert value(source, kind, limits, size) == [True, True, 'large "one"', 8.75, True]


@pytest.mark.parametrize(("kind", "size", "limits"), SIZES)
def test_a_tokenizer_that_looks_at_each_character(kind: str, size: int, limits: Limits) -> None:
    body = """
    while at <= size do
        local c = text:sub(at, at)
        local from = at
        if c:match("[%a_]") then
            repeat at = at + 1 until not text:sub(at, at):match("[%w_]")
        elseif c:match("%d") then
            repeat at = at + 1 until not text:sub(at, at):match("%d")
        else
            at = at + 1
        end
        local token = text:sub(from, at - 1)
        if token ~= " " then count = count + 1 end
    end
    return count
    """
    assert of_text(body, kind, limits, size) == expected(r"[a-z_]\w*|\d+|[^ ]", size)


@pytest.mark.parametrize(("kind", "size", "limits"), SIZES)
def test_a_tokenizer_that_looks_at_bytes(kind: str, size: int, limits: Limits) -> None:
    body = """
    local function is_word(b) return b and (b >= 97 and b <= 122 or b == 95 or b >= 48 and b <= 57) end
    while at <= size do
        local from, b = at, text:byte(at)
        if is_word(b) then
            repeat at = at + 1 until not is_word(text:byte(at))
        else
            at = at + 1
        end
        if b ~= 32 then count = count + #text:sub(from, at - 1) end
    end
    return count
    """
    assert of_text(body, kind, limits, size) == expected(r"[^ ]", size)


@pytest.mark.parametrize(("kind", "size", "limits"), SIZES)
def test_a_tokenizer_that_tries_anchored_patterns(kind: str, size: int, limits: Limits) -> None:
    body = """
    local kinds = { "^%s+", "^[%a_][%w_]*", "^%d+%.?%d*", "^[-+*/()=]" }
    while at <= size do
        local from, to
        for i = 1, #kinds do
            from, to = text:find(kinds[i], at)
            if from then break end
        end
        at, count = to + 1, count + 1
    end
    return count
    """
    assert of_text(body, kind, limits, size) == expected(r"\s|[a-z_]\w*|\d+|[^ ]", size)


@pytest.mark.parametrize(("kind", "size", "limits"), SIZES)
def test_a_tokenizer_with_a_token_per_two_characters(kind: str, size: int, limits: Limits) -> None:
    body = """
    text = ("a 1 "):rep(SIZE // 4)
    size = #text
    while at <= size do
        local _, space = text:find("^%s*", at)
        at = space + 1
        local from, to = text:find("^%a+", at)
        if not from then from, to = text:find("^%d+", at) end
        if not from then break end
        at, count = to + 1, count + 1
    end
    return count
    """
    assert of_text(body.replace("SIZE", str(size)), kind, limits, size) == size // 4 * 2


@pytest.mark.parametrize(("kind", "count", "limits"), COUNTS)
def test_ten_walks_over_many_keys(kind: str, count: int, limits: Limits) -> None:
    source = """return function(count)
        local t, seen = {}, 0
        for i = 1, count do t["key" .. i] = i end
        for _ = 1, 10 do for _ in pairs(t) do seen = seen + 1 end end
        return seen
    end"""
    assert value(source, kind, limits, count) == 10 * count


@pytest.mark.parametrize(("kind", "count", "limits"), COUNTS)
def test_a_sort_of_records_by_two_fields(kind: str, count: int, limits: Limits) -> None:
    source = """return function(count)
        local list = {}
        for i = 1, count do list[i] = { name = "n" .. i * 7919 % 1000, at = i } end
        table.sort(list, function(a, b)
            if a.name ~= b.name then return a.name < b.name end
            return a.at > b.at
        end)
        return #list
    end"""
    assert value(source, kind, limits, count) == count


@pytest.mark.parametrize("kind", ["function", "workflow"])
@pytest.mark.parametrize(
    "call",
    [
        "gsub('%s+', ' ')",
        "gsub('%w+', {order = 'O'})",
        "gsub('[=+*]', {['='] = ':'})",
        "gsub('%w+', function(w) return w end)",
    ],
)
def test_gsub_over_a_megabyte(kind: str, call: str) -> None:
    limits = Limits(max_instructions=40_000_000) if kind == "workflow" else Limits()
    assert of_text(f"return (select(2, text:{call}))", kind, limits, 1_000_000) is not None
