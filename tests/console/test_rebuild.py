"""`manage.py rebuild`: rows that were lost come back as they were."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.entry import Entry
from tests.console.operating import Cast
from tests.console.test_worker import (
    Server,
    kinds,
    log,
    manage,
    open_question,
    publish,
    queue,
    running_node,
    server,
    until,
)
from wippy_console.models import HistoryArchive, Question, Run
from wippy_console.services import histories, runs, temporal

__all__ = ["log", "queue", "server"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh(server: Server) -> Iterator[None]:
    """The console's own client, which starts runs here, belongs to the registry of one test."""
    temporal.reset()
    yield
    temporal.reset()


def test_rebuild_brings_lost_rows_back(server: Server, log: Path) -> None:
    with running_node(log):
        run_id = server.start("order-5")
        until(lambda: open_question(run_id), log=log)
        server.approve("order-5")
        until(lambda: kinds(run_id)[-1:] == ["EXIT"], log=log)
    before = kinds(run_id)
    Run.objects.all().delete()
    assert manage("rebuild") == "1 runs written"
    run = Run.objects.get()
    assert (run.run_id, run.status, run.result) == (run_id, "completed", {"approved": True, "order": 7})
    assert kinds(run_id) == before


PARENT = """
return { main = function()
    local pid = process.spawn_monitored("app:approval", "app:worker", { of = "a child" })
    while true do
        process.events():receive()
    end
end }
"""


FAILS = (
    "return function() return nil, errors.new({message = 'says 503', kind = errors.UNAVAILABLE, retryable = true}) end"
)
CALLER = "return function() return funcs.call('app:fails') end"


def lasting(row: Any) -> dict[str, Any]:
    """What of a run's row does not move on from one try of a call to the next."""
    tried = [(call["id"], call["name"], call["message"]) for call in row["retrying"]]
    return {**row, "observed_at": None, "retrying": tried, "troubled_since": row["troubled_since"] is not None}


def unsaid(row: Any) -> dict[str, Any]:
    """A row without what a history tells and whoever started the run elsewhere did not."""
    return {**row, "program": "", "registry_version": None, "first_run_id": "", "started_at": None}


def rows() -> list[Any]:
    """All rows that a rebuild makes again; when they were written is theirs."""
    found = [lasting(row) for row in Run.objects.order_by("run_id").values()]
    questions = Question.objects.order_by("run_id").values(
        "run_id", "channel", "number", "opened_at", "deadline", "closed_at", "roles__role"
    )
    archives = [
        {**row, "content": histories.unpacked(bytes(row["content"]))}  # maps of a history have no order of their own
        for row in HistoryArchive.objects.order_by("run_id").values("run_id", "content", "events")
    ]
    return [*found, *questions.filter(closed_at=None), *archives]


def test_a_rebuild_makes_the_same_rows_whoever_started_the_runs(server: Server, log: Path, cast: Cast) -> None:
    publish(
        Entry("app:parent", "workflow.lua", {}, {"source": PARENT, "method": "main"}),
        Entry("app:fails", "function.lua", {}, {"source": FAILS}),
        Entry("app:caller", "workflow.lua", {}, {"source": CALLER, "modules": ["funcs"]}),
    )
    with running_node(log):
        ours = runs.start(
            cast.operator, "app:approval", "app:worker", [{"of": "the console", "amount": 12.5}], "ours"
        ).run_id
        parent = runs.start(cast.operator, "app:parent", "app:worker", [], "parent").run_id
        tried = runs.start(cast.operator, "app:caller", "app:worker", [], "tried").run_id
        theirs, done = server.start("theirs", {"of": "a client"}), server.start("done")
        delayed = server.start("delayed", delay=timedelta(hours=1))
        until(lambda: Question.objects.filter(closed_at=None).count() == 4, log=log)
        server.approve("done")
        until(lambda: HistoryArchive.objects.filter(run_id=done).exists(), log=log)
        until(lambda: Run.objects.filter(run_id=delayed).exists(), log=log)
        until(lambda: Run.objects.get(run_id=tried).retrying, log=log)
        before, told = rows(), {run_id: kinds(run_id) for run_id in (ours, parent, theirs, done, delayed, tried)}
        Run.objects.all().delete()
        manage("rebuild")
        assert rows() == before
        assert {run_id: kinds(run_id) for run_id in told} == {**told, tried: ["STARTED", "RETRYING", "RETRYING"]}
    child = Run.objects.get(parent_run_id=parent)
    assert {len(run.program) for run in Run.objects.exclude(pk=delayed)} == {64}
    assert (child.registry_version, Run.objects.get(pk=theirs).registry_version) == (2, 2)
    started_by = Run.objects.exclude(started_by=None).values_list("workflow_id", flat=True)
    assert set(started_by) == {"ours", "parent", "tried"}


ELSEWHERE = """
return { main = function()
    local there = process.with_options({ ["workflow.task_queue"] = "nobody-listens" })
    there:spawn("app:approval", "app:worker", "a child")
    process.events():receive()
end }
"""


def test_runs_on_queues_that_nobody_serves_come_back_whoever_started_them(
    server: Server, log: Path, cast: Cast
) -> None:
    nobody = f"nobody {server.queue}"
    source = ELSEWHERE.replace("nobody-listens", nobody)
    away = {"options": {"workflow.task_queue": nobody}}
    publish(
        Entry("app:parent", "workflow.lua", {}, {"source": source, "method": "main"}),
        Entry("app:away", "workflow.lua", away, {"source": CALLER, "modules": ["funcs"]}),
    )

    def foreign(client: Any) -> Any:
        memo = {"wippy-user": "operator"}
        return client.start_workflow("app:away", id=f"theirs {nobody}", task_queue=nobody, memo=memo)

    server.do(foreign)
    with running_node(log):
        runs.start(cast.operator, "app:parent", "app:worker", [])
        runs.start(cast.operator, "app:away", "app:worker", [])
        ended = runs.start(cast.operator, "app:away", "app:worker", [])
        server.terminate(ended.workflow_id)
        takes = f"no worker takes its workflow task from task queue {nobody}"
        until(lambda: Run.objects.filter(stuck_reason=takes).count() == 3, log=log)
        until(lambda: HistoryArchive.objects.filter(run_id=ended.run_id).exists(), log=log)
        until(lambda: Run.objects.filter(workflow_id=f"theirs {nobody}").exists(), log=log)
        before = rows()
        Run.objects.all().delete()
        assert manage("rebuild") == "5 runs written"
        assert [unsaid(row) for row in rows()] == [unsaid(row) for row in before]
    workers = {run.workflow_id: run.worker for run in Run.objects.all()}
    assert workers.pop(f"theirs {nobody}") == "", "nobody of ours started it, and nobody serves it"
    assert set(workers.values()) == {"app:worker"}
