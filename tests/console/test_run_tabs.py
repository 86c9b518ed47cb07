"""The tabs Events, Tree and JSON of a run."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from temporalio.client import WorkflowHistory

from tests.console.operating import Stage
from tests.console.test_run_state import plain, text_of
from wippy_console.models import Run
from wippy_console.services import histories, runs, timeline
from wippy_console.services.runs import history_text
from wippy_console.views import run_tabs

pytestmark = pytest.mark.django_db(transaction=True)


def ids(page: str) -> list[int]:
    """The events that the page lists, in their order."""
    return [int(found) for found in re.findall(r'id="event-(\d+)"', page)]


@pytest.fixture
def run(on_stage: Stage) -> Run:
    """One whose code began."""
    return on_stage.start("app.flows:approval", {"wanted": 1})


def test_events_stand_as_they_were_written_workflow_tasks_in_their_place(on_stage: Stage, run: Run) -> None:
    page = text_of(on_stage.cast.viewer, run, "?tab=events")
    total = len(histories.read(run).events)
    assert ids(page) == list(range(1, total + 1))
    assert (
        page.index("WorkflowExecutionStarted") < page.index("WorkflowTaskScheduled") < page.index("WorkflowTaskStarted")
    )
    assert ids(text_of(on_stage.cast.viewer, run, "?tab=events&order=desc")) == list(range(total, 0, -1))


def test_events_are_found_by_type_or_name_and_say_how_many(on_stage: Stage, run: Run) -> None:
    page = text_of(on_stage.cast.viewer, run, "?tab=events&find=task%20started")
    assert "WorkflowTaskStarted" in page
    assert "WorkflowTaskScheduled" not in page
    assert f"1 of {len(histories.read(run).events)} events" in plain(page)
    assert "No event matches" in text_of(on_stage.cast.viewer, run, "?tab=events&find=nothing+like+it")


@pytest.mark.parametrize("newest", [False, True])
def test_pages_of_events_follow_each_other_without_a_gap_there_and_back(
    on_stage: Stage, run: Run, newest: bool
) -> None:
    every = [event.event_id for event in histories.read(run).events]
    wanted = every[::-1] if newest else every
    found: list[int] = []
    pages, after = [], None
    while True:
        page = timeline.chronicle(run, on_stage.cast.viewer, after=after, newest=newest, size=2)
        found += [each.event.id for each in page.events]
        pages.append(page)
        if page.after is None:
            break
        after = page.after
    assert found == wanted
    assert pages[0].before is None
    back = timeline.chronicle(run, on_stage.cast.viewer, before=pages[-1].before, newest=newest, size=2)
    assert back.events == pages[-2].events


def test_the_shown_json_is_the_beginning_of_the_download_which_a_replayer_reads(
    on_stage: Stage, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    client.force_login(on_stage.cast.viewer)
    answer: Any = client.get(f"/runs/{run.workflow_id}/{run.run_id}/history.json")
    assert answer.streaming
    text = answer.getvalue().decode()
    read = WorkflowHistory.from_json(run.workflow_id, text)
    assert json.loads(text) == json.loads(read.to_json())
    assert list(read.events) == list(histories.read(run).events)[: len(read.events)]
    monkeypatch.setattr(run_tabs, "JSON_SHOWN", 100)
    shown = plain(text_of(on_stage.cast.viewer, run, "?tab=json"))
    assert "shown are the first 100" in shown
    assert "the rest is in the download" in shown


def test_no_events_are_an_empty_history() -> None:
    assert list(history_text.pieces([])) == ["{}"]


def below(parent: Run, number: int, **fields: Any) -> Run:
    """A run that another one started."""
    return Run.objects.create(
        run_id=f"{parent.run_id[:-2]}{number:02}", workflow_id=f"{parent.workflow_id}-{number}",
        entry_id="app.flows:child", namespace="app.flows", client=parent.client, worker=parent.worker,
        parent_run_id=parent.run_id,
        parent_workflow_id=parent.workflow_id, started_at=parent.started_at + timedelta(seconds=number), **fields,
    )  # fmt: skip


def test_the_tree_has_the_family_up_and_down_with_states(on_stage: Stage, run: Run) -> None:
    child = below(run, 10, status="failed", closed_at=run.started_at + timedelta(seconds=13))
    leaf, sister = below(child, 11), below(run, 12)
    page = text_of(on_stage.cast.viewer, leaf, "?tab=tree").partition('id="run-tree"')[2]
    places = [page.index(f"/{each.run_id}/?tab=tree") for each in (run, child, leaf, sister)]
    assert places == sorted(places)
    assert "Failed" in page
    assert re.search(rf"{leaf.run_id}/\?tab=tree\" aria-current", page)


def test_a_tree_that_is_cut_says_what_is_left_out_and_shows_the_run_itself(
    on_stage: Stage, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs.tree, "__defaults__", (3,))
    children = [below(run, number) for number in range(20, 26)]
    page = text_of(on_stage.cast.viewer, children[-1], "?tab=tree")
    assert "4 more" in plain(page)
    assert f"/runs/?parent={run.run_id}" in page
    assert f"/{children[-1].run_id}/?tab=tree" in page
    assert "too large to show this run in its place" in page


def test_a_parent_that_is_not_there_or_not_visible_is_named(on_stage: Stage, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(parent_run_id="gone", parent_workflow_id="the-parent")
    assert "started by a run that is not shown here: the-parent" in plain(
        text_of(on_stage.cast.viewer, run, "?tab=tree")
    )


def test_a_circle_of_parents_ends(on_stage: Stage, run: Run) -> None:
    child = below(run, 30)
    Run.objects.filter(pk=run.pk).update(parent_run_id=child.run_id)
    person: User = on_stage.cast.viewer
    assert [each.pk for each in runs.ancestors(person, Run.objects.get(pk=child.pk))] == [run.pk]
