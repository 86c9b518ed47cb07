"""What a charged instruction costs: each priced function of Lua, called over and over until the budget is spent.

The price of a call is right when its instructions cost about as much time as plain ones do.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench.figure import Figure
from engine.lua.unit import Unit
from engine.steps import Failed, Identity, Limits
from engine.testing import HandWorld, program_of

BUDGET = 10_000_000
CHEAPEST, DEAREST = 0.25, 3.0
"""How much less and more than a plain instruction a charged one may cost."""
PLAIN = """
local t, n, s = {}, 0, 0
local function add(a, b) return a + b end
while true do
    n = n % 1000 + 1
    t[n] = add(n, s)
    if t[n] > 5000 then s = 0 else s = s + t[n] % 7 end
    local pair = { n, s }
    s = pair[1] + s
end
"""
TEXT = 'local s, t = ("local x = %d + y\\n"):rep({size} // 17 + 1):sub(1, {size}), {{}}'
NUMBERS = "local t = {{}} for i = 1, {size} do t[i] = i * 7919 % 1000003 end"
KEYS = 'local t = {{}} for i = 1, {size} do t["key" .. i] = i end'
WORDS = 'local t = {{}} for i = 1, {size} do t[i] = "word" .. i * 7919 % 1000003 end'


@dataclass(frozen=True)
class Price:
    """A call, after a preparation; both sizes are put into it."""

    name: str
    prepare: str
    call: str
    small: int
    large: int


@dataclass(frozen=True)
class Cost:
    """Nanoseconds of a charged instruction at both sizes."""

    price: Price
    small: float
    large: float


PRICES = (
    Price("s:sub(i, i)", TEXT, "local _ = s:sub(9, 9)", 20, 1_000_000),
    Price("s:sub(2)", TEXT, "local _ = s:sub(2)", 20, 1_000_000),
    Price("s:byte(i)", TEXT, "local _ = s:byte(9)", 20, 1_000_000),
    Price("s:byte(1, n)", TEXT, "local _ = s:byte(1, {size})", 20, 200_000),
    Price("s:upper()", TEXT, "local _ = s:upper()", 20, 1_000_000),
    Price("s:reverse()", TEXT, "local _ = s:reverse()", 20, 1_000_000),
    Price("s:rep(n)", "", 'local _ = ("x"):rep({size})', 20, 1_000_000),
    Price("s:rep(2)", TEXT, "local _ = s:rep(2)", 20, 1_000_000),
    Price("s:find(p, i)", TEXT, 'local _ = s:find("^[%a_]+", 1)', 20, 1_000_000),
    Price("s:find(p)", TEXT, 'local _ = s:find("z")', 20, 1_000_000),
    Price("s:find(p, 1, true)", TEXT, 'local _ = s:find("yz", 1, true)', 20, 1_000_000),
    Price("s:find(class)", TEXT, 'local _ = s:find("[%z%c]!")', 20, 1_000_000),
    Price("s:find(bracket)", TEXT, 'local _ = s:find("[a-zA-Z0-9_]+!")', 20, 2_000),
    Price("s:match(.-)", TEXT, 'local _ = s:match("(.-)z")', 20, 2_000),
    Price("s:gmatch(words)", TEXT, 'for _ in s:gmatch("%w+") do end', 20, 1_000_000),
    Price("s:gsub(p, s)", TEXT, 'local _ = s:gsub("a", "bc")', 20, 1_000_000),
    Price("s:gsub(p, f)", TEXT, 'local _ = s:gsub("%w+", function(w) return w end)', 20, 200_000),
    Price("s:gsub(p, t)", TEXT, 'local _ = s:gsub("%w+", t)', 20, 200_000),
    Price("s:format(s)", TEXT, 'local _ = ("%s %d"):format(s, 5)', 20, 1_000_000),
    Price("s:format(q)", TEXT, 'local _ = ("%q"):format(s)', 20, 200_000),
    Price("string.pack(s)", TEXT, 'local _ = string.pack("s4", s)', 20, 1_000_000),
    Price(
        "string.char(n)",
        NUMBERS + " for i = 1, {size} do t[i] = t[i] % 256 end",
        "local _ = string.char(table.unpack(t))",
        5,
        100_000,
    ),
    Price("tonumber(s)", 'local s = "1" .. ("0"):rep({size})', "local _ = tonumber(s)", 2, 100_000),
    Price("s + 1", 'local s = "1" .. ("0"):rep({size})', "local _ = s + 1", 2, 100_000),
    Price("tostring(n)", "", "local _ = tostring({size}.5)", 1, 12345678),
    Price("table.concat", WORDS, "local _ = table.concat(t, ',')", 5, 100_000),
    Price("table.insert(t, 1, v)", NUMBERS, "table.insert(t, 1, 0) table.remove(t)", 5, 100_000),
    Price("table.remove(t, 1)", NUMBERS, "table.remove(t, 1) t[#t + 1] = 1", 5, 100_000),
    Price("table.move", NUMBERS, "table.move(t, 1, {size}, 2, {{}})", 5, 100_000),
    Price("table.unpack", NUMBERS, "local _ = table.unpack(t)", 5, 200_000),
    Price("table.pack", NUMBERS, "local _ = table.pack(table.unpack(t))", 5, 100_000),
    Price("table.sort(numbers)", NUMBERS, "table.sort(table.move(t, 1, {size}, 1, {{}}))", 5, 100_000),
    Price("table.sort(words)", WORDS, "table.sort(table.move(t, 1, {size}, 1, {{}}))", 5, 100_000),
    Price(
        "table.sort(f)",
        NUMBERS,
        "table.sort(table.move(t, 1, {size}, 1, {{}}), function(a, b) return a > b end)",
        5,
        100_000,
    ),
    Price(
        "select('#', ...)",
        "local function f(...) while true do local _ = select('#', ...) end end " + NUMBERS,
        "f(table.unpack(t))",
        5,
        200_000,
    ),
    Price(
        "select(n, ...)",
        "local function f(...) while true do local _ = select(3, ...) end end " + NUMBERS,
        "f(table.unpack(t))",
        5,
        200_000,
    ),
    Price("pairs(list)", NUMBERS, "for _ in pairs(t) do end", 5, 100_000),
    Price("pairs(keys)", KEYS, "for _ in pairs(t) do end", 5, 100_000),
    Price("next(keys)", KEYS, "for _ in next, t do end", 5, 100_000),
    Price("json.encode", WORDS, "local _ = json.encode(t)", 5, 10_000),
    Price("json.decode", WORDS + " local s = json.encode(t)", "local _ = json.decode(s)", 5, 10_000),
    Price("base64.encode", TEXT, "local _ = base64.encode(s)", 20, 500_000),
    Price("hash.sha512", TEXT, "local _ = hash.sha512(s)", 20, 1_000_000),
    Price("crypto.hmac.sha512", TEXT, "local _ = crypto.hmac.sha512(s, s)", 20, 1_000_000),
    Price("yaml.encode", WORDS, "local _ = yaml.encode(t)", 5, 1_000),
    Price("yaml.decode", WORDS + " local s = yaml.encode(t)", "local _ = yaml.decode(s)", 5, 1_000),
    Price("uuid.v4", "", "local _ = uuid.v4()", 0, 1),
    Price("crypto.pbkdf2", "", 'local _ = crypto.pbkdf2("password", "salt", {size}, 32)', 1, 100_000),
)


def prices() -> Figure:
    """The prices furthest from a plain instruction; the detail is a table of all."""
    plain = min(nanoseconds(PLAIN) for _ in range(3))
    costs = [cost(price) for price in PRICES]
    ratios = [value / plain for each in costs for value in (each.small, each.large)]
    worst = min(min(ratio / CHEAPEST, DEAREST / ratio) for ratio in ratios)
    detail = f"a plain instruction: {plain:.1f} ns\n" + "\n".join(_row(each, plain) for each in costs)
    return Figure("prices within 0.25 to 3 of a plain instruction's time", worst, 1.0, detail)


def cost(price: Price) -> Cost:
    """Measure one."""
    return Cost(price, _at(price, price.small), _at(price, price.large))


def _at(price: Price, size: int) -> float:
    return nanoseconds(f"{price.prepare} while true do {price.call} end".format(size=size))


def nanoseconds(body: str) -> float:
    """Processor time of an instruction of code that never ends by itself."""
    limits = Limits(max_instructions=BUDGET)
    unit = Unit(program_of(f"return function() {body} end"), Identity("{bench|1}", "function"), (), HandWorld(), limits)
    began = time.process_time()
    status = unit.step().status
    spent = time.process_time() - began
    unit.close()
    if not isinstance(status, Failed) or "instruction limit" not in status.failure.message:
        raise RuntimeError(f"{body} ended by {status}")
    return spent / BUDGET * 1e9


def _row(each: Cost, plain: float) -> str:
    low, high = sorted((each.small, each.large))
    mark = "" if CHEAPEST * plain <= low and high <= DEAREST * plain else " !"
    price = each.price
    return f"| `{price.name}` | {price.small:,} | {each.small:.1f} | {price.large:,} | {each.large:.1f} |{mark}"
