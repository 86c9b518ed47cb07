"""Random bodies of Lua functions by kind; each ends soon, and tells what it found by `return`."""

# ruff: noqa: E501 - programs stand on one line

from __future__ import annotations

import random
from collections.abc import Callable

Make = Callable[[random.Random], str]

TEXTS = [
    "''",
    "'a'",
    "'abc'",
    "'hello world'",
    "'  x=1, y=22  '",
    "'a.b-c'",
    "'%d'",
    "'\\0z'",
    "('ab'):rep(9)",
    "12",
    "'0x1F'",
]
INTEGERS = ["0", "1", "-1", "2", "3", "7", "-5", "255", "math.maxinteger", "math.mininteger", "1 << 53", "0x7f"]
FLOATS = ["0.5", "-2.5", "1e15", "1e300", "-0.25", "1/0", "-1/0", "2^53", "3.7", "1e-7"]
ODD = ["nil", "true", "false", "{}", "select", "'x'", "'10'", "' 7 '", "'0x'", "'1e1'", "'1e'"]
ITEMS = [
    "a",
    "b",
    ".",
    "%a",
    "%d",
    "%s",
    "%w",
    "%p",
    "[abc]",
    "[^a]",
    "[a-c]",
    "[%d_]",
    "%.",
    "%%",
    "%b()",
    "%f[%w]",
    "()",
]
BROKEN = ["[a", "(", ")", "%", "%1", "%f", "%b", "%9", "[]", "[^]", "(a", "[a-", "%bx"]


def number(rng: random.Random) -> str:
    """Mostly integers; negative ones in brackets."""
    return f"({rng.choice(INTEGERS if rng.random() < 0.6 else FLOATS)})"


def any_value(rng: random.Random) -> str:
    """A number, a text or something that no function expects."""
    return rng.choice([number(rng), rng.choice(TEXTS), rng.choice(ODD)])


def index(rng: random.Random) -> str:
    """A small position."""
    return str(rng.randint(-4, 6))


def pattern(rng: random.Random) -> str:
    """A quoted pattern, sometimes a wrong one."""
    parts = []
    for _ in range(rng.randint(1, 4)):
        part = rng.choice(ITEMS) + rng.choice(["", "", "", "*", "+", "-", "?"])
        parts.append(f"({part})" if rng.random() < 0.25 else part)
    if rng.random() < 0.12:
        parts.insert(rng.randint(0, len(parts)), rng.choice(BROKEN))
    return f"'{rng.choice(['', '', '^'])}{''.join(parts)}{rng.choice(['', '', '$'])}'"


def matching(rng: random.Random) -> str:
    """find, match, gmatch and gsub."""
    text, wanted = rng.choice(TEXTS), pattern(rng)
    with_what = rng.choice(
        ["'<%0>'", "'%1'", "'-'", "'%2'", "'%'", "{a = 'A', b = false}", "string.upper", "12", "nil"]
    )
    return rng.choice(
        [
            f"return string.find({text}, {wanted}, {index(rng)})",
            f"return string.find({text}, {wanted}, 1, true)",
            f"return string.match({text}, {wanted}, {index(rng)})",
            f"return string.gsub({text}, {wanted}, {with_what})",
            f"return string.gsub({text}, {wanted}, {with_what}, {rng.randint(-1, 3)})",
            f"local t = {{}} for a, b in string.gmatch({text}, {wanted}) do t[#t + 1] = {{a, b}} end return t",
        ]
    )


