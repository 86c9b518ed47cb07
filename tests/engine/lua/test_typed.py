"""The eraser takes the types away and nothing else."""

from __future__ import annotations

import contextlib
import sys

import lupa.lua54 as lupa_lua
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ProgramError
from engine.lua.typed.eraser import erase

_CHECK = lupa_lua.LuaRuntime(encoding="latin-1").eval("function(s) local f, e = load(s, '=s', 't') return e end")


def syntax_error(source: str) -> str | None:
    """What Lua 5.4 says against the source, or None."""
    message = _CHECK(source.encode().decode("latin-1"))
    return None if message is None else str(message)


def refusal(source: str) -> ProgramError | None:
    """The error that erasing raises, or None."""
    try:
        erase(source)
    except ProgramError as error:
        return error
    return None


def squeezed(source: str) -> str:
    """The text without white space and the `;` that replaces a declaration."""
    return "".join(source.replace(";", " ").split())


TYPED = [
    # where types may appear
    ("local a: T, b: U = 1, 2", "local a, b = 1, 2"),
    ("local a: T", "local a"),
    ("local a: string,\n  b: number =\n  1, 2", "local a, \n b = \n 1, 2"),
    ("local a, b: U = 1", "local a, b = 1"),
    ("local function f(x: T, y: U) end", "local function f(x, y) end"),
    ("function f(...: T) end", "function f(...) end"),
    ("function M:f(x: T): R return x end", "function M:f(x) return x end"),
    ("function a.b.c(x: T) end", "function a.b.c(x) end"),
    ("local f = function(x: T, y): R return x end", "local f = function(x, y) return x end"),
    ("function f(): T return 1 end", "function f() return 1 end"),
    ("function f(): T1, T2 return 1, 2 end", "function f() return 1, 2 end"),
    ("function f(): (T1, T2) return 1, 2 end", "function f() return 1, 2 end"),
    ("function f(): () end", "function f() end"),
    ("function f(): (A) -> B return g end", "function f() return g end"),
    ("function f(): ((A) -> B) return g end", "function f() return g end"),
    ("function f(a?: T) end", "function f(a) end"),
    ("function f<T, K: Bound>(x: T): K return x end", "function f(x) return x end"),
    ("local function f<T>(x: T) end", "local function f(x) end"),
    ("local f = function<T>(x: T) end", "local f = function(x) end"),
    ("type Name = T", ""),
    ("type Name<T, U> = {a: T, b: U}\nlocal x = 1", "local x = 1"),
    ("local x = 1\ntype Name = {\n  a: string,\n  b?: number,\n}\nreturn x", "local x = 1 return x"),
    ("interface Shape\nfunction area(self): number\nfunction name(): (string)\nend\nlocal x", "local x"),
    ("interface Square: Shape, Named function side(n: number): number end", ""),
    ("return x as T", "return x"),
    ("return x :: T", "return x"),
    ("return x!", "return x"),
    ("return x!.y![1]!", "return x.y[1]"),
    ("return (x :: any) :: string", "return (x)"),
    ("return (123 :: any) :: string", "return (123)"),
    ("local y = x :: any :: string\nlocal z = 1", "local y = x local z = 1"),
    ("local t = ({1, 2} as T)", "local t = ({1, 2})"),
    ("f(y as T, z :: U)", "f(y, z)"),
    ("local t = {a = x as T, b = y :: U}", "local t = {a = x, b = y}"),
    ("local t = {} as {}", "local t = {}"),
    ("local t = load() as {Item}\nreturn t", "local t = load() return t"),
    ("local f = g as (A) -> B", "local f = g"),
    ("local s = x as 'a' | 'b'", "local s = x"),
    ("local b = (x as number) < 5", "local b = (x) < 5"),
    ("local b = x as number < 5", "local b = x < 5"),
    ("if x as boolean then end", "if x then end"),
    ("local n = function() end as T", "local n = function() end"),
    # type expressions
    ("local x: A | B | nil", "local x"),
    ("local x: A & B", "local x"),
    ("local x: A extends B ? X : Y = 1", "local x = 1"),
    ("local x: A?? = 1", "local x = 1"),
    ("local x: string @min(1) @max(a + f({1})) = 1", "local x = 1"),
    ("local x: {a: string @min(1), b: number @int} = 1", "local x = 1"),
    ("local x: nil, y: true, z: false", "local x, y, z"),
    ("local x: 'a' | \"b\" | [[c]] | 1 | -2", "local x"),
    ("local x: mod.Name", "local x"),
    ("local x: Map<string, List<T>>= 1", "local x = 1"),
    ("local x: List<T>= 1", "local x = 1"),
    ("local x: mod.Map<K, V> = 1", "local x = 1"),
    ("local x: {T} = {}", "local x = {}"),
    ("local x: {[K]: V} = {}", "local x = {}"),
    ("local x: {f: T, g?: T,} = {}", "local x = {}"),
    ("local x: {readonly f: T, readonly: U}", "local x"),
    (
        "local x: {type: A, interface: A, readonly: A, as: A, asserts: A, is: A, keyof: A, extends: A, typeof: A}",
        "local x",
    ),
    ("local x: {}", "local x"),
    ("local x: T[] = {}", "local x = {}"),
    ("local x: T[K]", "local x"),
    ("local x: readonly {T}", "local x"),
    ("local x: interface { f: T, g?: U }", "local x"),
    ("local x: typeof(a + b({})) = 1", "local x = 1"),
    ("local x: keyof(T)", "local x"),
    ("function f(x): asserts x is T end", "function f(x) end"),
    ("function f(x): asserts x end", "function f(x) end"),
    ("local x: (A, name: B, ...C) -> R", "local x"),
    ("local x: () -> (R1, R2) = f", "local x = f"),
    ("local x: () -> () = f", "local x = f"),
    ("local x: (A) -> R | nil = f", "local x = f"),
    ("local x: ((A) -> R)? = f", "local x = f"),
    ("local x: (A) -> (B) -> C = f", "local x = f"),
    ("local x: fun(a: A, b?: B): R = f", "local x = f"),
    ("local x: string -- a comment\n  = 1", "local x -- a comment\n = 1"),
    # lexical facts
    ("local s = [[local x: T = 1]] local y: T = 2", "local s = [[local x: T = 1]] local y = 2"),
    ("-- local x: T\nlocal y: T --[==[ : U ]==]", "-- local x: T\nlocal y --[==[ : U ]==]"),
    ("local s = 'it\\'s :: T' :: string", "local s = 'it\\'s :: T'"),
    ("::top:: local x = y :: T goto top", "::top:: local x = y goto top"),
    ("local x: integer = 7 // 2 -- int", "local x = 7 // 2 -- int"),
]


