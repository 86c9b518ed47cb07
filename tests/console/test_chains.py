"""Runs that follow each other, runs with many children, and values too large for a row: all told, none hidden."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from engine.errors import Failure
from tests.console.operating import Stage
from tests.console.test_projection import BEGAN, CATALOG, ENDED, SEEN
from tests.console.test_runs import reset
from tests.console.test_signal import until_taken_over
from wippy_console.models import Run
from wippy_console.services import decisions, histories, runs
from wippy_console.services.projection import Ref, fetch_told
from wippy_console.services.projection.writing import write

from wippy_console.services.temporal import catalog, client, run as loop  # isort: skip

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss"))
    return client


def page(browser: Client, run: Run) -> str:
    return browser.get(reverse("run", args=(run.workflow_id, run.run_id))).content.decode()


def chained(count: int) -> list[Run]:
    """Runs of one workflow id, each continued as the next, as the projection learns of them."""
    ids = [str(uuid.uuid4()) for _ in range(count)]
    for number, run_id in enumerate(ids):
        before = ids[number - 1] if number else ""
        seen = replace(SEEN, run_id=run_id, first_run_id=ids[0], continued_run_id=before, waits=())
        write(CATALOG, [seen])
        if number + 1 < count:
            began = replace(BEGAN, ref=Ref("app:client", "order-1", run_id))
            end = replace(ENDED, began=began, status="continued_as_new", result=None, new_run_id=ids[number + 1])
            write(CATALOG, [end])
    return [Run.objects.get(pk=run_id) for run_id in ids]


def test_the_runs_around_one_are_found_without_reading_all(root: Client) -> None:
    run, user = chained(3)[1], User.objects.get()
    with CaptureQueriesContext(connection) as asked:
        runs.chain_of(user, run)
    selects = [each["sql"] for each in asked.captured_queries if "wippy_console_run" in each["sql"]]
    assert selects
    for sql in selects if connection.vendor == "sqlite" else ():
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plan = [row[3] for row in cursor.fetchall()]
        assert not any(step.startswith("SCAN") for step in plan), (plan, sql)


def test_a_run_of_a_chain_leads_to_the_first_the_previous_the_next_and_the_newest(root: Client) -> None:
    made = chained(5)
    chain = runs.chain_of(User.objects.get(), made[2])
    assert [(word, run.pk) for word, run in chain.links] == [
        ("First", made[0].pk), ("Previous", made[1].pk), ("Next", made[3].pk), ("Newest", made[4].pk),
    ]  # fmt: skip
    assert [word for word, _ in runs.chain_of(User.objects.get(), made[0]).links] == ["Next", "Newest"]
    assert [word for word, _ in runs.chain_of(User.objects.get(), made[4]).links] == ["First", "Previous"]
    text = page(root, made[2])
    assert "without a value" not in text and "It goes on as" in text
    assert text.count('rel="next"') == text.count('rel="prev"') == 1


def test_a_run_that_temporal_continued_knows_the_run_before(on_stage: Stage, client: Client) -> None:
    run = on_stage.start("app.flows:again")
    decisions.send_raw(on_stage.cast.root, run, "anything")
    newer = until_taken_over(run)
    told = loop(fetch_told(catalog(), _client(), Ref(newer.client, newer.workflow_id, newer.run_id)))
    write(catalog(), [told])
    newer.refresh_from_db()
    assert (newer.previous_run_id, newer.first_run_id) == (run.run_id, run.run_id)
    assert runs.chain_of(on_stage.cast.root, newer).previous == run


def _client() -> Any:
    return client("app:client")


def test_a_run_that_was_reset_knows_the_run_that_it_begins_with(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    new_id = reset(run.workflow_id)
    told = loop(fetch_told(catalog(), _client(), Ref(run.client, run.workflow_id, new_id)))
    write(catalog(), [told])
    newer = Run.objects.get(pk=new_id)
    assert newer.previous_run_id == run.run_id
    assert runs.chain_of(on_stage.cast.root, run).next == newer


def test_relatives_say_how_many_there_are_and_lead_to_all(root: Client) -> None:
    write(CATALOG, [parent := replace(SEEN, run_id=str(uuid.uuid4()))])
    now = timezone.now()
    Run.objects.bulk_create(
        Run(
            run_id=str(uuid.uuid4()), workflow_id=f"child-{number}", entry_id="app:leaf", client="app:client",
            started_at=now, parent_run_id=parent.run_id,
        )
        for number in range(60)
    )  # fmt: skip
    text = page(root, Run.objects.get(pk=parent.run_id))
    assert "50 of 60 children" in text and f"/runs/?parent={parent.run_id}" in text
    listed = root.get(f"/runs/?parent={parent.run_id}").content.decode()
    assert listed.count('title="child-') >= 50 and "order-1" not in listed and 'rel="next"' in listed


LONG = {"text": "x" * 100_000}


def test_a_value_that_is_cut_says_so_and_is_there_whole(on_stage: Stage, root: Client) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 1, **LONG})
    decisions.send_raw(on_stage.cast.root, run, "comment", LONG)
    while histories.describe(run).workflow_execution_info.status == 1:
        pass
    told = loop(fetch_told(catalog(), _client(), Ref(run.client, run.workflow_id, run.run_id)))
    write(catalog(), [told])
    run.refresh_from_db()
    assert set(run.cut) == {"input", "result"}
    text = page(root, run)
    assert text.count("Only the beginning is shown") == 2 and "&quot;preview&quot;" not in text
    address = reverse("run_value", args=(run.workflow_id, run.run_id, "result"))
    assert json.loads(root.get(address).getvalue()) == [{"topic": "comment", "payload": LONG}]
    given = reverse("run_value", args=(run.workflow_id, run.run_id, "input"))
    assert json.loads(root.get(given).getvalue()) == [{"wanted": 1, **LONG}]
    assert root.get(reverse("run_value", args=(run.workflow_id, run.run_id, "failure"))).status_code == 404


def test_a_value_that_looks_like_a_cut_one_is_shown_as_it_is(root: Client) -> None:
    write(CATALOG, [replace(SEEN, run_id=str(uuid.uuid4()))])
    run = Run.objects.get()
    began = replace(BEGAN, ref=Ref("app:client", "order-1", run.run_id))
    write(CATALOG, [replace(ENDED, began=began, result={"preview": "a", "bytes": 7})])
    text = page(root, run)
    assert "preview" in text and "Only the beginning" not in text


def test_a_failure_is_kept_whole_or_cut(root: Client) -> None:
    write(CATALOG, [replace(SEEN, run_id=str(uuid.uuid4()))])
    run = Run.objects.get()
    began = replace(BEGAN, ref=Ref("app:client", "order-1", run.run_id))
    write(CATALOG, [replace(ENDED, began=began, status="failed", failure=Failure("Invalid", "y" * 90_000))])
    run.refresh_from_db()
    assert run.cut["failure"] > 90_000 and page(root, run)
