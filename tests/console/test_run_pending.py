"""The tabs Pending and Details: what Temporal knows of an open run beside its history."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from temporalio.client import Client
from temporalio.common import RetryPolicy

from engine.entry import Entry
from tests.console.lua_stage import LuaStage, lua_stage, serving
from tests.console.operating import WORKER, Stage
from tests.console.test_run_state import entry, plain, text_of
from wippy_console.models import Run
from wippy_console.services.diagnosis.pending import pending
from wippy_console.services.masking import MASK

pytestmark = pytest.mark.django_db(transaction=True)

FAILS = "return function() return nil, errors.new({message = 'gateway says 503', kind = errors.UNAVAILABLE}) end"
CALLS = """
local funcs, time = require("funcs"), require("time")
return function(order)
  coroutine.spawn(function() time.sleep("2h") end)
  coroutine.spawn(function() process.listen("decision"):receive() end)
  process.spawn("case:leaf", "app:worker")
  return funcs.new():with_options({retry = {max_attempts = 20, initial_delay = "1h"}}):call("case:fails")
end
"""
LEAF = "return function() require('time').sleep('1h') end"


@pytest.fixture
def stage(transactional_db: None, temporal_address: str) -> Iterator[LuaStage]:
    """A run that calls what fails, sleeps, listens, and has a child."""
    with lua_stage(temporal_address) as made:
        made.publish(
            entry("case:calls", CALLS, mask=["card"]),
            entry("case:leaf", LEAF),
            Entry("case:fails", "function.lua", {}, {"source": FAILS, "method": "main", "modules": []}),
        )
        yield made


def test_pending_tells_attempts_errors_and_next_tries_children_timers_and_messages(stage: LuaStage) -> None:
    with serving(stage):
        run = stage.waits(stage.start("case:calls"), "topic", "decision")
        viewer = stage.cast.viewer
        stage.until(lambda: any(call.failure for call in pending(run, viewer).activities))
        stage.until(lambda: any(child.run_id for child in pending(run, viewer).children))
        found, page = pending(run, viewer), text_of(viewer, run, "?tab=pending")
    (call,) = found.activities
    assert (call.name, call.attempt, call.most) == ("case:fails", 2, 20)
    assert call.failure is not None
    assert call.failure.message == "gateway says 503"
    assert call.next_at is not None
    assert [child.name for child in found.children] == ["case:leaf"]
    assert [row.kind for row in found.timers] == ["timer"]
    shown = plain(page)
    for words in ("attempt 2 of 20", "Waits for its next try", "gateway says 503", "decision", "case:leaf"):
        assert words in shown
    assert "every 3s" in page


def test_a_workflow_task_that_nobody_takes_is_told_as_pending(stage: LuaStage) -> None:
    run = stage.start("case:calls")
    shown = plain(text_of(stage.cast.viewer, run, "?tab=pending"))
    assert "Workflow task" in shown
    assert "Waits for a worker" in shown


def test_a_workflow_task_that_fails_tells_its_attempt_error_and_stack(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:stuck")
    LuaStage.until(lambda: (task := pending(run, on_stage.cast.viewer).task) is not None and task.failure is not None)
    shown = plain(text_of(on_stage.cast.viewer, run, "?tab=pending"))
    for words in ("Workflow task", "attempt ", "Traceback", "reset the run to a step before"):
        assert words in shown


def test_a_stuck_run_says_what_to_do_and_where_the_error_is(stage: LuaStage) -> None:
    run = stage.start("case:leaf")
    Run.objects.filter(pk=run.pk).update(stuck_reason="its workflow task fails again and again: boom")
    page = text_of(stage.cast.viewer, run, "")
    assert "?tab=pending" in page
    assert "What to do" in plain(page)


def test_nothing_is_pending_of_a_run_that_is_over(stage: LuaStage) -> None:
    run = stage.start("case:leaf")
    Run.objects.filter(pk=run.pk).update(status="completed", closed_at=run.started_at)
    assert "The run is over" in plain(text_of(stage.cast.viewer, run, "?tab=pending"))


async def _started(stage: LuaStage) -> str:
    client = await Client.connect(stage.address, identity="somebody@elsewhere")
    handle = await client.start_workflow(
        "case:calls",
        {"card": "4111-2222"},
        id=f"elsewhere-{stage.queue}",
        task_queue=stage.queue,
        memo={"note": "for card 4111-2222", "api_token": "abc", "number": 2**62},
        retry_policy=RetryPolicy(maximum_attempts=3),
        cron_schedule="0 12 1 1 *",
    )
    return str(handle.first_execution_run_id)


def test_details_show_memo_attributes_and_timeouts_decoded_and_masked(stage: LuaStage) -> None:
    run_id = asyncio.run(_started(stage))
    like = stage.start("case:calls")
    Run.objects.create(
        run_id=run_id, workflow_id=f"elsewhere-{stage.queue}", entry_id="case:calls", namespace="case",
        client=like.client, worker=WORKER, task_queue=stage.queue, started_at=like.started_at,
    )  # fmt: skip
    run = Run.objects.get(pk=run_id)
    page = text_of(stage.cast.viewer, run, "?tab=details")
    shown = plain(page)
    for words in ("somebody@elsewhere", "0 12 1 1 *", "3 attempts", str(2**62), stage.queue):
        assert words in shown
    assert "4111-2222" not in page
    assert "abc" not in shown
    assert f"note &quot;{MASK}&quot;" in page or MASK in shown