@pytest.mark.parametrize(("typed", "plain"), TYPED, ids=[typed[:50] for typed, _ in TYPED])
def test_types_vanish(typed: str, plain: str) -> None:
    erased = erase(typed)
    assert squeezed(erased) == squeezed(plain)
    assert syntax_error(erased) is None


@pytest.mark.parametrize("typed", [typed for typed, _ in TYPED])
def test_every_token_keeps_its_line_and_column(typed: str) -> None:
    erased = erase(typed)
    assert len(erased) == len(typed)
    for before, after in zip(typed, erased, strict=True):
        assert before == after or (after in " ;" and before not in "\r\n")


PLAIN = [
    "return type(x), x.as, obj:is(), {is = 1, as = 2, type = 3}, x.type, obj.readonly",
    "local as = 1\nlocal b = as\nas = b",
    "local as = print\nlocal x = y\nas {x}\nas 'a'\nas(x)",
    "local x = y\nas{string}",
    "f(x)\nas = 1",
    "as 'a' as [[c]]",
    "local t = type\nfoo = 1",
    "local type = type\nlocal is, interface = type, 2\ninterface = is",
    "type = 1 type.x = 2 type(3) type{} type'x' type:y()",
    "local x <const>, y <close> = 1, nil",
    "for i = 1, 2 do if i then goto continue end ::continue:: end",
    "do ::a:: ::b:: end ::\nc\n:: x = 1",
    "x = y ::l:: z = 1",
    "x = y ::l:: f()",
    "x = y ::l:: ::m:: do end",
    "x = y ::l:: local z",
    "x = y ::l:: goto l",
    "x = (y) ::l:: return z",
    "::type:: goto type",
    "::as:: goto as",
    "return a < b, a << b, a >> b, a >= b, f(a < b, c > (d))",
    "return a ~= b, ~a, a ~ b, a | b & c",
    "return #t, -x, not x, a .. b, ..., 0x1p-4, 1e+5, 3., .5",
    "return 'a\\z\n   b', \"\\\n\", '\\'', [==[ ]] : T ]==]",
    "local t = {[1] = 2, x = 3; 'y', f = function(a, b, ...) end}",
    "function M.a.b:c(...) return ... end",
    "local s = 'x' --[[ : T ]] --: T\n",
    "a.b['c']:d(e){f}'g'[[h]]()",
    "f(function() return 1 end)(2)",
    "if a then b() elseif c then d() else e() end while x do y() end repeat z() until w",
    "return function() end, (function() end)()",
    "goto done do end ::done::",
    "local interface, asserts, readonly, keyof, typeof, extends, fun = 1",
    "fun() extends = 1 is, as = 2, 3",
    "local a <const> = 5; (f or g)()",
    "\r\nlocal x = 1\r\nreturn x\r\n",
]


@pytest.mark.parametrize("source", PLAIN)
def test_plain_lua_comes_back_unchanged(source: str) -> None:
    assert erase(source) == source


@pytest.mark.parametrize(
    "source",
    [
        "local x: = 1",
        "local x: 5 +\nlocal y: | = 1",
        "function f(x: ) end",
        "type X = ",
        "type X<T = 1",
        "local x: {a: } = 1",
        "local x: {a: T; b: U} = 1",
        "local x: Map<K, = 1",
        "return x :: ",
        "interface X foo end",
        "local x: (A, B -> C",
        "local x: string @ = 1",
    ],
)
def test_malformed_types_are_refused_with_their_line(source: str) -> None:
    with pytest.raises(ProgramError) as caught:
        erase("-- first\n" + source)
    assert caught.value.line in (2, 3)
    assert "near" in str(caught.value)


