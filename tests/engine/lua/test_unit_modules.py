"""errors, ctx, json, uuid, logger, workflow, require and globals."""

from __future__ import annotations

import pytest

from engine.program import Chunk, Program
from engine.steps import Limits, Log, Value
from engine.testing import Driver, HandWorld


def run(text: str, *args: Value, **options: object) -> Value:
    return Driver.of_source(f"return {{main = function(...) {text} end}}", args=args, **options).value  # type: ignore[arg-type]


# --- errors -------------------------------------------------------------------------------------


def test_an_error_shows_its_message_only() -> None:
    source = (
        "local e = errors.new{message='m', kind=errors.CONFLICT, retryable=false} return "
        "{tostring(e), e:message(), e:kind(), e:retryable(), type(e), e .. '!', 'a' .. e, e .. e, "
        "#e:stack() > 0}"
    )
    assert run(source) == ["m", "m", "Conflict", False, "userdata", "m!", "am", "mm", True]


def test_a_plain_error_has_no_kind_and_no_opinion_on_retrying() -> None:
    assert run("local e = errors.new('m') return {e:kind(), e:retryable() == nil, e:details() == nil}") == [
        "",
        True,
        True,
    ]


def test_wrapping_shows_the_context_one_level_late() -> None:
    source = """
        local a = errors.wrap(errors.new{message='a', kind='Timeout'}, 'b')
        local c = errors.wrap(a, 'c')
        return {a:message(), c:message(), c:kind(), tostring(c), errors.wrap('text', 'x'):message()}
    """
    assert run(source) == ["a", "b: a", "Timeout", "b: a", "text"]


def test_the_context_becomes_a_prefix_at_a_boundary() -> None:
    driver = Driver.of_source("return function() return nil, errors.wrap(errors.new('a'), 'b') end")
    assert driver.failure.message == "b: a"


@pytest.mark.parametrize("argument", ["nil", "5", "{}", "{message = 5}"])
def test_errors_new_raises_on_misuse(argument: str) -> None:
    assert run(f"return (pcall(errors.new, {argument}))") is False


def test_is_compares_kinds_exactly() -> None:
    source = (
        "local e = errors.new{message='m', kind='NotFound'} return {errors.is(e, "
        "errors.NOT_FOUND), errors.is(e, 'Invalid'), errors.is(nil, ''), errors.is('x', ''), "
        "errors.is({}, '')}"
    )
    assert run(source) == [True, False, False, False, False]


def test_string_functions_accept_an_error() -> None:
    source = (
        "local e = errors.new('thing not found') return {string.find(e, 'not found') ~= nil, "
        "string.upper(e), string.format('%s', e)}"
    )
    assert run(source) == [True, "THING NOT FOUND", "thing not found"]


def test_a_call_stack_names_lines() -> None:
    source = "return function()\n local e = errors.new('x')\n return errors.call_stack(e).frames[1].line end"
    assert Driver.of_source(source).value == 2


def test_error_objects_survive_pcall_untouched() -> None:
    assert run("local e = errors.new('x') local ok, got = pcall(error, e) return {ok, got == e}") == [False, True]


# --- ctx ----------------------------------------------------------------------------------------


def test_context_reads_what_was_inherited() -> None:
    source = (
        "local ctx = require('ctx') local _, err = ctx.get('no') local _, empty = ctx.get('') "
        "return {ctx.get('a'), err:kind(), err:message(), empty:kind(), ctx.all().a}"
    )
    assert run(source, context={"a": 1}) == [1, "NotFound", "key not found: no", "Invalid", 1]


# --- json ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("nil", "null"),
        ("{}", "[]"),
        ("{1, 2}", "[1,2]"),
        ("{b = 1, a = 'é'}", '{"a":"é","b":1}'),
        ("5.0", "5"),
        ("1.5", "1.5"),
        ("0/0", "null"),
        ("math.huge", "null"),
        ("{1, {x = true}}", '[1,{"x":true}]'),
    ],
)
def test_json_encodes(expression: str, text: str) -> None:
    assert run(f"return require('json').encode({expression})") == text