def strings(rng: random.Random) -> str:
    """The other functions of strings."""
    text = rng.choice(TEXTS) if rng.random() < 0.9 else rng.choice(ODD)
    form = rng.choice(
        [
            "%d",
            "%5d",
            "%-5d|",
            "%05d",
            "%x",
            "%X",
            "%o",
            "%c",
            "%i",
            "%g",
            "%.3f",
            "%e",
            "%10.4s|",
            "%q",
            "%a",
            "%",
            "%y",
        ]
    )
    layout = rng.choice(["b", "B", "<i2", ">I4", "<i8", "z", "s1", "<d", "!4 i1 i4", "i17", "x", "j", "y", "<I3"])
    return rng.choice(
        [
            f"return string.format('{form}', {any_value(rng)})",
            f"return string.rep({text}, {index(rng)}, {rng.choice(TEXTS)})",
            f"return string.sub({text}, {index(rng)}, {index(rng)})",
            f"return string.byte({text}, {index(rng)}, {index(rng)})",
            f"return string.char({rng.randint(0, 260)}, {rng.randint(0, 255)})",
            f"return string.{rng.choice(['upper', 'lower', 'len', 'reverse'])}({text})",
            f"return string.pack('{layout}', {any_value(rng)})",
            f"return string.unpack('{layout}', 'abcdefgh\\0ijklmnop', {rng.randint(-3, 6)})",
            f"return string.packsize('{layout}')",
        ]
    )


def numbers(rng: random.Random) -> str:
    """Arithmetic, comparison, conversion and math."""
    a, b = number(rng), number(rng)
    operator = rng.choice(["+", "-", "*", "/", "//", "%", "^", "&", "|", "~", "<<", ">>", "<", "<=", "==", ".."])
    one = rng.choice(["floor", "ceil", "abs", "sqrt", "tointeger", "type", "exp", "sin"])
    two = rng.choice(["fmod", "max", "min", "ult"])
    return rng.choice(
        [
            f"return {a} {operator} {b}",
            f"return {any_value(rng)} {operator} {any_value(rng)}",
            f"return math.{one}({any_value(rng)})",
            f"return math.{two}({a}, {b})",
            f"return tonumber({any_value(rng)})",
            f"return tonumber({rng.choice(TEXTS + ODD)}, {rng.randint(0, 40)})",
            f"return -{any_value(rng)}",
            f"return ~{any_value(rng)}",
            f"local n = 0 for i = {a}, {b}, {number(rng)} do n = n + 1 if n > 20 then break end end return n",
        ]
    )


def tables(rng: random.Random) -> str:
    """The table library, and its mistakes."""
    items = ", ".join(
        rng.choice(["1", "2", "3", "'b'", "'a'"] if rng.random() < 0.3 else ["3", "1", "2"])
        for _ in range(rng.randint(0, 5))
    )
    i, j = index(rng), index(rng)
    act = rng.choice(
        [
            f"return table.insert(t, {any_value(rng)}), t",
            f"return table.insert(t, {i}, 9), t",
            "return table.remove(t), t",
            f"return table.remove(t, {i}), t",
            f"return table.concat(t, {rng.choice(TEXTS)}, {i}, {j})",
            "table.sort(t) return t",
            "table.sort(t, function(a, b) return tostring(a) > tostring(b) end) return t",
            f"return table.move(t, {i}, {j}, {index(rng)})",
            f"return table.unpack(t, {i}, {j})",
            f"return table.pack(table.unpack(t)), select({i}, table.unpack(t))",
            f"return #t, rawget(t, {i}), rawequal(t, t), next({{}})",
            f"return table.{rng.choice(['insert', 'remove', 'concat', 'sort', 'unpack'])}({rng.choice(['', 'nil', '1', 't, 1, 2, 3'])})",
        ]
    )
    return f"local t = {{{items}}} {act}"


def walks(rng: random.Random) -> str:
    """Walks with clearing and assigning; told as sets, since the order is ours."""
    keys = rng.sample(
        ["1", "2", "3", "4", "7", "10", "20", "-1", "2.5", "'a'", "'b'", "true", "false"], rng.randint(0, 9)
    )
    items = ", ".join(f"[{key}] = {n}" for n, key in enumerate(keys))
    act = rng.choice(["t[k] = nil", "t[k] = v + 1", "t[k] = nil t[k] = nil", "if v % 2 == 0 then t[k] = nil end"])
    head = rng.choice(["pairs(t)", "next, t"])
    return f"local t, seen, n = {{{items}}}, {{}}, 0 for k, v in {head} do n = n + 1 seen[k] = v {act} end return seen, t, n"


