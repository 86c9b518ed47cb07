"""Any value crosses between Python and Lua as the contract says, or is refused in words."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import INVALID, Failure
from engine.lua.marshal import MAX_DEPTH, about, size_of
from engine.steps import Failed, Returned, Value
from engine.testing import Driver, program_of

ECHO = program_of("return function(...) return ... end")
GIVE = "return function() {body} end"
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20)
    | st.sampled_from(["", "\0", "\ud800", b"\xff", 2**63, -(2**63), 10**400, -0.0, 5.0])
)
KEYS = st.text(max_size=5) | st.binary(max_size=5) | st.integers(-3, 6) | st.floats(allow_nan=False) | st.booleans()
FAILURES = st.builds(
    Failure, st.text(max_size=9), st.text(max_size=9), st.none() | st.booleans(), st.dictionaries(st.text(), SCALARS)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS | FAILURES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


def text_in_lua(value: str | bytes) -> str | bytes:
    """Strings of Lua are bytes: text where they are UTF-8."""
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data


def number_in_lua(value: float) -> float:
    """Integers of 64 bits, floats beyond."""
    if isinstance(value, bool | float) or -(2**63) <= value < 2**63:
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def key_in_lua(key: Any) -> Any:
    """Whole floats are integers as keys."""
    if isinstance(key, str | bytes):
        return text_in_lua(key)
    if isinstance(key, float) and key.is_integer() and -(2**63) <= key < 2**63:
        return int(key)
    return number_in_lua(key)


def table_in_lua(pairs: list[tuple[Any, Value]]) -> Value:
    """A list when there are keys and they are 1..n, a dict otherwise; nil is no value."""
    table = {(type(k) is bool, k): (k, v) for k, v in pairs}
    held = {tag: (k, in_lua(v)) for tag, (k, v) in table.items() if in_lua(v) is not None}
    numbers = [(False, n) for n in range(1, len(held) + 1)]
    if held and all(tag in held for tag in numbers):
        return [held[tag][1] for tag in numbers]
    return dict(held.values())


def in_lua(value: Value) -> Value:
    """What comes back of a value that went into Lua."""
    match value:
        case str() | bytes():
            return text_in_lua(value)
        case int() | float():
            return number_in_lua(value)
        case list():
            return table_in_lua(list(enumerate(value, 1))) or []
        case dict():
            return table_in_lua([(key_in_lua(k), v) for k, v in value.items()])
        case Failure(kind, message, retryable, details):
            return Failure(shown(kind), shown(message), retryable, in_lua(dict(details)))
        case _:
            return value


def shown(text: str) -> str:
    """The text of an error as people read it."""
    found = text_in_lua(text)
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else found


def same(left: Value, right: Value) -> bool:
    """Equal in value and in type, NaN and the sign of zero included; stacks are left out."""
    if type(left) is not type(right):
        return False
    match left:
        case float():
            return repr(left) == repr(right)
        case list():
            return len(left) == len(right) and all(map(same, left, right))
        case dict():
            return {*map(repr, left)} == {*map(repr, right)} and all(same(left[k], right[k]) for k in left)
        case Failure():
            mine, other = ((f.kind, f.message, f.retryable) for f in (left, right))
            return mine == other and same(dict(left.details), dict(right.details))
        case _:
            return bool(left == right)


@FUZZ
@given(VALUES)
def test_a_value_comes_back_as_lua_holds_it(value: Value) -> None:
    returned = Driver(ECHO, args=(value,)).value
    assert same(returned, in_lua(value)), (value, returned)


@FUZZ
@given(VALUES)
def test_what_came_back_once_comes_back_the_same_again(value: Value) -> None:
    once = in_lua(value)
    assert same(Driver(ECHO, args=(once,)).value, once)


@FUZZ
@given(st.text(max_size=30), st.text(max_size=30), VALUES)
def test_a_message_of_any_topic_sender_and_value_arrives(topic: str, sender: str, value: Value) -> None:
    source = (
        "return function() local m = process.inbox():receive() return {m:topic(), m:from(), m:payload():data()} end"
    )
    driver = Driver.of_source(source)
    driver.send(topic, value, sender=sender)
    assert same(driver.value, in_lua([topic, sender, value]))


def nested(levels: int) -> Value:
    """A list in a list, so many levels of them."""
    value: Value = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_values_nest_up_to_the_limit_both_ways() -> None:
    driver = Driver(ECHO, args=(nested(MAX_DEPTH),))
    assert driver.value == nested(MAX_DEPTH)
    refused = Driver(ECHO, args=(nested(MAX_DEPTH + 1),)).failure
    assert (refused.kind, "nested deeper" in refused.message) == (INVALID, True)


LUA_SCALARS = st.sampled_from(
    ["nil", "true", "false", "0", "-0.0", "1", "1.0", "2.5", "0/0", "1/0", "math.mininteger", "'x'", "'\\0'", "'\\255'"]
)
LUA_ODD = st.sampled_from(
    [
        *(
            "print",
            "coroutine.create(print)",
            "channel.new()",
            "errors.new('e')",
            "payload.new({1})",
            "process",
            "shared",
        ),
        "setmetatable({1}, {__index = function() error('no') end})",
        "setmetatable({}, {__len = function() return 9 end})",
        "setmetatable({a = 1}, {__pairs = function() error('no') end})",
    ]
)
LUA_VALUES: st.SearchStrategy[str] = st.recursive(
    LUA_SCALARS | LUA_ODD,
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: "{" + ", ".join(items) + "}")
        | st.lists(st.tuples(LUA_SCALARS.filter(lambda k: k not in ("nil", "0/0")), inner), max_size=4).map(
            lambda pairs: "{" + ", ".join(f"[{k}] = {v}" for k, v in pairs) + "}"
        )
    ),
    max_leaves=12,
)


@FUZZ
@given(LUA_VALUES)
def test_whatever_lua_returns_is_a_value_or_a_clear_failure(expression: str) -> None:
    status = Driver.of_source(GIVE.format(body=f"local shared = {{1}} return {expression}")).status
    if isinstance(status, Failed):
        assert status.failure.kind == INVALID
        assert "both 1 and true" in status.failure.message
    else:
        assert isinstance(status, Returned)
        assert same(Driver(ECHO, args=(status.value,)).value, in_lua(status.value))


@FUZZ
@given(LUA_VALUES)
def test_whatever_lua_sends_asks_and_logs_leaves_the_unit_alive(expression: str) -> None:
    body = f"""
        local shared, json, yaml = {{1}}, require("json"), require("yaml")
        local value = {expression}
        process.send(process.pid(), "t", value)
        require("logger"):info("m", {{field = value}})
        for _, encode in ipairs({{json.encode, function(v) return yaml.encode({{v}}) end}}) do
            local text, err = encode(value)
            if not text then assert(err:kind() == "Internal", err) end
        end
        for _, format in ipairs({{"YAML", "MSGPACK", "JSON"}}) do
            local p, err = payload.new(value):transcode(payload[format])
            if p then assert(select(2, p:unmarshal()) == nil) else assert(err:kind() == "Internal", err) end
        end
        return "alive" """
    driver = Driver.of_source(GIVE.format(body=body))
    if driver.waiting:
        driver.resolve(driver.last(), True)
    assert driver.value == "alive"


@pytest.mark.parametrize(
    "table", ["{[1] = 1, [true] = 2}", "{[0] = 1, [false] = 2}", "{{x = {[1.0] = 1, [true] = 2}}}"]
)
def test_a_table_that_would_lose_a_key_is_refused_where_the_code_hands_it_over(table: str) -> None:
    body = f"""
        local value, errs = {table}, {{}}
        local function refused(_, err) errs[#errs + 1] = err:message() end
        refused(require("json").encode(value))
        refused(require("yaml").encode(value))
        refused(require("crypto").jwt.encode({{claim = value}}, "key"))
        refused(process.send(process.pid(), "t", value))
        refused(require("funcs").call("a:b", value))
        for i = 1, #errs do assert(errs[i]:find("both 1 and true", 1, true), errs[i]) end
        return #errs """
    for kind in ("function", "process", "workflow"):
        assert Driver.of_source(GIVE.format(body=body), kind).value == 5


CYCLES = [
    "local t = {} t.t = t return t",
    "local a, b = {}, {} a[1], b[1] = b, a return a",
    "local t = setmetatable({}, {}) t[1] = {t} return t",
    "local t = {} for _ = 1, 201 do t = {t} end return t",
]


@pytest.mark.parametrize("body", CYCLES)
def test_circles_and_depths_are_refused_wherever_they_cross(body: str) -> None:
    failure = Driver.of_source(GIVE.format(body=body)).failure
    assert failure.kind == INVALID
    assert "cyclic" in failure.message or "nested deeper" in failure.message


def test_shared_tables_become_copies() -> None:
    assert Driver.of_source(GIVE.format(body="local s = {1} return {s, s, {s}}")).value == [[1], [1], [[1]]]


def test_long_strings_cross_both_ways() -> None:
    for value in ("x" * 3_000_000, "é" * 1_500_000, b"\xff" * 3_000_000):
        assert Driver(ECHO, args=(value,)).value == value


def test_a_sample_tells_about_how_many_bytes_a_long_value_holds() -> None:
    entry = {"id": "app:one", "meta": {"tags": ["a", "b"], "comment": "x" * 100}, "failure": Failure("K", "m" * 50)}
    for value in (entry, [entry] * 1000, {str(n): [entry] for n in range(500)}, "x" * 100, None, [], (1, 2.5)):
        assert abs(about(value) - size_of(value)) <= 0.1 * size_of(value)
