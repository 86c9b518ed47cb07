"""What the server would refuse fails one call, with words that name it; no run is stuck on it."""

from __future__ import annotations

from typing import Any

import pytest

from engine.bounded.cron import cron_problem
from engine.hosts.temporal.wire.bounds import MAX_PENDING
from tests.engine.hosts.temporal.stage import Stage

LONG = "x" * 1100

TELL = "return {err:kind(), err:message()}"
CHILD = f"local _, err = process.with_options(a):spawn('app:child', 'app:worker') {TELL}"
CALL = f"local _, err = funcs.new():with_options(a):call('app:fn') {TELL}"


async def refused(stage: Stage, code: str, argument: Any = None) -> tuple[str, str]:
    """Kind and message of what a workflow of that code is told."""
    stage.function("app:fn", "return 7")
    stage.workflow("app:child", "return 1")
    stage.workflow("app:w", code)
    kind, message = await stage.value("app:w", argument)
    return kind, message


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("search_attributes", {"Nobody": "x"}),
        ("search_attributes", {"Nobody": {"a": 1}}),
        ("cron_schedule", "whenever"),
        ("priority", -1),
        ("priority", 2**40),
        ("priority", {"fairness_key": LONG}),
        ("priority", {"fairness_weight": -5.0}),
        ("id", LONG),
        ("task_queue", LONG),
        ("task_queue", "/_sys/x"),
        ("name", LONG),
        ("summary", LONG),
        ("details", LONG * 30),
        ("start_delay", "1s"),
        ("namespace", "elsewhere"),
        ("versioning_override", "newest"),
        ("versioning_override", {"mode": "pinned"}),
        ("versioning_intent", "maybe"),
        ("parent_close_policy", "ignore"),
        ("wait_for_cancellation", "yes"),
        ("retry_policy", {"initial_interval": "10s", "maximum_interval": "1s"}),
        ("retry_policy", {"maximum_attempts": -1}),
        ("retry_policy", {"maximum_attempts": 2**40}),
        ("retry_policy", {"maximum_attempts": 1.5}),
        ("retry_policy", {"non_retryable_error_types": [1]}),
        ("retry_policy", {"backoff_coefficient": "x"}),
        ("retry_policy", {"max_attempts": 3}),
    ],
)
async def test_a_child_with_a_bad_option_is_not_started(stage: Stage, option: str, value: Any) -> None:
    kind, message = await refused(stage, CHILD, {f"workflow.{option}": value})
    assert kind == "Invalid"
    assert option.replace("_", " ").removesuffix("s") in message.replace("_", " ")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("id", LONG),
        ("name", LONG),
        ("task_queue", LONG),
        ("task_queue", "/_sys/x"),
        ("summary", LONG),
        ("priority", -1),
        ("priority", {"fairness_key": LONG}),
        ("retry_policy", {"maximum_attempts": 2**40}),
        ("start_to_close_timeout", "soon"),
        ("disable_eager_execution", 1),
    ],
)
async def test_a_call_with_a_bad_option_is_not_made(stage: Stage, option: str, value: Any) -> None:
    kind, message = await refused(stage, CALL, {f"activity.{option}": value})
    assert kind == "Invalid"
    assert option.replace("_", " ") in message.replace("_", " ")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("funcs.call('app:' .. ('f'):rep(1100))", ("Invalid", "function ID is longer")),
        ("process.send('{app:client@app:worker|' .. ('f'):rep(1100) .. '}', 't')", ("NotFound", "not found")),
        ("process.cancel('{app:client@app:worker|' .. ('f'):rep(1100) .. '}')", ("NotFound", "not found")),
        ("process.spawn('app:child', ('q'):rep(1100))", ("Invalid", "task queue is longer")),
        ("process.spawn(('t'):rep(1100), 'queue')", ("Invalid", "workflow type is longer")),
        ("workflow.attrs{memo = {x = ('y'):rep(3000000)}}", ("Invalid", "memo, x is too large")),
        ("workflow.attrs{memo = 'text'}", ("Invalid", "memo must be a table")),
        ("workflow.attrs{search = {Nobody = 1}}", ("Invalid", "'Nobody' is not known")),
        ("workflow.attrs{search = 5}", ("Invalid", "search attributes must be")),
        ("workflow.version(('x'):rep(1100), 1, 3)", ("Invalid", "change id is longer")),
        ("workflow.version('c', 1, 100000000)", ("Invalid", "more than 1000 versions")),
    ],
)
async def test_what_names_or_holds_too_much_is_refused(stage: Stage, code: str, told: tuple[str, str]) -> None:
    kind, message = await refused(stage, f"local workflow = require('workflow') local _, err = {code} {TELL}")
    assert (kind, told[1] in message) == (told[0], True), message


