"""A typed program and its twin without types are the same program to Lua, wherever the types stand."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.lua.typed.eraser import erase
from engine.steps import Returned
from engine.testing import Driver

Pair = tuple[str, str]
"""A piece of a program with types, and the same without."""

NAMES = st.sampled_from(
    ["string", "number", "any", "T", "app.Order", "Map<K, V>", "nil", "true", "'on'", "7", "{}", "typeof(x)"]
)


def _type_of(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return (
        st.tuples(inner, inner).map(lambda t: f"{t[0]} | {t[1]}")
        | st.tuples(inner, inner).map(lambda t: f"A & {t[1]}")
        | inner.map(lambda t: f"{{{t}}}")
        | inner.map(lambda t: f"{{[string]: {t}}}")
        | st.tuples(inner, inner).map(lambda t: f"{{id: {t[0]}, type?: {t[1]},}}")
        | inner.map(lambda t: f"List<List<{t}>>")
        | st.tuples(inner, inner).map(lambda t: f"(a: {t[0]}, ...any) -> {t[1]}")
        | inner.map(lambda t: f"() -> ({t}, number)")
        | inner.map(lambda t: f"readonly {{{t}}}")
        | inner.map(lambda t: f"{{\n  x: {t}\n}}")
    )


TYPES = st.recursive(NAMES | NAMES.map(lambda name: f"{name}?") | st.just("string @min(1)"), _type_of, max_leaves=5)
CASTS = st.sampled_from(["as", "::"])
SIMPLE = st.sampled_from(
    ["1", "x", "'text'", "nil", "t.as", "t['type']", "#t", "f(x)", "t:is(1)", "{1, as = 2}", "[[x: T]]"]
)


def _expression_of(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    return (
        st.tuples(inner, CASTS, TYPES).map(lambda p: (f"({p[0][0]} {p[1]} {p[2]})", f"({p[0][1]})"))
        | inner.map(lambda p: (f"({p[0]})!", f"({p[1]})"))
        | st.tuples(inner, inner, st.sampled_from(["..", "==", "and", "or"])).map(
            lambda p: (f"(s({p[0][0]}) {p[2]} s({p[1][0]}))", f"(s({p[0][1]}) {p[2]} s({p[1][1]}))")
        )
        | st.tuples(inner, TYPES, TYPES).map(
            lambda p: (
                f"(function(a: {p[1]}): {p[2]} return {p[0][0]} end)(1)",
                f"(function(a) return {p[0][1]} end)(1)",
            )
        )
        | inner.map(lambda p: (f"f({p[0]})", f"f({p[1]})"))
    )


EXPRESSIONS: st.SearchStrategy[Pair] = st.recursive(SIMPLE.map(lambda e: (e, e)), _expression_of, max_leaves=5)


def _statements(expression: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    return (
        st.tuples(TYPES, expression).map(
            lambda p: (f"local v: {p[0]} = {p[1][0]}\nnote(v)", f"local v = {p[1][1]}\nnote(v)")
        )
        | st.tuples(TYPES, TYPES, expression).map(
            lambda p: (
                f"local v: {p[0]}, w: {p[1]} = {p[2][0]}, 2 note(v, w)",
                f"local v, w = {p[2][1]}, 2 note(v, w)",
            )
        )
        | st.tuples(TYPES, TYPES, expression).map(
            lambda p: (
                f"local function g<A, B: any>(x: {p[0]}, ...: any): {p[1]} return {p[2][0]} end note(g(3, 4))",
                f"local function g(x, ...) return {p[2][1]} end note(g(3, 4))",
            )
        )
        | st.tuples(TYPES, expression).map(
            lambda p: (
                f"function t:m(x: {p[0]}): () note({p[1][0]}) end t:m(5)",
                f"function t:m(x) note({p[1][1]}) end t:m(5)",
            )
        )
        | TYPES.map(lambda text: (f"type Alias<K> = {text}\n", ";\n"))
        | expression.map(lambda p: (f"note({p[0]})", f"note({p[1]})"))
        | expression.map(lambda p: (f"if {p[0]} then note(1) end", f"if {p[1]} then note(1) end"))
        | expression.map(
            lambda p: (
                f"for _, v in ipairs({{{p[0]}}}) do note(v) end",
                f"for _, v in ipairs({{{p[1]}}}) do note(v) end",
            )
        )
    )


STATEMENTS = st.lists(_statements(EXPRESSIONS), min_size=1, max_size=6)
PROGRAM = """local out, x = {{}}, 5
local t = {{as = 1, type = "t", is = function(self, v) return v end}}
local function s(v) return tostring(type(v) == "table" and #v or v) end
local function note(...) for i = 1, select("#", ...) do out[#out + 1] = s((select(i, ...))) end end
local function f(v) return v end
return function()
{body}
return out end"""


def _program(parts: list[str]) -> str:
    return PROGRAM.format(body="\n".join(parts))


def _run(source: str) -> Any:
    status = Driver.of_source(source).status
    return status.value if isinstance(status, Returned) else status


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STATEMENTS)
def test_a_typed_program_behaves_like_its_untyped_twin(statements: list[Pair]) -> None:
    typed = _program([each[0] for each in statements])
    erased = erase(typed)
    assert len(erased) == len(typed)
    assert [i for i, c in enumerate(erased) if c == "\n"] == [i for i, c in enumerate(typed) if c == "\n"]
    assert erase(erased) == erased, "what is erased is plain Lua"
    twin = _run(_program([each[1] for each in statements]))
    assert isinstance(twin, list), twin
    assert _run(typed) == twin
