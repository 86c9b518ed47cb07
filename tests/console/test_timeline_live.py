"""Timelines of runs that go on: what the server and the database add to a history."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from temporalio.client import WorkflowHistory

from tests.console.operating import CLIENT, WORKER, Stage, soon
from tests.console.test_runs import reset
from tests.patience import PATIENCE
from wippy_console.models import Decision, HistoryArchive, Run
from wippy_console.services import decisions, histories, timeline
from wippy_console.services.errors import NotFoundError
from wippy_console.services.timeline import Row

pytestmark = pytest.mark.django_db(transaction=True)

HISTORIES = Path(__file__).parent / "histories"


def until(probe: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not probe():
        assert time.monotonic() < end
        time.sleep(0.05)


def row(run: Run, kind: str) -> Row:
    return next(each for each in timeline.rows(run).rows if each.kind == kind)


def test_a_question_is_a_bar_in_the_human_lane_until_it_is_answered(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    deadline = soon()
    question = on_stage.ask(run, deadline=deadline)
    waiting = row(run, "question")
    assert (waiting.id, waiting.state, waiting.end, waiting.lane) == (-question.pk, "waiting", None, "human")
    assert waiting.deadline == question.deadline
    made = decisions.decide(on_stage.cast.operator, run, 1, {}, question_id=question.pk)
    on_stage.ask(run, number=1)
    answered = row(run, "question")
    assert (answered.state, answered.decision, answered.sender) == ("received", made, "operator")
    assert answered.end is not None


def test_a_decision_s_signal_names_the_person(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    on_stage.ask(run)
    made = decisions.decide(on_stage.cast.operator, run, 1, {})
    assert isinstance(made, Decision)
    signal = row(run, "signal")
    assert (signal.id, signal.decision, signal.sender, signal.lane) == (made.event_id, made, "operator", "human")
    assert timeline.row(run, None, signal.id).input == [{"approved": False}]


def test_a_terminate_is_linked_to_the_exit(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:child", "wait")
    made = decisions.terminate(on_stage.cast.author, run, "enough")
    assert row(run, "exit").decision == made


def test_an_open_wait_that_expired_unanswered_timed_out(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    on_stage.ask(run, deadline=soon(-1))
    on_stage.observe(run)
    assert row(run, "question").state == "timed_out"


def test_a_running_activity_shows_its_attempt_from_the_server(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:everything", {"order": 1})
    until(lambda: any(each.label == "app.api:slow" and each.started for each in timeline.rows(run).rows))
    slow = next(each for each in timeline.rows(run).rows if each.label == "app.api:slow")
    assert slow.attempt == 1
    decisions.terminate(on_stage.cast.author, run, "seen enough")


def test_a_stuck_run_shows_its_failing_task(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:stuck")
    until(lambda: any(each.kind == "task" and each.attempt > 1 for each in timeline.rows(run).rows))
    task = [each for each in timeline.rows(run).rows if each.kind == "task"][-1]
    assert task.failure and task.failure.message == "cannot go on"
    assert task.end is None
    decisions.terminate(on_stage.cast.author, run, "hopeless")


def test_one_event_opens_with_its_payload(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    made = decisions.send_raw(on_stage.cast.author, run, "note", {"text": "hi"})
    assert made.event_id
    shown = timeline.event_payload(run, made.event_id)
    assert shown["type"] == "WorkflowExecutionSignaled"
    assert shown["attributes"]["input"] == [{"text": "hi"}]
    with pytest.raises(NotFoundError):
        timeline.event_payload(run, 4711)


def archived(name: str) -> Run:
    """A closed run that only the archive remembers."""
    text = (HISTORIES / f"{name}.json").read_text()
    run = Run.objects.create(
        run_id=name, workflow_id=name, entry_id="app.flows:everything", client=CLIENT, worker=WORKER,
        status="completed", started_at=timezone.now(), closed_at=timezone.now(),
    )  # fmt: skip
    events = len(list(WorkflowHistory.from_json(name, text).events))
    HistoryArchive.objects.create(run=run, content=gzip.compress(text.encode()), events=events)
    return run


def test_a_closed_run_is_drawn_from_its_archive_without_temporal() -> None:
    run = archived("everything")
    drawn = timeline.rows(run)
    assert drawn.events_total == drawn.last_event_id == run.archive.events
    assert drawn.ended is not None and drawn.began < drawn.ended
    assert drawn.rows[0].kind == "workflow"
    assert drawn.rows == timeline.rows(run).rows, "the second time comes from memory"


def test_the_events_of_a_run_are_paged_in_their_order_from_either_end() -> None:
    run = archived("everything")
    total = run.archive.events
    forward: list[int] = []
    after: int | None = None
    while True:
        page = timeline.chronicle(run, None, after=after, size=7)
        forward += [each.event.id for each in page.events]
        if page.after is None:
            break
        after = page.after
    assert forward == list(range(1, total + 1)), "workflow tasks are in their place"
    newest = timeline.chronicle(run, None, newest=True, size=7)
    assert [each.event.id for each in newest.events] == list(range(total, total - 7, -1))
    older = timeline.chronicle(run, None, newest=True, size=7, after=newest.after)
    assert [each.event.id for each in older.events] == list(range(total - 7, total - 14, -1))
    back = timeline.chronicle(run, None, newest=True, size=7, before=older.before)
    assert back.events == newest.events and back.before is None
    seventh = next(each for each in timeline.chronicle(run, None).events if each.event.id == 7)
    assert (seventh.event.type, seventh.row, seventh.label) == ("ActivityTaskScheduled", 7, "app.api:flaky")


def test_a_page_of_rows_holds_their_values_and_pages_on_by_row() -> None:
    run = archived("everything")
    shown = timeline.kept(timeline.rows(run), {})
    first = timeline.page(shown, after=None, before=None, size=5)
    assert (len(first.rows), first.before, first.after) == (5, None, first.rows[-1].id)
    second = timeline.page(shown, after=first.after, before=None, size=5)
    assert second.rows == shown[5:10] and second.before == second.rows[0].id
    assert timeline.page(shown, after=None, before=second.before, size=5).rows == first.rows
    opened = {row.id: row for row in timeline.opened(run, None, shown)}
    assert opened[7].output == {"text": "hi", "attempt": 3}
    assert opened[1].output == {"approved": True}
    assert [row.output for row in shown] == [None] * len(shown), "a whole timeline has no values"


def test_an_archive_written_before_is_read_as_well_as_one_of_today() -> None:
    text = (HISTORIES / "everything.json").read_text()
    events = list(WorkflowHistory.from_json("w", text).events)
    assert histories.unpacked(gzip.compress(text.encode())) == events
    assert histories.unpacked(histories.packed(events)) == events
    assert WorkflowHistory.from_json("w", WorkflowHistory("w", histories.unpacked(histories.packed(events))).to_json())


def test_ten_thousand_events_fold() -> None:
    """Quadratic work would hang here; `make bench` has the figures."""
    base = list(WorkflowHistory.from_json("w", (HISTORIES / "everything.json").read_text()).events)
    from wippy_console.services.timeline.fold import Fold

    events = [base[0]]
    for round_ in range(1000):
        for event in base[6:9] + base[9:12] + base[12:15]:
            copy = type(event)()
            copy.CopyFrom(event)
            copy.event_id = event.event_id + round_ * 10
            events.append(copy)
    Fold().read(events)
    assert len(events) > 9000


def test_the_cache_of_histories_forgets_the_oldest_first() -> None:
    cache = histories._Cache()
    event = WorkflowHistory.from_json("w", (HISTORIES / "failed.json").read_text()).events[0]
    for number in range(6):
        cache.put(str(number), [event] * 20_000)
    assert cache.get("0") == [] and len(cache.get("5")) == 20_000
    cache.put("5", [event])
    assert len(cache.get("5")) == 20_000, "what is known is never lost to a slower reader"


def test_what_was_decided_before_a_reset_is_shown_with_the_run_that_it_was_applied_to_again(
    on_stage: Stage, client: Client
) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    on_stage.ask(run)
    made = decisions.decide(on_stage.cast.operator, run, 1, {})
    newer = Run.objects.get(pk=run.pk)
    newer.pk = newer.run_id = reset(run.workflow_id)
    newer.save(force_insert=True)
    signal = row(newer, "signal")
    assert (signal.decision, signal.sender) == (made, "operator")
    client.force_login(on_stage.cast.root)
    text = client.get(reverse("run", args=(newer.workflow_id, newer.run_id)), {"tab": "audit"}).content.decode()
    assert "applied again here by a reset" in text and "Reject" in text


def test_the_cache_of_histories_is_bounded_in_bytes_too() -> None:
    cache = histories._Cache()
    large = WorkflowHistory.from_json("w", (HISTORIES / "failed.json").read_text()).events[0]
    large.workflow_execution_started_event_attributes.identity = "x" * 1_000_000
    for number in range(4):
        cache.put(str(number), [large] * 30)
    assert [len(cache.get(str(number))) for number in range(4)] == [0, 0, 30, 30]
