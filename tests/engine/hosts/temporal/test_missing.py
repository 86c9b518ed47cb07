"""Calls of what the registry does not hold: final, unless the caller chose how often to try."""

from __future__ import annotations

import pytest

from engine.entry import Entry
from engine.errors import Failure
from engine.hosts.temporal.client import starting
from tests.engine.hosts.temporal.stage import Stage, lua


async def fail(stage: Stage, code: str) -> Failure:
    """How a run of that code fails."""
    stage.workflow("app:w", code)
    exited = await stage.run("app:w")
    assert exited.failure is not None
    return exited.failure


@pytest.mark.parametrize(
    "options", ["", ":with_options({['activity.local'] = true})", ":with_options({timeout = '1m'})"]
)
async def test_a_call_of_a_function_that_does_not_exist_fails_and_says_what_to_do(stage: Stage, options: str) -> None:
    failure = await fail(stage, f"return funcs.new(){options}:call('app:nothing')")
    assert (failure.kind, failure.retryable) == ("NotFound", False)
    assert "'app:nothing' not found in the registry: publish it or correct the id" in failure.message


async def test_a_retry_policy_waits_for_a_function_that_is_published_later(stage: Stage) -> None:
    policy = "{['activity.retry_policy'] = {initial_interval = '100ms', backoff_coefficient = 1}}"
    stage.workflow("app:w", f"return funcs.new():with_options({policy}):call('app:later')")
    pid = await stage.spawn("app:w")
    await stage.waits_for(pid, "call", "app:later")
    stage.function("app:later", "return 'there'")
    assert (await stage.exit(pid)).value == "there"


async def test_a_function_that_is_published_a_moment_ago_is_found(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node hears of a version a moment after it was made; a run that began with it must not fail by that."""
    stage.function("app:new", "return 'there'")
    known, asked = stage.catalog.entry, []

    def late(entry_id: str) -> Entry | None:
        asked.append(entry_id)
        return None if asked.count("app:new") == 1 and entry_id == "app:new" else known(entry_id)

    monkeypatch.setattr(stage.catalog, "entry", late)
    stage.workflow("app:w", "return funcs.call('app:new')")
    assert await stage.value("app:w") == "there"


async def test_runs_begun_before_are_tried_until_it_is_there(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """**replay**: kernel 1."""
    monkeypatch.setattr(starting, "KERNEL", 1)
    stage.workflow("app:w", "return funcs.call('app:later')")
    pid = await stage.spawn("app:w")
    await stage.waits_for(pid, "call", "app:later")
    stage.function("app:later", "return 'there'")
    assert (await stage.exit(pid)).value == "there"


async def test_a_function_without_its_method_fails_the_call_and_is_named(stage: Stage) -> None:
    stage.catalog.publish(Entry("app:fn", "function.lua", {}, {"source": "return {other = function() end}"}))
    failure = await fail(stage, "return funcs.call('app:fn')")
    assert (failure.kind, failure.retryable) == ("NotFound", False)
    assert 'method "main" not found in module app:fn: its source must return a table with' in failure.message


async def test_a_module_that_a_function_may_not_use_fails_the_call_and_says_where_to_list_it(stage: Stage) -> None:
    stage.catalog.publish(lua("app:fn", "function.lua", "local s = require('sql') return {main = function() end}"))
    failure = await fail(stage, "return funcs.call('app:fn')")
    assert failure.retryable is False
    assert "module 'sql' not found: list it in `modules` or `imports` of app:fn" in failure.message