def metas(rng: random.Random) -> str:
    """Metamethods."""
    event, use = rng.choice(
        [("__add", "m + 1"), ("__concat", "'x' .. m"), ("__len", "#m"), ("__index", "m.foo"), ("__call", "m(1, 2)"), ("__unm", "-m"),
         ("__eq", "m == setmetatable({}, getmetatable(m))"), ("__lt", "m < 1"), ("__le", "1 <= m"), ("__tostring", "tostring(m)"),
         ("__idiv", "m // 2"), ("__band", "m & 1"), ("__shl", "1 << m"), ("__name", "m + 1"), ("__metatable", "getmetatable(m)")]
    )  # fmt: skip
    answer = rng.choice(
        [
            "function(...) return select('#', ...) end",
            "function() error('no') end",
            any_value(rng),
            "function() return 'r' end",
        ]
    )
    return f"local m = setmetatable({{}}, {{{event} = {answer}}}) return {use}"


def mistakes(rng: random.Random) -> str:
    """What people get wrong, and the texts that tell them so."""
    value = any_value(rng)
    return f"local v = {value} " + rng.choice(
        ["return v.x.y", "return v()", "return #v", "v.x = 1 return v", "return v < {}", "return v + {}", "local t = {f = v} return t.f.g()",
         "return v:nope()", "error(v)", "error(v, 0)", "error({code = v})", "assert(v, 'why')", "assert(false, v)", "return select(v, 1, 2)",
         "return setmetatable(v, {})", "return rawset(v, 1, 2)", "return ipairs(v)", "local t = {} t[v] = 1 return t", "return tostring(v) == nil",
         "for i = 1, v do if i > 3 then return i end end", "return v .. 'x'", "return undefined_name.x", "return pcall(v)", "return type(v)"]
    )  # fmt: skip


def flows(rng: random.Random) -> str:
    """Coroutines, goto, varargs, closing."""
    n, bad = rng.randint(0, 4), rng.random() < 0.4
    fail = "error('boom')" if bad else "local _ = 0"
    closing = "local log = {} local function c(n) return setmetatable({}, {__close = function(_, e) log[#log + 1] = {n, e} end}) end "
    return rng.choice(
        [
            f"local w = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) {fail} return b end) return w(1), w({n})",
            f"local c = coroutine.create(function(...) coroutine.yield(...) {fail} return 'end' end) "
            f"return coroutine.status(c), coroutine.resume(c, {n}), coroutine.resume(c), coroutine.resume(c), coroutine.status(c)",
            "local c = coroutine.create(function() coroutine.yield() end) coroutine.resume(c) "
            "return coroutine.close(c), coroutine.status(c), coroutine.resume(c)",
            f"local i = 0 ::top:: i = i + 1 if i < {n} then goto top end return i",
            f"local function f(...) return select('#', ...), (...), ... end return f(table.unpack({{1, nil, 3}}, 1, {n}))",
            f"{closing} local ok, e = pcall(function() local a <close> = c(1) local b <close> = c(2) {fail} end) return ok, e, log",
            f"{closing} for i = 1, {n} do local a <close> = c(i) if i == 2 then break end end return log",
            f"{closing} local w = coroutine.create(function() local a <close> = c(1) coroutine.yield() end) coroutine.resume(w) return coroutine.close(w), log",
            f"local x <const> = {n} return (function(a, b, ...) return b, a, x, ... end)(1, 2, 3)",
            f"return xpcall(function() {fail} return 1 end, function(e) return 'h ' .. e end)",
            "local x <close> = 42 return x",
        ]
    )
