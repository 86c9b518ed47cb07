"""What an error closes, and what xpcall makes of errors (docs/lua.md#coroutine)."""

from __future__ import annotations

import pytest

from engine.errors import LIMIT_EXCEEDED
from engine.steps import Limits
from engine.testing import Driver

KINDS = ("function", "process", "workflow")
OPENED = """
local logger, time = require("logger"), require("time")
local function opened(name, wait)
  return setmetatable({}, {__close = function(_, why)
    if wait then time.sleep(wait) end
    logger:info(name .. ": " .. tostring(why))
  end})
end
"""


def run(body: str, kind: str = "function", **options: object) -> Driver:
    return Driver.of_source(f"{OPENED} return function() {body} end", kind, **options)  # type: ignore[arg-type]


def said(driver: Driver) -> list[str]:
    return [log.message for log in driver.logs]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_closes_a_body_a_task_and_a_wrapped_coroutine(kind: str) -> None:
    body = run("local a <close> = opened('body') error('x', 0)", kind)
    assert (said(body), body.failure.message) == (["body: x"], "x")
    task = run(
        "coroutine.spawn(function() local a <close> = opened('task') error('y', 0) end) channel.new():receive()", kind
    )
    assert (said(task), task.failure.message) == (["task: y"], "y")
    wrapped = run("return (pcall(coroutine.wrap(function() local a <close> = opened('c') error('z', 0) end)))", kind)
    assert (said(wrapped), wrapped.value) == (["c: z"], False)


@pytest.mark.parametrize("kind", KINDS)
def test_closing_may_wait_and_the_others_go_on_meanwhile(kind: str) -> None:
    driver = run(
        "coroutine.spawn(function() time.sleep('500ms') logger:info('other') end)"
        " local a <close> = opened('body', '1s') error('x', 0)",
        kind,
    )
    assert driver.waiting
    driver.advance(1)
    assert (said(driver), driver.failure.message) == (["other", "body: x"], "x")


def test_other_tasks_are_dropped_as_they_stand() -> None:
    driver = run("local a <close> = opened('body') coroutine.spawn(error, 'x') channel.new():receive()")
    assert (said(driver), driver.failure.message) == ([], "x")


def test_where_it_failed_is_kept() -> None:
    failure = Driver.of_source("return function()\n  error('boom')\nend").failure
    assert (failure.message, "test:unit:2" in failure.stack) == ("test:unit:2: boom", True)
    assert "xpcall" not in failure.stack


def test_nothing_is_closed_after_a_limit_which_closing_is_under_as_well() -> None:
    small = Limits(max_instructions=100_000)
    driver = run("local a <close> = opened('body') while true do end", limits=small)
    assert (said(driver), driver.failure.kind) == ([], LIMIT_EXCEEDED)
    endless = "setmetatable({}, {__close = function() while true do end end})"
    driver = run(f"local a <close> = {endless} error('x')", limits=small)
    assert driver.failure.kind == LIMIT_EXCEEDED
    driver = run(
        f"local co = coroutine.create(function() local a <close> = {endless} coroutine.yield() end)"
        " coroutine.resume(co) coroutine.close(co) logger:info('caught')",
        limits=small,
    )
    assert (said(driver), driver.failure.kind) == ([], LIMIT_EXCEEDED)


@pytest.mark.parametrize("kind", KINDS)
def test_what_coroutine_close_closes_cannot_wait_and_says_so(kind: str) -> None:
    body = """
    local suspended = coroutine.create(function() local a <close> = opened('a', '1s') coroutine.yield() end)
    local failed = coroutine.create(function() local a <close> = opened('a', '1s') error('x') end)
    coroutine.resume(suspended)
    coroutine.resume(failed)
    local told = {}
    for i, co in ipairs{suspended, failed} do told[i] = {coroutine.close(co)} end
    return told"""
    assert run(body, kind).value == [[False, "attempt to yield across a C-call boundary"]] * 2


def test_an_error_through_wrap_gets_the_place_of_its_caller() -> None:
    body = (
        "local f = coroutine.wrap(function() error('deep') end)\nlocal ok, why = pcall(function()\nf() end) return why"
    )
    assert Driver.of_source(f"return function() {body} end").value == "test:unit:3: test:unit:1: deep"


@pytest.mark.parametrize("kind", KINDS)
def test_a_handler_that_raises_gives_false_and_an_error(kind: str) -> None:
    assert run("return {xpcall(error, function(e) error('y', 0) end)}", kind).value == [
        False,
        "error in error handling",
    ]
    twice = "function(e) if e == 'x' then error('again', 0) end return e end"
    assert run(f"return {{xpcall(error, {twice}, 'x')}}", kind).value == [False, "again"]


def test_a_handler_that_is_no_function_is_refused_before_anything_runs() -> None:
    driver = run("return {pcall(xpcall, function() logger:info('ran') end, 7)}")
    assert driver.value == [False, "bad argument #2 to 'xpcall' (function expected, got number)"]
    assert said(driver) == []


def test_runs_begun_before_close_nothing_and_fail_by_their_handler() -> None:
    driver = run("local a <close> = opened('body') error('x', 0)", "workflow", kernel=1)
    assert (said(driver), driver.failure.message) == ([], "x")
    assert run("xpcall(error, function() error('y', 0) end)", "workflow", kernel=1).failure.message == "y"
    assert run("return (pcall(coroutine.wrap(error), 'x'))", "workflow", kernel=1).value is False
