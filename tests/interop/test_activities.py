"""Lua workflows call activities that a Python worker serves on its own queue."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.engine.hosts.temporal.stage import Stage

CALL = """
local executor = funcs.new():with_options(c or {})
local value, err = executor:call(a, table.unpack(b))
if err then
    return {kind = err:kind(), message = err:message(), retryable = err:retryable(), details = err:details()}
end
return {value = value}
"""


async def call(stage: Stage, queue: str, name: str, *args: Any, **options: Any) -> Any:
    """What a Lua workflow sees of an activity."""
    stage.workflow("app:calls", CALL)
    given = {"activity.task_queue": queue, **{f"activity.{key}": value for key, value in options.items()}}
    return await stage.value("app:calls", name, list(args), given)


async def test_values_go_there_and_back(stage: Stage, python_queue: str) -> None:
    told = await call(stage, python_queue, "py:add", 2, 40)
    assert told["value"]["sum"] == 42
    assert told["value"]["queue"] == python_queue
    assert told["value"]["process"] != os.getpid()
    assert await call(stage, python_queue, "py:sync", "loud") == {"value": "LOUD"}
    assert await call(stage, python_queue, "py:nothing") == {}


async def test_what_json_allows_arrives_as_documented(stage: Stage, python_queue: str) -> None:
    stage.workflow(
        "app:looks",
        """
        local v = funcs.new():with_options({["activity.task_queue"] = a}):call("py:values")
        return {
            v.none == nil, v.holes[1] == 1 and v.holes[2] == nil and v.holes[3] == 3,
            v.nested.a == nil, v.nested.b[1] == nil,
            math.type(v.big) == "float" and v.big == 2.0^70,
            v.least == math.mininteger, math.type(v.least) == "integer",
            v.whole == 2, next(v.empty_list) == nil, next(v.empty_table) == nil, v.tagged["$bytes"] == "not base64!",
            v.text == "grüße",
        }
        """,
    )
    assert await stage.value("app:looks", python_queue) == [True] * 12
    stage.workflow("app:bytes", "return #funcs.new():with_options({['activity.task_queue'] = a}):call('py:bytes')")
    assert await stage.value("app:bytes", python_queue) == 3


@pytest.mark.parametrize(
    ("value", "type_name"),
    [(1, "int"), (1.5, "float"), ("x", "str"), ([1, 2], "list"), ({"a": 1}, "dict"), (True, "bool"), ([], "list")],
)
async def test_lua_values_arrive_as_plain_json(stage: Stage, python_queue: str, value: Any, type_name: str) -> None:
    assert (await call(stage, python_queue, "py:echo", value))["value"] == {"type": type_name, "value": value}


async def test_errors_of_python_keep_what_they_know(stage: Stage, python_queue: str) -> None:
    typed = await call(stage, python_queue, "py:declines", "typed")
    assert (typed["kind"], typed["message"], typed["retryable"]) == ("Internal", "card declined", False)
    details = typed["details"]
    assert (details["code"], details["_type"], details["_wrapper"]) == (51, "PaymentDeclined", "activity")
    assert details["_retry_state"] == "NON_RETRYABLE_FAILURE"
    assert details["_activity_id"]
    kind = await call(stage, python_queue, "py:declines", "kind")
    assert (kind["kind"], kind["retryable"], kind["details"].get("_type")) == ("Conflict", False, None)
    several = await call(stage, python_queue, "py:declines", "several")
    assert several["details"]["_details"] == ["first", {"big": 2.0**70}]
    caused = await call(stage, python_queue, "py:declines", "caused")
    assert (caused["message"], caused["details"]["_cause"]) == ("outer", "KeyError: 'inner'")


async def test_a_plain_exception_is_retried_by_the_policy(stage: Stage, python_queue: str) -> None:
    policy = {"maximum_attempts": 2, "initialInterval": 10}
    told = await call(stage, python_queue, "py:declines", "plain", retry_policy=policy)
    assert (told["kind"], told["message"], told["retryable"]) == ("Internal", "attempt 2", True)
    assert (told["details"]["_type"], told["details"]["_retry_state"]) == ("ValueError", "MAXIMUM_ATTEMPTS_REACHED")
    assert await call(stage, python_queue, "py:flaky", 3, retry_policy={"initial_interval": 10}) == {"value": 3}
    refused = {"initial_interval": 10, "non_retryable_error_types": ["Unavailable"]}
    told = await call(stage, python_queue, "py:flaky", 3, retry_policy=refused)
    assert (told["kind"], told["details"]["_retry_state"]) == ("Unavailable", "NON_RETRYABLE_FAILURE")


@pytest.mark.parametrize(
    ("options", "timeout_type"),
    [
        ({"start_to_close_timeout": 300}, "start_to_close"),
        ({"heartbeat_timeout": 300}, "heartbeat"),
        ({"schedule_to_close_timeout": 300}, "schedule_to_close"),
    ],
)
async def test_timeouts_say_which_one_it_was(
    stage: Stage, python_queue: str, options: dict[str, Any], timeout_type: str
) -> None:
    told = await call(stage, python_queue, "py:silent", 30.0, retry_policy={"maximum_attempts": 1}, **options)
    assert (told["kind"], told["retryable"], told["details"]["timeout_type"]) == ("Timeout", False, timeout_type)


async def test_a_queue_that_nobody_serves_times_out_when_asked_to(stage: Stage) -> None:
    told = await call(stage, "nobody", "py:add", 1, 2, schedule_to_start_timeout="200ms")
    assert (told["kind"], told["details"]["timeout_type"]) == ("Timeout", "schedule_to_start")


async def test_an_activity_that_no_worker_knows_is_not_found(stage: Stage, python_queue: str) -> None:
    told = await call(stage, python_queue, "py:missing", retry_policy={"maximum_attempts": 1})
    assert (told["kind"], told["retryable"]) == ("NotFound", True)


async def test_a_cancelled_future_is_closed_at_once_and_the_activity_stops(stage: Stage, python_queue: str) -> None:
    stage.workflow(
        "app:cancels",
        """
        local executor = funcs.new():with_options({["activity.task_queue"] = a, ["activity.wait_for_cancellation"] = c})
        local future = executor:async(b)
        time.sleep("300ms")
        future:cancel()
        local value, ok = future:channel():receive()
        local _, err = future:result()
        time.sleep("600ms")
        return {value == nil, ok, err:kind(), future:is_canceled()}
        """,
    )
    for name, waits in (("py:until_canceled", False), ("py:tidies", False), ("py:until_canceled", True)):
        pid = await stage.spawn("app:cancels", python_queue, name, waits)
        assert (await stage.exit(pid)).value == [True, False, "Canceled", True]
        asked = [
            e
            for e in (await stage.history(pid)).events
            if e.HasField("activity_task_cancel_requested_event_attributes")
        ]
        assert len(asked) == 1