def test_a_declaration_does_not_join_the_statements_around_it() -> None:
    assert erase("f()\ntype A = B\n(g or h)()") == "f()\n;         \n(g or h)()"


def test_a_cast_at_the_end_of_a_line_does_not_make_the_next_line_a_call() -> None:
    erased = erase("local x = y as T\n(f or g)()")
    assert erased.splitlines()[0].rstrip() == "local x = y ;"
    assert syntax_error(erased) is None
    assert syntax_error(erase("local x: T\n(f or g)()")) is None


@pytest.mark.parametrize(
    "source",
    [
        "local x: " + "{" * 5000,
        "local x: " + "(" * 5000,
        "local x: " + "A<" * 5000,
        "local x: " + "() -> " * 5000 + "A",
        "local x: " + "fun(): (" * 5000,
        "local x: " + "A extends B ? " * 5000,
        "return x as " + "A<" * 5000,
        "return x as " + "{" * 5000,
        "return " + "{" * 5000 + "}" * 5000,
        "return " + "(" * 5000,
    ],
)
def test_deep_nesting_is_refused_or_passed_on_but_never_overflows(source: str) -> None:
    assert refusal(source) is None or "near" in str(refusal(source))


@pytest.mark.parametrize(
    "unit",
    [
        "x as {A|",
        "as as {",
        "x :: A ",
        "x :: A<B<",
        "local x: A | ",
        "() -> ",
        "fun(): (",
        "'\\z ",
        "--[==[",
        "x = y as (",
        "[=[",
    ],
)
def test_work_is_linear(unit: str) -> None:
    def calls(count: int) -> int:
        made = 0

        def profile(*_: object) -> None:
            nonlocal made
            made += 1

        sys.setprofile(profile)
        try:
            with contextlib.suppress(ProgramError):
                erase(unit * count)
        finally:
            sys.setprofile(None)
        return made

    assert calls(8000) < 10 * calls(1000)


_WORDS = """
local function type interface as is readonly typeof end do if then return goto x y T A.b :: : ? ! @ -> | & < > >> =
== ( ) { } [ ] , ; . .. ... 1 'a' "b" [[c]] -- --[[ ]] nil true ' \\
"""
_FRAGMENTS = st.sampled_from([*_WORDS.split(), "\n"])


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(_FRAGMENTS, max_size=40).map(" ".join)))
def test_any_text_is_erased_or_refused_and_keeps_its_lines(source: str) -> None:
    error = refusal(source)
    if error is not None:
        assert error.line is not None
        assert 1 <= error.line <= source.count("\n") + 1
        return
    erased = erase(source)
    assert len(erased) == len(source)
    assert [i for i, c in enumerate(erased) if c in "\r\n"] == [i for i, c in enumerate(source) if c in "\r\n"]


@settings(max_examples=1000, deadline=None)
@given(st.lists(_FRAGMENTS, max_size=25).map(" ".join))
def test_whatever_compiles_as_plain_lua_is_left_alone(source: str) -> None:
    if syntax_error(source) is None and " as " not in f" {source} ":
        assert erase(source) == source


def _blocks() -> st.SearchStrategy[str]:
    names = st.sampled_from(["a", "b", "as", "type", "is", "interface", "typeof", "fun", "x.as", "x.type"])
    values = st.recursive(
        st.one_of(names, st.sampled_from(["1", "'s'", "nil", "...", "{as = 1}", "{type = a, is = 2}", "[[ x: T ]]"])),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from([" < ", " > ", " .. ", "|", " and ", "//", ">>"]), inner).map("".join),
            inner.map(lambda v: f"({v})"),
            inner.map(lambda v: f"f({v}):is({v})"),
            inner.map(lambda v: f"function(a, ...) return {v} end"),
        ),
        max_leaves=6,
    )
    statements = st.recursive(
        st.one_of(
            st.tuples(names, values).map(lambda p: f"{p[0]} = {p[1]}"),
            st.tuples(st.sampled_from(["as", "type", "b <const>", "c"]), values).map(
                lambda p: f"local {p[0]} = {p[1]}"
            ),
            values.map(lambda v: f"f({v})"),
            st.sampled_from(["::l::", "type(x)", "as(x)", "as {x}", "break", "goto l", ";", "local type, as"]),
        ),
        lambda inner: st.lists(inner, max_size=4).map(lambda b: "do " + "\n".join(b) + " end"),
        max_leaves=8,
    )
    return st.lists(statements, max_size=6).map(lambda parts: "local as = 1\n" + "\n".join(parts))


@settings(max_examples=500, deadline=None)
@given(_blocks())
def test_plain_programs_that_use_the_new_words_as_names_are_left_alone(source: str) -> None:
    assert erase(source) == source
