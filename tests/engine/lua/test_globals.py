"""`_G`, `package` and other idioms of published libraries (docs/lua.md#modules-and-imports)."""

from __future__ import annotations

import pytest

from engine.errors import LIMIT_EXCEEDED
from engine.steps import Limits, Value
from engine.testing import Driver

KINDS = ("function", "process", "workflow")


def run(body: str, kind: str = "function", kernel: int = 2) -> Value:
    return Driver.of_source(f"return function() {body} end", kind, kernel=kernel).value


@pytest.mark.parametrize("kind", KINDS)
def test_a_strict_mode_refuses_globals_that_are_not_declared(kind: str) -> None:
    strict = """
    local mt = getmetatable(_G)
    if mt == nil then mt = {} setmetatable(_G, mt) end
    mt.__newindex = function(t, n, v) error("assign to undeclared variable '" .. n .. "'", 2) end
    mt.__index = function(_, n) error("variable '" .. n .. "' is not declared", 2) end
    rawset(_G, "known", 1)
    known = 2
    local wrote, why = pcall(function() unknown = 1 end)
    local read = pcall(function() return unknown end)
    return {known, wrote, why, read, getmetatable(_G) == mt, type(string.rep), rawget(_G, "unknown") == nil}
    """
    assert run(strict, kind) == [
        2,
        False,
        "test:unit:8: assign to undeclared variable 'unknown'",
        False,
        True,
        "function",
        True,
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_all_globals_can_be_walked_in_one_order(kind: str) -> None:
    walk = "mine = 1 local names = {} for name in pairs(_G) do names[#names + 1] = name end return names"
    names = run(walk, kind)
    assert isinstance(names, list)
    assert {"_G", "mine", "pairs", "string", "require", "package", "json", "coroutine"} <= set(names)
    assert names == run(walk, kind)
    assert (
        run("return {rawget(_G, 'print') == print, next(_G) ~= nil, rawget(_G, 'nothing') == nil}", kind) == [True] * 3
    )


@pytest.mark.parametrize("kind", KINDS)
def test_package_knows_what_require_finds(kind: str) -> None:
    body = """
    package.preload.made = function(name) return {name = name} end
    local listed = false
    local made = require("made")
    for name in pairs(package.loaded) do listed = listed or name == "made" end
    package.loaded.mine = 5
    return {package.config:sub(1, 1), package.loaded.string == string, package.loaded._G == _G, made.name,
      made == require("made"), listed, require("mine"), package.loaded.json == require("json"), (pcall(require, "no"))}
    """
    assert run(body, kind) == ["/", True, True, "made", True, True, 5, True, False]


def test_runs_begun_before_keep_the_globals_that_they_had() -> None:
    body = "return {getmetatable(_G), (pcall(setmetatable, _G, {})), package.config == nil, type()}"
    assert run(body, "workflow", kernel=1) == ["environment", False, True, "nil"]


@pytest.mark.parametrize("name", ["type", "tostring", "tonumber"])
def test_a_missing_value_is_an_error_and_nil_is_a_value(name: str) -> None:
    assert run(f"return {{pcall({name})}}") == [False, f"bad argument #1 to '{name}' (value expected)"]
    assert run(f"return (pcall({name}, nil))") is True


@pytest.mark.parametrize("kind", KINDS)
def test_the_data_of_a_payload_is_its_value_in_any_format(kind: str) -> None:
    body = "local p = payload.new({id = 7}):transcode(payload.{}) return p:data()"
    for encoded in ("JSON", "YAML", "MSGPACK"):
        assert run(body.replace("{}", encoded), kind) == {"id": 7}
    assert run("return payload.new({id = 7}):transcode(payload.JSON):data()", "workflow", kernel=1) == '{"id":7}'


def test_a_workflow_may_derive_a_key_up_to_the_documented_bound() -> None:
    def derive(times: int, limit: int, **options: int) -> Driver:
        body = "local n for _ = 1, ... do n = #require('crypto').pbkdf2('p', 's', 1000000, 32) end return n"
        source = f"return function(...) {body} end"
        return Driver.of_source(source, "workflow", (times,), limits=Limits(max_instructions=limit), **options)

    assert derive(1, 40_000_000).value == 32
    assert derive(1, 10_000_000, kernel=1).failure.kind == LIMIT_EXCEEDED
    # Three take longer than a workflow may compute: that ends the run, and is not tried for ever.
    assert derive(3, 40_000_000).failure.kind == LIMIT_EXCEEDED


def test_a_pattern_names_a_wrong_capture_as_lua_does() -> None:
    body = "return select(2, pcall(string.find, 'abc', '(%1)'))"
    assert run(body) == "invalid capture index %1"
    assert run(body, "workflow", kernel=1) == "invalid capture index %1 in pattern"