@pytest.mark.parametrize("expression", ["{1, nil, 3}", "{1, a = 2}", "{[5] = 1}"])
def test_json_refuses_sparse_and_mixed_tables(expression: str) -> None:
    assert run(f"local s, err = require('json').encode({expression}) return {{s == nil, err:kind()}}") == [
        True,
        "Internal",
    ]


def test_json_refuses_a_cycle() -> None:
    assert run("local t = {} t.t = t local s, err = require('json').encode(t) return {s == nil, err:kind()}") == [
        True,
        "Internal",
    ]


def test_json_decodes() -> None:
    assert run(
        "local v = require('json').decode('{\"a\": [1, 2.5, null], \"b\": null}') return {v.a[1], "
        "v.a[2], v.a[3] == nil, v.b == nil, math.type(v.a[1])}"
    ) == [1, 2.5, True, True, "integer"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [("", "Invalid"), (5, "Invalid"), ("{", "Internal"), ("NaN", "Internal"), ("[" * 100000, "Internal")],
)
def test_json_decode_says_what_is_wrong(text: object, kind: str) -> None:
    assert run("local v, err = require('json').decode(...) return {v == nil, err:kind()}", text) == [True, kind]


def test_json_validates() -> None:
    source = """
        local json = require('json')
        local schema = {type = 'object', properties = {n = {type = 'integer'}}, required = {'n'}}
        local ok = json.validate(schema, {n = 1})
        local bad, err = json.validate(schema, {n = 'x'})
        local empty, missing = json.validate(schema, {})
        local text = json.validate_string(schema, '{"n": 2}')
        return {ok, bad, err:kind(), empty, string.find(missing, 'required') ~= nil, text}
    """
    assert run(source) == [True, False, "Invalid", False, True, True]


# --- uuid ---------------------------------------------------------------------------------------


def test_uuids_have_their_versions() -> None:
    source = (
        "local u = require('uuid') local out = {} for i, v in ipairs({'v1', 'v4', 'v7'}) do out[i] "
        "= u.version(u[v]()) end return out"
    )
    assert run(source) == [1, 4, 7]


def test_named_uuids_are_the_known_ones() -> None:
    source = (
        "local u = require('uuid') local dns = '6ba7b810-9dad-11d1-80b4-00c04fd430c8' return "
        "{u.v5(dns, 'python.org'), u.v3(dns, 'python.org')}"
    )
    assert run(source) == ["886313e1-3b8a-5372-9b90-0c9aee199e5d", "6fa459ea-ee8a-3ca4-894e-db77e160355e"]


def test_uuids_check_and_format() -> None:
    source = (
        "local u = require('uuid') local s = u.v4() local _, err = u.parse('x') return "
        "{u.validate(s), u.validate(5), u.variant(s), #u.format(s, 'simple'), err:kind()}"
    )
    assert run(source) == [True, False, "RFC4122", 32, "Invalid"]


def test_the_same_seed_gives_the_same_uuids() -> None:
    source = "return {require('uuid').v4(), require('uuid').v7(), math.random(1000000)}"
    assert run(source, world=HandWorld(seed=5)) == run(source, world=HandWorld(seed=5))
    assert run(source, world=HandWorld(seed=5)) != run(source, world=HandWorld(seed=6))


# --- logging ------------------------------------------------------------------------------------


def test_print_and_logger_write_log_commands() -> None:
    driver = Driver.of_source(
        "return function() print('a', 1, nil) require('logger'):named('n'):with({x = 1}):warn('m', {y = 2}) end"
    )
    assert driver.logs == [Log("info", "a 1 nil"), Log("warn", "m", {"x": 1, "y": 2}, "n")]


# --- workflow -----------------------------------------------------------------------------------


def test_outside_a_workflow_the_module_says_so() -> None:
    source = (
        "local w = require('workflow') local _, err = w.exec('a:b') return {w.info() == nil, "
        "w.history_length(), w.version('c', 1, 3), err:kind()}"
    )
    assert run(source) == [True, 0, 3, "Invalid"]