async def test_a_memo_of_a_child_has_its_limit(stage: Stage) -> None:
    code = "local o = {['workflow.memo'] = {x = ('y'):rep(3000000)}} local _, err = process.with_options(o)"
    kind, message = await refused(stage, f"{code}:spawn('app:child', 'app:worker') {TELL}")
    assert (kind, "workflow.memo, x is too large" in message) == ("Invalid", True)


async def test_an_activity_id_is_used_by_one_activity_at_a_time(stage: Stage) -> None:
    stage.function("app:fn", "return a")
    stage.workflow(
        "app:w",
        """
        local named = funcs.new():with_options{['activity.id'] = 'same'}
        local first, second = named:async('app:fn', 1), named:async('app:fn', 2)
        local refused = second:channel():receive()
        return {first:channel():receive():data(), refused:kind(), named:call('app:fn', 3)}
        """,
    )
    assert await stage.value("app:w") == [1, "AlreadyExists", 3]


async def test_more_pending_activities_than_the_server_takes_fail_alone(stage: Stage) -> None:
    stage.workflow(
        "app:w",
        """
        local nobody = funcs.new():with_options{['activity.task_queue'] = 'nobody'}
        local futures = {}
        for i = 1, a do
            futures[i] = nobody:async('app:fn')
            if i % 100 == 0 then time.sleep('10ms') end -- the SDK gives a task two seconds, on a loaded machine as well
        end
        local value, err = nobody:call('app:fn')
        futures[1]:cancel()
        time.sleep('10ms')
        local again = nobody:async('app:fn')
        time.sleep('10ms')
        return {err:kind(), err:message(), again:is_complete()}
        """,
    )
    kind, message, complete = await stage.value("app:w", MAX_PENDING)
    assert (kind, complete) == ("LimitExceeded", False)
    assert message == f"{MAX_PENDING} activities of this run are under way, which is the limit"


@pytest.mark.parametrize(
    "schedule",
    [
        "", "* * * * *", "0 */6 * * *", "15,45 9-17 1 JAN-jun mon-fri", "? ? ? ? ?", "@daily", "@every 1h30m",
        "CRON_TZ=Europe/Berlin 0 9 * * 1", "TZ=UTC @hourly", "5/10 * * * *",
    ],
)  # fmt: skip
def test_cron_schedules_of_the_server_are_taken(schedule: str) -> None:
    assert cron_problem(schedule) == ""


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ("whenever", "five fields"),
        ("* * * *", "five fields"),
        ("60 * * * *", "60 is no minute: 0 to 59"),
        ("* 24 * * *", "24 is no hour"),
        ("* * 0 * *", "0 is no day of month"),
        ("* * * foo *", "foo is no month"),
        ("* * * * 7", "7 is no day of week"),
        ("9-5 * * * *", "9-5 is no minute"),
        ("*/0 * * * *", "*/0 is no minute"),
        ("1,,2 * * * *", "1,,2 is no minute"),
        ("@every soon", "@every needs a duration"),
        ("TZ=Moon/Base * * * * *", "Moon/Base is no time zone"),
    ],
)
def test_other_cron_schedules_are_refused(schedule: str, problem: str) -> None:
    assert problem in cron_problem(schedule)


async def test_the_server_agrees_about_cron_schedules(stage: Stage) -> None:
    stage.workflow("app:child", "return 1")
    stage.workflow(
        "app:w",
        """
        for i, schedule in ipairs(a) do
            local options = {['workflow.cron_schedule'] = schedule, ['workflow.parent_close_policy'] = 'terminate'}
            local pid, err = process.with_options(options):spawn('app:child', 'app:worker')
            if err then return {schedule, err:message()} end
        end
        return 'all taken'
        """,
    )
    taken = ["0 */6 * * *", "15,45 9-17 1 JAN-jun mon-fri", "? ? ? ? ?", "@daily", "@every 1h30m", "5/10 * * * *"]
    assert await stage.value("app:w", [*taken, "CRON_TZ=Europe/Berlin 0 9 * * 1", "TZ=UTC 0 9 * * 1"]) == "all taken"
