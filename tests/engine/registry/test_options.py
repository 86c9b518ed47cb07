"""Options are checked when an entry is published: what hosts would refuse, and what they would not read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from engine.registry.options import ACTIVITY, WORKFLOW
from tests.engine.registry.checking import entry, told, workflow

READERS = Path(__file__).parents[3] / "engine" / "hosts" / "temporal" / "options"
WORKER = [
    entry("client", "temporal.client", address="x:1"),
    entry("worker", "temporal.worker", client="client", task_queue="q"),
]


def of(options: Any) -> list[str]:
    return [
        each.removeprefix("app:f meta.options")
        for each in told(entry("f", "function.lua", {"options": options}, source="x"))
    ]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"timeout": "banana"}, '.timeout: must be a duration such as "500ms", "30s" or "1h30m", not "banana"'),
        ({"timeout": -1}, ".timeout: must be at least 0, not -1"),
        ({"retry": {"max_attempts": "3"}}, '.retry.max_attempts: must be a whole number, not "3"'),
        ({"retry": 3}, ".retry: must be a mapping, not 3"),
        (
            {"workflow.cron_schedule": "every night"},
            '.workflow.cron_schedule: must be a cron schedule such as "30 2 * * *", "@daily" or "@every 1h", '
            'not "every night"',
        ),
        (
            {"workflow": {"id_reuse_policy": "reject"}},
            ".workflow.id_reuse_policy: must be one of `allow_duplicate`, `allow_duplicate_failed_only`, "
            '`reject_duplicate`, not "reject"',
        ),
        (
            {"temporal": {"activity": {"heartbeat_timeout": "soon"}}},
            '.temporal.activity.heartbeat_timeout: must be a duration such as "500ms", "30s" or "1h30m", not "soon"',
        ),
        ({"activity.local": "yes"}, '.activity.local: must be true or false, not "yes"'),
        (
            {"activity.retry_policy": {"maximumAttempts": 1.5}},
            ".activity.retry_policy.maximumAttempts: must be a whole number, not 1.5",
        ),
    ],
)
def test_a_value_that_no_host_would_take_is_named(options: Any, problem: str) -> None:
    assert of(options) == [problem]


@pytest.mark.parametrize(
    ("options", "name", "hint"),
    [
        ({"retries": 3}, "retries", "known here: `default_host`, `retry`, `timeout`; activity.*, workflow.*"),
        ({"workflow.execution_timout": "1h"}, "execution_timout", "did you mean `execution_timeout`?"),
        ({"workflow": {"execution_timout": "1h"}}, "execution_timout", "did you mean `execution_timeout`?"),
        ({"retry": {"max_attemps": 3}}, "max_attemps", "did you mean `max_attempts`?"),
    ],
)
def test_a_name_that_no_host_reads_is_a_warning(options: Any, name: str, hint: str) -> None:
    (problem,) = of(options)
    assert f"the field `{name}` is unknown and has no effect ({hint})" in problem


def test_options_beside_the_worker_are_told_where_they_belong() -> None:
    meta = {"temporal": {"workflow": {"worker": "worker", "cron_schedule": "@daily"}}}
    assert told(*WORKER, workflow("w", meta)) == [
        "app:w meta.temporal.workflow.cron_schedule: the field `cron_schedule` is unknown and has no effect "
        "(options stand in `meta.options`, as `workflow.cron_schedule`)"
    ]


def test_good_options_pass_in_every_form() -> None:
    policy = {"initialInterval": "1s", "maximum_attempts": 3}
    good = {
        "timeout": 500, "retry": {"max_attempts": 3, "skip_kinds": ["Invalid"]}, "default_host": None,
        "activity": {"retry_policy": policy, "summary": "x", "priority": 1}, "temporal.activity.local": True,
        "temporal": {"workflow": {"cron_schedule": "CRON_TZ=Europe/Berlin 30 2 * * *", "memo": {"a": 1}}},
        "workflow.start_delay": "${env:DELAY|1h}", "workflow.priority": {"priority_key": 2},
        "workflow.versioning_override": "auto_upgrade",
    }  # fmt: skip
    assert of(good) == []


@pytest.mark.parametrize(("file", "schema"), [("activity.py", ACTIVITY), ("start.py", WORKFLOW)])
def test_the_names_are_those_that_hosts_read(file: str, schema: Any) -> None:
    read = re.findall(
        r"options\.(?:name|text|short_text|duration|flag|choice|table|value)\(\"(\w+)\"", (READERS / file).read_text()
    )
    methods = {"queue": "task_queue", "cron": "cron_schedule", "priority": "priority", "retry_policy": "retry_policy"}
    called = re.findall(r"options\.(queue|cron|priority|retry_policy)\(", (READERS / file).read_text())
    assert {*read, *(methods[each] for each in called)} | {"name"} == set(schema["properties"])
