"""Runs: search, start, and reading histories."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from engine.entry import Entry
from engine.pids import Pid
from tests.console.operating import CLIENT, WORKER, Cast, Stage, settle
from wippy_console.management.operations import operator, reader
from wippy_console.models import FeedEvent, Question, Run
from wippy_console.services import histories, registry, runs, temporal
from wippy_console.services.errors import Conflict, NotFoundError, Refused, Unavailable
from wippy_console.services.registry import Changes
from wippy_console.services.runs import Wanted

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def make(count: int, **changes: Any) -> list[Run]:
    """Runs a second apart, the first of them the oldest; every third has the same start as the one before."""
    made = [
        Run(
            run_id=str(uuid.UUID(int=n)),
            workflow_id=f"order-{n}",
            entry_id="app:order",
            client=CLIENT,
            worker=WORKER,
            started_at=NOON + timedelta(seconds=n - (n % 3 == 2)),
        )
        for n in range(count)
    ]
    for run in made:
        for name, value in changes.items():
            setattr(run, name, value)
    return Run.objects.bulk_create(made)


def reset(workflow_id: str) -> str:
    """As `temporal workflow reset --type FirstWorkflowTask`; the id of the new run."""
    client = temporal.client(CLIENT)
    request = ResetWorkflowExecutionRequest(
        namespace=client.namespace, workflow_execution=WorkflowExecution(workflow_id=workflow_id), reason="again",
        workflow_task_finish_event_id=3, request_id=str(uuid.uuid4()),
    )  # fmt: skip
    return temporal.run(client.workflow_service.reset_workflow_execution(request)).run_id


def ended(run: Run) -> datetime:
    """When it ended, as Temporal says."""
    closed = histories.describe(run).workflow_execution_info.close_time
    return closed.ToDatetime(tzinfo=UTC)


# -- search ----------------------------------------------------------------------------------------


def test_pages_by_cursor_show_every_run_once_newest_first(cast: Cast) -> None:
    make(25)
    seen, before = [], ""
    while True:
        page = runs.search(cast.viewer, limit=10, before=before)
        seen += page.rows
        before = page.next_cursor
        if not before:
            break
    assert len(seen) == 25
    assert [run.pk for run in seen] == list(Run.objects.order_by("-started_at", "-run_id").values_list("pk", flat=True))


def test_a_run_that_starts_meanwhile_moves_no_page(cast: Cast) -> None:
    make(20)
    first = runs.search(cast.viewer, limit=10)
    Run.objects.create(run_id="new", workflow_id="new", entry_id="e", client="c", started_at=NOON + timedelta(hours=1))
    second = runs.search(cast.viewer, limit=10, before=first.next_cursor)
    assert not {run.pk for run in first.rows} & {run.pk for run in second.rows}
    assert len(second.rows) == 10


def test_the_last_page_has_no_cursor(cast: Cast) -> None:
    make(10)
    assert runs.search(cast.viewer, limit=10).next_cursor == ""


@pytest.mark.parametrize("cursor", ["x", "!!!", "bm90IGEgZGF0ZXxy", "MjAyNi0wNS0wMVQxMjowMDowMHxy"])
def test_a_damaged_cursor_is_refused(cast: Cast, cursor: str) -> None:
    with pytest.raises(Refused):
        runs.search(cast.viewer, before=cursor)


def test_one_box_takes_any_id(cast: Cast) -> None:
    make(12)
    run = Run.objects.get(workflow_id="order-11")
    for text in ["order-11", run.run_id, run.run_id[:36], run.pid, f"  {run.pid} "]:
        assert [found.pk for found in runs.search(cast.viewer, Wanted(text=text)).rows] == [run.pk], text
    assert len(runs.search(cast.viewer, Wanted(text="order-1")).rows) == 3
    assert len(runs.search(cast.viewer, Wanted(text="app:or")).rows) == 12
    assert len(runs.search(cast.viewer, Wanted(text="RDER-1")).rows) == 3
    assert runs.search(cast.viewer, Wanted(text="rder-1 other")).rows == []


@pytest.mark.parametrize("text", ["100%", "_", "o'clock", 'say "hi"', "Ünï/cödé", "{a@b|c}", "back\\slash"])
def test_ids_may_hold_anything(cast: Cast, text: str) -> None:
    make(3)
    Run.objects.create(run_id="odd", workflow_id=text, entry_id="e", client=CLIENT, worker=WORKER, started_at=NOON)
    run = Run.objects.get(pk="odd")
    assert [found.pk for found in runs.search(cast.viewer, Wanted(text=run.pid)).rows] == ["odd"]
    if not text.startswith("{"):
        assert [found.pk for found in runs.search(cast.viewer, Wanted(text=text)).rows] == ["odd"]
    assert runs.get(cast.viewer, text, "odd") == run


def test_filters_add_up(cast: Cast) -> None:
    made = make(10)
    Run.objects.filter(pk__in=[run.pk for run in made[:5]]).update(status="completed")
    Run.objects.filter(pk=made[7].pk).update(entry_id="app:other")
    Question.objects.create(run=made[8], number=0, opened_at=NOON)
    Question.objects.create(run=made[9], number=0, opened_at=NOON, closed_at=NOON)
    assert len(runs.search(cast.viewer, Wanted(statuses=("running",))).rows) == 5
    assert [run.pk for run in runs.search(cast.viewer, Wanted(statuses=("running",), entry="app:other")).rows] == [
        made[7].pk
    ]
    assert [run.pk for run in runs.search(cast.viewer, Wanted(waiting=True)).rows] == [made[8].pk]


def test_who_may_not_see_runs_finds_none(cast: Cast) -> None:
    run = make(1)[0]
    assert runs.search(cast.stranger).rows == []
    with pytest.raises(NotFoundError):
        runs.get(cast.stranger, run.workflow_id, run.run_id)


def test_what_a_caller_forgot_to_name_is_nobody_and_sees_no_runs(cast: Cast) -> None:
    (run,) = make(1)
    assert runs.search(None).rows == []
    with pytest.raises(NotFoundError):
        runs.by_pid(None, run.pid)


def test_commands_that_only_read_see_all_and_make_no_account(db: None) -> None:
    (run,) = make(1)
    assert [found.pk for found in runs.search(reader()).rows] == [run.pk]
    assert not User.objects.exists()


def test_a_run_knows_its_newer_one_its_parent_and_its_children(cast: Cast) -> None:
    old, new, child = make(3)
    Run.objects.filter(pk__in=[old.pk, new.pk]).update(workflow_id="same")
    Run.objects.filter(pk=child.pk).update(parent_run_id=old.pk)
    old, new, child = (Run.objects.get(pk=run.pk) for run in (old, new, child))
    assert runs.newer(reader(), old) == new and runs.newer(reader(), new) is None
    assert runs.parent(reader(), child) == old and runs.parent(reader(), old) is None
    assert list(runs.children(reader(), old)) == [child]


def test_the_newest_of_reset_runs_is_the_one_that_temporal_has_open(cast: Cast) -> None:
    rows = make(6, workflow_id="reset", started_at=NOON, status="terminated")
    current = rows[2]  # in the middle of the run ids, which are random
    for number, run in enumerate(rows):
        closed = None if run is current else NOON + timedelta(minutes=1 + number)
        Run.objects.filter(pk=run.pk).update(closed_at=closed)
    Run.objects.filter(pk=current.pk).update(status="running")
    assert runs.newer(reader(), rows[5]) == current and runs.newer(reader(), Run.objects.get(pk=current.pk)) is None
    assert runs.by_pid(reader(), current.pid) == runs.by_pid(reader(), "reset") == current
    Run.objects.filter(pk=current.pk).update(status="terminated", closed_at=NOON + timedelta(hours=1))
    assert runs.newer(reader(), rows[5]) == current, "of closed runs the one that ended last"


def test_a_run_of_the_same_id_on_another_client_is_not_its_newer_one(cast: Cast) -> None:
    old, new = make(2, workflow_id="same")
    Run.objects.filter(pk=new.pk).update(client="app:other")
    assert runs.newer(reader(), old) is None


def test_a_list_reads_no_payloads(cast: Cast) -> None:
    make(1, input=["x" * 1000])
    assert "input" in runs.search(cast.viewer).rows[0].get_deferred_fields()


# -- start -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
class TestStart:
    def test_a_started_run_has_its_page_at_once(self, on_stage: Stage) -> None:
        started = runs.start(on_stage.cast.operator, "app.flows:approval", "", [{"wanted": 1}])
        run = runs.get(on_stage.cast.viewer, started.workflow_id, started.run_id)
        assert (run.pid, run.status, run.started_by) == (started.pid, "running", on_stage.cast.operator)
        assert run.input == [{"wanted": 1}]
        assert FeedEvent.objects.get(kind="STARTED").run_id == run.run_id

    def test_a_reset_run_is_the_newest_of_its_id(self, on_stage: Stage) -> None:
        first = on_stage.start()
        seen = [first.run_id]
        for _ in range(3):
            seen.append(reset(first.workflow_id))
            current = runs.latest(Pid(CLIENT, WORKER, first.workflow_id))
            assert current.run_id == seen[-1]
            assert current.started_at == first.started_at
            for row in Run.objects.filter(workflow_id=first.workflow_id).exclude(pk=current.pk):
                Run.objects.filter(pk=row.pk, closed_at=None).update(status="terminated", closed_at=ended(row))
            assert runs.by_pid(reader(), current.pid) == current
            older = Run.objects.filter(workflow_id=first.workflow_id).exclude(pk=current.pk)
            assert {runs.newer(reader(), run) for run in older} == {current}

    def test_temporal_has_it_with_program_version_and_user(self, on_stage: Stage) -> None:
        run = on_stage.start()
        first = histories.newest(run)[0].workflow_execution_started_event_attributes
        assert first.workflow_type.name == "app.flows:approval"
        assert {"wippy-program", "wippy-version"} <= set(first.header.fields)
        assert b"operator" in first.memo.fields["wippy-user"].data
        assert first.identity == "user:operator"
        assert run.started_at == histories.newest(run)[0].event_time.ToDatetime(tzinfo=UTC)

    def test_an_id_is_kept_and_a_second_run_of_it_is_a_conflict(self, on_stage: Stage) -> None:
        name = "order/7 ä"
        started = runs.start(on_stage.cast.operator, "app.flows:child", WORKER, ["wait"], name)
        assert started.workflow_id == name
        with pytest.raises(Conflict, match="open already"):
            runs.start(on_stage.cast.operator, "app.flows:child", WORKER, ["wait"], name)

    def test_input_is_checked_by_the_entry_s_schema(self, on_stage: Stage) -> None:
        with pytest.raises(Refused) as refusal:
            runs.start(on_stage.cast.operator, "app.flows:approval", WORKER, [{"wanted": "many"}])
        assert set(refusal.value.fields) == {"wanted"}
        assert not Run.objects.exists()

    def test_an_oversized_input_is_refused_with_size_and_limit(self, on_stage: Stage) -> None:
        with pytest.raises(Refused, match="too large: 3,000,00"):
            runs.start(on_stage.cast.operator, "app.flows:child", WORKER, ["x" * 3_000_000])

    @pytest.mark.parametrize("who", ["viewer", "stranger"])
    def test_who_may_only_look_can_not_start(self, on_stage: Stage, who: str) -> None:
        user = getattr(on_stage.cast, who)
        assert runs.startable(user) == []
        with pytest.raises(PermissionDenied):
            runs.start(user, "app.flows:child", WORKER, ["wait"])

    def test_only_workflows_on_workers_start(self, on_stage: Stage) -> None:
        with pytest.raises(Refused, match=r"function\.lua"):
            runs.start(on_stage.cast.operator, "app.api:charge", WORKER, [])
        with pytest.raises(NotFoundError):
            runs.start(on_stage.cast.operator, "no:such", WORKER, [])
        with pytest.raises(NotFoundError, match="no usable worker"):
            runs.start(on_stage.cast.operator, "app.flows:child", "no:worker", [])
        assert [entry.id for entry in runs.workers(on_stage.cast.operator)] == [WORKER]
        assert "app.flows:approval" in [entry.id for entry in runs.startable(on_stage.cast.operator)]

    def test_without_temporal_a_start_says_so_in_words(self, on_stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
        away = Entry(CLIENT, "temporal.client", data={"address": "127.0.0.1:1", "connection_timeout": 300})
        registry.publish(operator(), Changes(update=(away,)), base=None, message="away")
        temporal.reset()
        with pytest.raises(Unavailable) as refusal:
            runs.start(on_stage.cast.operator, "app.flows:child", WORKER, ["wait"])
        assert refusal.value.message == "Temporal at 127.0.0.1:1 refuses the connection."
        assert "ConnectionRefused" in caplog.text
        assert not Run.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_history_that_temporal_no_longer_has_is_said_to_be_gone(on_stage: Stage) -> None:
    gone = Run.objects.create(
        run_id=str(uuid.uuid4()), workflow_id="gone", entry_id="e", client=CLIENT, status="completed", started_at=NOON
    )
    with pytest.raises(NotFoundError, match="retention"):
        runs.history(gone, None)


@pytest.mark.django_db(transaction=True)
def test_a_growing_history_is_read_on_from_where_it_was_known(on_stage: Stage) -> None:
    from wippy_console.services import decisions

    run = on_stage.start("app.flows:approval", {"wanted": 99})
    lengths = []
    for number in range(30):
        decisions.send_raw(on_stage.cast.author, run, "note", number)
        lengths.append(len(runs.history(run, None).events))
    settle(run)
    whole = histories.newest(run)
    assert [event.event_id for event in runs.history(run, None).events] == [event.event_id for event in whole]
    assert lengths == sorted(lengths)


def test_the_first_page_of_many_runs_costs_what_that_of_few_does(cast: Cast) -> None:
    """Not timed: the query plans must use an index and sort nothing."""
    make(2000)
    starter: dict[str, Any] = {"started_by": cast.viewer.pk}
    for filters in [{}, {"status": "running"}, {"entry": "app:order"}, {"client": "app:client"}, starter]:
        query = Run.objects.filter(**{{"entry": "entry_id"}.get(k, k): v for k, v in filters.items()})
        plan = query.order_by("-started_at", "-run_id")[:51].explain()
        assert "TEMP B-TREE FOR ORDER BY" not in plan or "LAST TERM" in plan, plan