def test_inside_a_workflow_info_comes_from_the_host() -> None:
    world = HandWorld(info={"workflow_id": "w-1", "history_length": 9})
    source = "return function() local w = require('workflow') return {w.info().workflow_id, w.history_length()} end"
    assert Driver.of_source(source, "workflow", world=world).value == ["w-1", 9]


# --- require and globals ------------------------------------------------------------------------


def test_a_module_must_be_declared() -> None:
    program = Program(
        "t:u",
        "function.lua",
        "main",
        {"t:u": Chunk("t:u", "return function() return {pcall(require, 'json'), json == nil} end")},
    )
    ok, undeclared = Driver(program).value
    assert ok is False
    assert undeclared is True


def test_a_declared_module_is_also_a_global() -> None:
    assert (
        run("return json == require('json') and errors == require('errors') and process == require('process')") is True
    )


def test_a_library_is_loaded_once_with_its_own_imports() -> None:
    chunks = {
        "t:u": Chunk(
            "t:u",
            (
                "local a, b = require('first'), second return function() return {a.count(), "
                "b.first.count(), json == nil} end"
            ),
            (),
            {"first": "l:one", "second": "l:two"},
        ),
        "l:one": Chunk("l:one", "local n = 0 return {count = function() n = n + 1 return n end}", ("json",)),
        "l:two": Chunk("l:two", "return {first = require('one')}", (), {"one": "l:one"}),
    }
    assert Driver(Program("t:u", "function.lua", "main", chunks)).value == [1, 2, True]


def test_libraries_are_read_only_and_objects_are_sealed() -> None:
    source = (
        "return {(pcall(function() string.x = 1 end)), (pcall(function() process.send = 1 end)), "
        "(pcall(function() errors.new('x').y = 1 end)), (pcall(pairs(channel.new()))), "
        "(pcall(rawget, channel.new(), 1))}"
    )
    assert run(source) == [False] * 5


@pytest.mark.parametrize(
    "name",
    [
        "load",
        "loadstring",
        "dofile",
        "loadfile",
        "collectgarbage",
        "io",
        "debug",
        "utf8",
        "python",
        "rawlen",
        "os.execute",
        "os.exit",
        "os.getenv",
        "string.dump",
        "package.loadlib",
    ],
)
def test_what_could_escape_is_absent(name: str) -> None:
    assert run(f"return {name} == nil") is True


def test_nothing_reachable_leads_to_the_real_globals() -> None:
    source = """
        local seen, found = {}, {}
        local function walk(v, path, depth)
            if depth > 6 or (type(v) ~= 'table') or seen[v] then return end
            seen[v] = true
            if v.loadstring or v.collectgarbage or v.sethook or v.loadlib then found[#found + 1] = path end
            for key, value in pairs(v) do walk(value, path .. '.' .. tostring(key), depth + 1) end
            local meta = getmetatable(v)
            if type(meta) == 'table' then walk(meta, path .. '<meta>', depth + 1) end
        end
        walk(_G, '_G', 0)
        for _, v in ipairs({string, table, math, os, coroutine, process, channel, errors, payload, time, json,
        funcs}) do walk(v, 'lib', 0) end
        walk(getmetatable(''), 'string meta', 0)
        return found
    """
    assert run(source) == []


def test_checking_by_a_schema_is_charged_to_the_step() -> None:
    source = """
        local json = require("json")
        local schema = { type = "array", items = { type = "integer" } }
        local list = {}
        for i = 1, 5000 do list[i] = i end
        return { main = function() while true do json.validate(schema, list) end end }
    """
    failure = Driver.of_source(source, limits=Limits(max_instructions=10_000_000)).failure
    assert failure.kind == "LimitExceeded"


@pytest.mark.parametrize(("kernel", "told"), [(1, True), (2, False)])
def test_keys_of_contexts_that_begin_with_at_are_reserved_from_version_2_on(kernel: int, told: bool) -> None:
    source = """
    local funcs, ctx = require("funcs"), require("ctx")
    return { main = function()
      return pcall(function() funcs.new():with_context({ ["@doubles"] = "x" }) end) and ctx.all()["@x"] ~= nil
    end }"""
    assert Driver.of_source(source, "workflow", kernel=kernel, context={"@x": 1}).value is told
