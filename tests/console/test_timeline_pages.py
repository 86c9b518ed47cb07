"""The pages of a run with a long history, as they come without JavaScript."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from tests.console.made_histories import BEGAN, Made
from tests.console.operating import CLIENT, WORKER, Cast
from wippy_console.models import HistoryArchive, Question, Run
from wippy_console.services import histories, timeline

pytestmark = pytest.mark.django_db

ITEM = re.compile(r'<li id="row-')
ROW = re.compile(r"<tr data-row>")


def archived(made: Made) -> Run:
    made.end("done")
    run = Run.objects.create(
        run_id=str(uuid.uuid4()), workflow_id="long", entry_id="app.flows:everything", client=CLIENT, worker=WORKER,
        status="completed", started_at=BEGAN, closed_at=made.at, history_length=len(made.events), input=[],
    )  # fmt: skip
    HistoryArchive.objects.create(run=run, content=histories.packed(made.events), events=len(made.events))
    return run


def alternating(calls: int) -> Made:
    """No two neighbours are alike, so that nothing folds."""
    made = Made()
    for number in range(calls):
        made.whole_call("app:charge" if number % 2 else "app:mail", f"order-{number:04}")
    return made


def test_a_timer_says_which_answer_it_waits_for() -> None:
    made = Made()
    made.timer(300)
    made.timer(900)
    run = archived(made)
    Question.objects.create(
        run=run, number=0, key="k", title="Approve?", opened_at=BEGAN, deadline=BEGAN + timedelta(seconds=300),
        closed_at=made.at, waits=[["decision", 0], ["", 0], ["decision", 1]],
    )  # fmt: skip
    rows = {row.id: row for row in timeline.rows(run).rows}
    assert (rows[2].summary, rows[3].summary) == ("until the answer is due: Approve?", "")
    asked = min(rows)
    assert (rows[asked].label, rows[asked].summary) == ("Approve?", "decision, inbox")
    assert rows[1].order < rows[asked].order < rows[2].order


@pytest.fixture
def viewer(client: Client, cast: Cast) -> Client:
    client.force_login(cast.viewer)
    return client


def text(client: Client, run: Run, **query: str) -> str:
    answer = client.get(reverse("run", args=(run.workflow_id, run.run_id)), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_page_draws_the_two_ends_of_ten_thousand_events_and_says_where_the_rest_is(viewer: Client) -> None:
    page = text(viewer, archived(alternating(3333)))
    assert len(ITEM.findall(page)) == 100
    assert "order-0000" in page and "order-3332" in page and "order-1600" not in page
    assert "3235 rows between" in page and "All 3335 rows as a table" in page
    assert len(page) < 400_000


def test_a_loop_of_ten_thousand_events_is_one_row_with_a_few_of_its_rows_within(viewer: Client) -> None:
    made = Made()
    for number in range(3333):
        made.whole_call("app:charge", f"order-{number:04}")
    page = text(viewer, archived(made))
    assert len(ITEM.findall(page)) == 3
    assert "3333×" in page and "order-0099" in page and "order-0100" not in page
    assert "All 3333 in the table" in page


def test_the_table_leads_through_every_row_once_and_back(viewer: Client) -> None:
    run = archived(alternating(230))
    seen: list[str] = []
    query: dict[str, str] = {"tab": "table"}
    while True:
        page = text(viewer, run, **query)
        seen += re.findall(r"order-\d{4}", page)
        following = re.search(r'rel="next" href="\?[^"]*after=(\d+)', page)
        assert len(ROW.findall(page)) <= 100
        if following is None:
            break
        query = {"tab": "table", "after": following[1]}
    assert seen == [f"order-{number:04}" for number in range(230)]
    before = re.search(r'rel="prev" href="\?[^"]*before=(\d+)', page)
    assert before
    assert "order-0198" in text(viewer, run, tab="table", before=before[1])


def test_the_table_keeps_what_its_filters_name_and_shows_values(viewer: Client) -> None:
    run = archived(alternating(20))
    found = text(viewer, run, tab="table", find="order-0013")
    assert len(ROW.findall(found)) == 1 and "{&quot;ok&quot;: true}" in found
    assert len(ROW.findall(text(viewer, run, tab="table", kind="exit"))) == 1
    assert "No row matches" in text(viewer, run, tab="table", find="nowhere")
    newest = text(viewer, run, tab="table", order="desc")
    assert newest.index("order-0019") < newest.index("order-0000")


def test_an_answer_that_comes_after_the_one_that_told_the_end_is_morphed_into_the_page_too(viewer: Client) -> None:
    region = re.search(r'<div class="stack" id="run"[^>]*>', text(viewer, archived(alternating(2))))
    assert region and "hx-get" not in region[0]
    assert 'hx-swap="morph:outerHTML"' in region[0], "else it replaces the rows, and the page starts anew"


def test_a_row_is_opened_by_its_id_alone(viewer: Client) -> None:
    run = archived(alternating(20))
    url = reverse("run_row", args=(run.workflow_id, run.run_id, 2))
    assert "order-0000" in viewer.get(url).content.decode()
    assert viewer.get(reverse("run_row", args=(run.workflow_id, run.run_id, 4711))).status_code == 404
