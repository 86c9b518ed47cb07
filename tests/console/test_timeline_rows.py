"""Rows folded from histories that a real Temporal recorded (see record_histories.py)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo, PendingWorkflowTaskInfo
from temporalio.client import WorkflowHistory

from wippy_console.services.timeline.details import event_json
from wippy_console.services.timeline.drafts import Draft
from wippy_console.services.timeline.fold import Fold
from wippy_console.services.timeline.heads import spoken
from wippy_console.services.timeline.pending import pending

FOLDER = Path(__file__).parent / "histories"


def events(name: str) -> list[HistoryEvent]:
    return list(WorkflowHistory.from_json("w", (FOLDER / f"{name}.json").read_text()).events)


def folded(name: str) -> Fold:
    fold = Fold()
    fold.read(events(name))
    return fold


def rows(name: str, kind: str) -> list[Draft]:
    return [draft for draft in folded(name).drafts.values() if draft.kind == kind]


def test_the_start_says_whose_it_is_by_its_client() -> None:
    found = events("everything")
    found[0].workflow_execution_started_event_attributes.identity = "user:olga"
    fold = Fold()
    fold.read(found)
    assert fold.drafts[1].sender == "user:olga"


def test_an_activity_with_its_retries_is_one_row() -> None:
    row = rows("everything", "activity")[0]
    assert (row.label, row.state, row.attempt) == ("app.api:flaky", "completed", 3)
    assert [ref.type for ref in row.events] == ["ActivityTaskScheduled", "ActivityTaskStarted", "ActivityTaskCompleted"]
    assert (row.input, row.output) == (["hi"], {"text": "hi", "attempt": 3})
    assert row.failure is None
    assert row.end and row.started and row.start <= row.started <= row.end


def test_a_failed_activity_carries_its_failure() -> None:
    row = rows("everything", "activity")[1]
    assert row.state == "failed" and row.failure is not None
    assert (row.failure.kind, row.failure.retryable) == ("Invalid", False)
    assert row.failure.message.startswith("no ")


def test_a_late_activity_says_which_time_ran_out() -> None:
    row = rows("everything", "activity")[2]
    assert row.state == "timed_out" and row.failure is not None
    assert (row.failure.kind, row.failure.message) == ("Timeout", "timed out (start_to_close)")


def test_a_canceled_activity_keeps_its_cancel_request() -> None:
    row = rows("everything", "activity")[3]
    assert row.state == "canceled"
    assert "ActivityTaskCancelRequested" in [ref.type for ref in row.events]


def test_a_large_output_is_cut_and_says_its_size() -> None:
    row = rows("everything", "activity")[4]
    assert row.output["cut"] is True and row.output["bytes"] > 6_000
    assert len(row.output["preview"]) < 4_096


def test_timers_say_how_long_and_until_when() -> None:
    fired, _, dropped = rows("everything", "timer")
    assert (fired.label, fired.state) == ("Sleep 50ms", "fired")
    assert (dropped.label, dropped.state) == ("Sleep 24h", "canceled")
    assert dropped.deadline == dropped.start + timedelta(hours=24)


def test_children_link_to_their_runs() -> None:
    well, bad, waiting = rows("everything", "child")
    assert [row.state for row in (well, bad, waiting)] == ["completed", "failed", "completed"]
    assert well.child and well.child[0].endswith("/well") and len(well.child[1]) == 36
    assert bad.failure and (bad.failure.kind, bad.failure.message) == ("Invalid", "the child broke")
    assert waiting.output == "child wait"


def test_signals_to_others_show_target_and_refusal() -> None:
    sent, lost, cancel = rows("everything", "external")
    assert (sent.label, sent.state) == ("go", "completed")
    assert lost.state == "failed" and lost.failure and lost.failure.kind == "NotFound"
    assert lost.child == ("nobody", "")
    assert cancel.label == "CANCEL"


def test_a_local_activity_shows_its_attempts() -> None:
    (row,) = rows("everything", "local")
    assert (row.label, row.attempt, row.output) == ("app.api:flaky", 3, {"text": "near", "attempt": 3})


def test_an_update_is_one_row_with_its_answer() -> None:
    (row,) = rows("everything", "update")
    assert (row.label, row.state, row.input, row.output) == ("rename", "completed", ["ann"], "renamed ann")


def test_a_signal_is_a_moment_with_topic_and_payload() -> None:
    (row,) = rows("everything", "signal")
    assert (row.label, row.input, row.end) == ("finish", [{"approved": True}], row.start)


def test_the_exit_row_closes_the_row_of_the_start() -> None:
    (start,), (end,) = rows("everything", "workflow"), rows("everything", "exit")
    assert (end.label, end.state, end.output) == ("EXIT", "completed", {"approved": True})
    assert (start.state, start.end, start.output) == ("completed", end.start, {"approved": True})
    assert start.label == "app.flows:everything"
    assert start.started and start.started > start.start


@pytest.mark.parametrize(
    ("cron", "delay", "says"),
    [("30 2 * * *", 3600, "cron 30 2 * * *"), ("", 5400, "begins after 1h30m"), ("", 0, "order 7")],
)
def test_the_row_of_the_start_says_why_the_code_begins_later(cron: str, delay: int, says: str) -> None:
    first = events("everything")[0]
    first.workflow_execution_started_event_attributes.cron_schedule = cron
    first.workflow_execution_started_event_attributes.first_workflow_task_backoff.FromSeconds(delay)
    fold = Fold()
    fold.read([first])
    assert [row.summary for row in fold.drafts.values()] == [says]


def test_workflow_tasks_are_hidden_unless_they_failed() -> None:
    assert rows("everything", "task") == []
    first, second = rows("stuck", "task")
    assert first.failure and first.failure.message == "cannot go on"
    assert [ref.type for ref in second.events] == ["WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskFailed"]


@pytest.mark.parametrize("name", ["terminated", "canceled", "failed", "timed_out"])
def test_every_end_is_an_exit_row_in_its_own_state(name: str) -> None:
    fold = folded(name)
    exit_row = next(draft for draft in fold.drafts.values() if draft.kind == "exit")
    assert exit_row.state == name == fold.drafts[1].state
    assert (exit_row.failure is None) == (name == "canceled")
    assert all(draft.end is not None for draft in fold.drafts.values())


def test_what_is_pending_gets_its_attempt_and_last_failure_from_the_server() -> None:
    fold = Fold()
    fold.read(events("everything")[:7])
    info = PendingActivityInfo(
        activity_id=fold.drafts[7].activity_id, attempt=4, state=PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    )
    info.last_failure.message = "try 3"
    info.last_failure.application_failure_info.type = "Unavailable"
    row = pending(fold, [info], None, datetime.now(UTC))[7]
    assert (row.attempt, row.state, row.end) == (4, "retrying", None)
    assert row.failure and (row.failure.kind, row.failure.message) == ("Unavailable", "try 3")


def test_a_stuck_task_shows_how_often_it_was_tried() -> None:
    fold = folded("stuck")
    (last,) = pending(fold, [], PendingWorkflowTaskInfo(attempt=7), datetime.now(UTC)).values()
    assert (last.kind, last.attempt, last.end) == ("task", 7, None)


@pytest.mark.parametrize("name", ["everything", "stuck", "timed_out", "terminated", "canceled", "failed"])
def test_every_prefix_of_a_history_folds_to_the_same_rows_in_two_steps(name: str) -> None:
    """A page that follows a run reads it in pieces."""
    all_events = events(name)
    whole = [draft.row() for draft in folded(name).drafts.values()]
    for cut in range(len(all_events)):
        fold = Fold()
        fold.read(all_events[:cut])
        fold.read(all_events[cut:])
        assert [draft.row() for draft in fold.drafts.values()] == whole


def test_a_history_without_its_beginning_still_folds() -> None:
    fold = Fold()
    fold.read(events("everything")[20:])
    assert fold.last_event_id == len(events("everything"))


def test_one_event_shows_its_payloads_as_values() -> None:
    shown = event_json(events("everything")[6])
    assert shown["type"] == "ActivityTaskScheduled"
    assert shown["attributes"]["input"] == ["hi"]
    assert shown["attributes"]["activityType"] == {"name": "app.api:flaky"}


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(hours=24), "24h"),
        (timedelta(seconds=90), "1m30s"),
        (timedelta(milliseconds=50), "50ms"),
        (timedelta(seconds=1.5), "1.5s"),
        (timedelta(0), "0ms"),
    ],
)
def test_durations_read_as_lua_code_writes_them(span: timedelta, text: str) -> None:
    assert spoken(span) == text
