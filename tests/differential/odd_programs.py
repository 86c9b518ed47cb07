"""Random calls that are wrong or odd: arguments too few or of any kind, metatables that lie, formats that nobody writes."""

# ruff: noqa: E501 - programs stand on one line

from __future__ import annotations

import random

from tests.differential.programs import INTEGERS, ODD, TEXTS, index

GLOBALS = [
    "next", "pairs", "ipairs", "type", "select", "tostring", "tonumber", "rawget", "rawset", "rawequal", "setmetatable",
    "assert", "error", "pcall", "xpcall", "math.floor", "math.type", "math.tointeger", "math.fmod", "math.ult",
    "coroutine.create", "coroutine.wrap", "coroutine.resume", "coroutine.status", "coroutine.close",
]  # fmt: skip
STRINGS = [
    "byte",
    "char",
    "find",
    "gmatch",
    "gsub",
    "len",
    "lower",
    "match",
    "pack",
    "packsize",
    "rep",
    "reverse",
    "sub",
    "unpack",
    "upper",
]
TABLES = ["concat", "insert", "move", "remove", "sort", "unpack"]
LIES = [
    "__index = function(_, k) if k < 4 then return k * 10 end end",
    "__len = function() return 3 end, __index = function(_, k) return k end",
    "__newindex = function(t, k, v) rawset(t, k, v * 2) end",
    "__len = function() return 'x' end",
    "__len = function() return -1 end",
    "__len = function() return 2.0 end",
    "__len = function() return 2.5 end",
    "__index = {5, 6, 7}",
]


def value(rng: random.Random) -> str:
    """Whole floats are left out, which print in our own way."""
    return rng.choice([rng.choice(ODD), rng.choice(TEXTS), f"({rng.choice(INTEGERS)})"])


def values(rng: random.Random, most: int) -> str:
    """So many arguments at most, often none."""
    return ", ".join(value(rng) for _ in range(rng.randint(0, most)))


def calls(rng: random.Random) -> str:
    """Any function with anything."""
    name = rng.choice([*GLOBALS, *(f"string.{each}" for each in STRINGS), *(f"table.{each}" for each in TABLES)])
    return f"return (function(...) return ... end)({name}({values(rng, 3)}))"


def formats(rng: random.Random) -> str:
    """A conversion with flags, width and precision, as it may be or not."""
    flags, width = rng.choice(["", "", "-", "0", "+", " ", "#", "-0"]), rng.choice(["", "5", "12", "100"])
    precision, letter = rng.choice(["", "", ".", ".0", ".3", ".20", ".100"]), rng.choice("dixXocsqaAeEfgGp")
    # an address has as many digits as it likes
    given = rng.choice(["nil", "true", "12"]) if letter == "p" and width else value(rng)
    return f"return string.format('%{flags}{width}{precision}{letter}'{rng.choice([', ' + given] * 9 + [''])})"


def lists(rng: random.Random) -> str:
    """The table library on a list whose metatable says otherwise."""
    return f"local t = setmetatable({{1, 2}}, {{{rng.choice(LIES)}}}) " + rng.choice(
        [
            "table.insert(t, 9) return t",
            "return table.remove(t), t",
            "return table.unpack(t)",
            f"return table.unpack(t, {index(rng)}, {index(rng)})",
            "return table.concat(t, ',')",
            f"return table.concat(t, ',', {index(rng)}, {index(rng)})",
            "return table.move(t, 1, 3, 2, {})",
            "table.sort(t, function(a, b) return a > b end) return t",
            f"return table.insert(t, {index(rng)}, 5), t",
            f"return table.remove(t, {index(rng)}), t",
            "local o = {} for i, v in ipairs(t) do o[i] = v if i > 5 then break end end return o",
            "local n = 0 for _ in pairs(t) do n = n + 1 end return n",
        ]
    )


def keys(rng: random.Random) -> str:
    """`next` with keys that are there, were there, and never were."""
    items = ", ".join(
        f"[{key}] = 1" for key in rng.sample(["1", "2", "5", "2.5", "'a'", "'b'", "true"], rng.randint(0, 5))
    )
    key = value(rng)
    return f"local t = {{{items}}} " + rng.choice(
        [
            f"return (next(t, {key})) ~= 0",
            "local k = next(t) if k == nil then return end t[k] = nil return (pcall(next, t, k))",
            "local n = 0 for k in pairs(t) do t[k] = nil for j in next, t do end n = n + (pcall(next, t, k) and 1 or 0) end return n, next(t)",
        ]
    )


def coroutines(rng: random.Random) -> str:
    """What coroutines do to themselves, to each other and when they fail; how deep they nest."""
    given = value(rng)
    return rng.choice(
        [
            "local c c = coroutine.create(function() return coroutine.resume(c) end) return coroutine.resume(c)",
            "local c c = coroutine.wrap(function() return c() end) return c()",
            "local c c = coroutine.create(function() return coroutine.close(c) end) return coroutine.resume(c)",
            "local c, d c = coroutine.create(function() d = coroutine.create(function() return coroutine.status(c), coroutine.resume(c) end) return coroutine.resume(d) end) return coroutine.resume(c)",
            f"local c = coroutine.create(function() error({given}) end) return coroutine.resume(c), coroutine.status(c), coroutine.close(c)",
            f"local w = coroutine.wrap(function() error({given}) end) return pcall(w), pcall(w)",
            f"local w = coroutine.wrap(function(...) return select('#', ...), coroutine.yield(...) end) return w({given}, nil), w({given})",
            "local w = coroutine.wrap(function() return pcall(function() coroutine.yield(1) error('q', 0) end) end) return w(), w()",
            "local w = coroutine.wrap(function() local t = setmetatable({}, {__index = function(_, k) return coroutine.yield(k) end}) return t.foo end) return w(), w(7)",
            "local w = coroutine.wrap(function() for k in function() return coroutine.yield('it') end do return k end end) return w(), w(3)",
            f"local function f(n) if n == 0 then return 0 end return 1 + coroutine.wrap(f)(n - 1) end return f({rng.choice([3, 90, 190])})",
        ]
    )
