"""The page of runs: filters by name, columns that one chooses, and what it costs."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.console.operating import CLIENT, WORKER, Cast
from wippy_console.forms.runs import read
from wippy_console.models import ListSettings, Run
from wippy_console.services import saved_views

pytestmark = pytest.mark.django_db


def make(number: int, **fields: Any) -> Run:
    given = {
        "run_id": f"0199aaaa-0000-7000-8000-{number:012}", "workflow_id": f"order-{number}", "entry_id": "shop:order",
        "client": CLIENT, "worker": WORKER, "started_at": timezone.now() - timedelta(minutes=number), "keys": {},
    }  # fmt: skip
    return Run.objects.create(**{**given, **fields})


@pytest.fixture
def web(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.operator)
    return client


def listed(web: Client, query: str = "") -> list[str]:
    answer = web.get(f"/runs/{query}")
    assert answer.status_code == 200, answer.content
    return [run.workflow_id for run in answer.context["rows"]]


UNUSABLE = {
    "q": f"q={'x' * 2001}",
    "q ": "q=%00",
    "status": "status=none",
    "status ": "status=running&status=odd",
    "within": "within=2h",
    "started_from": "started_from=yesterday",
    "closed_to": "closed_to=2026-13-01",
    "key": "key=42",
    "key ": f"key=a={'x' * 600}",
    "entry": f"entry={'x' * 501}",
    "column": "columns=status,nonsense",
    "address": "before=xyz",
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_filter_that_can_not_be_used_is_named_and_nothing_is_listed(web: Client, name: str) -> None:
    make(1)
    for headers in ({}, {"HX-Request": "true"}):
        answer = web.get(f"/runs/?{UNUSABLE[name]}", headers=headers)
        text = answer.content.decode()
        assert answer.status_code == 422
        assert name.strip() in text
        assert "order-1" not in text


def test_several_states_at_once(web: Client, cast: Cast) -> None:
    for number, status in enumerate(("running", "failed", "completed", "timed_out")):
        make(number, status=status)
    later = timezone.now() + timedelta(hours=1)
    make(4, starts_at=later)
    make(5, retrying=[{"id": "1", "name": "x", "attempt": 4}], troubled_since=timezone.now())
    make(6, stuck_reason="it fails", troubled_since=timezone.now())
    make(7).questions.create(number=0, opened_at=timezone.now())
    assert listed(web, "?status=failed&status=timed_out") == ["order-1", "order-3"]
    assert listed(web, "?status=scheduled&status=retrying") == ["order-4", "order-5"]
    assert listed(web, "?status=waiting&status=stuck") == ["order-6", "order-7"]
    assert listed(web, "?status=&q=") == listed(web)


def test_times_are_the_readers_and_may_be_relative(web: Client) -> None:
    make(10)
    make(70)
    make(60 * 26, closed_at=timezone.now() - timedelta(hours=25))
    assert listed(web, "?within=1h") == ["order-10"]
    assert listed(web, "?within=24h") == ["order-10", "order-70"]
    assert listed(web, "?within=7d") == ["order-10", "order-70", f"order-{60 * 26}"]
    web.cookies["zone"] = "Asia/Tokyo"
    local = (timezone.now() - timedelta(minutes=30) + timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M")
    assert listed(web, f"?started_from={local}") == ["order-10"]
    assert listed(web, f"?started_to={local}&closed_to={local}") == [f"order-{60 * 26}"]


def test_a_last_day_counts_whole() -> None:
    first, last = read("2026-11-27", UTC, end=False), read("2026-11-27", UTC, end=True)
    assert first is not None and last is not None
    assert last - first == timedelta(days=1)
    assert read("2026-11-27T10:00+02:00", UTC, end=False) == read("2026-11-27T08:00Z", UTC, end=False)
    assert read("9999-12-31", UTC, end=True) is None


def test_columns_come_from_the_address_or_are_remembered(web: Client, cast: Cast) -> None:
    make(1, keys={"order.id": "42", "customer": "Ann"}, result={"total": 7}, status="completed", task_queue="express")
    assert [column.name for column in web.get("/runs/").context["columns"]] == [
        "status", "what", "now", "started", "took",
    ]  # fmt: skip
    page = web.get("/runs/?columns=result,key:order.id,queue,by")
    assert [column.name for column in page.context["columns"]] == [
        "status", "what", "key:order.id", "result", "by", "queue",
    ]  # fmt: skip
    assert "express" in page.content.decode() and "&quot;total&quot;: 7" in page.content.decode()
    sent = {"column": ["started", "key:customer", "nonsense"], "dense": "1", "query": "status=completed"}
    assert web.post("/views/columns/", sent)["Location"] == "/runs/?status=completed"
    page = web.get("/runs/?status=completed")
    assert [column.name for column in page.context["columns"]] == ["status", "what", "key:customer", "started"]
    assert "runs dense" in page.content.decode()
    assert ListSettings.objects.get().user == cast.operator
    web.post("/views/columns/", {"usual": "1", "column": ["started"]})
    assert "now" in [column.name for column in web.get("/runs/").context["columns"]]


def test_a_saved_view_shows_its_columns_to_everybody(web: Client, cast: Cast) -> None:
    make(1)
    view = saved_views.save(cast.author, "runs", "queues", "columns=status,what,queue", shared=True)
    page = web.get(f"/runs/{saved_views.address(view)}")
    assert [column.name for column in page.context["columns"]] == ["status", "what", "queue"]
    assert not page.context["saved"]["is_changed"]
    changed = web.post("/views/columns/", {"column": ["took"], "query": f"columns=status,what,queue&saved={view.pk}"})
    assert web.get(changed["Location"]).context["saved"]["is_changed"]


def test_masked_results_stay_masked_in_the_list(web: Client) -> None:
    make(1, result={"total": 7}, status="completed")
    assert "total" not in web.get("/runs/").content.decode(), "and what is not shown is not read"


def test_every_column_costs_the_same_queries_at_fifty_and_at_five_hundred_runs(web: Client) -> None:
    counts = []
    columns = "id,entry,keys,now,result,started,closed,took,by,queue,version,client,key:a"
    web.get(f"/runs/?columns={columns}&q=order")
    for some in (range(50), range(50, 500)):
        for number in some:
            make(number, status="completed", result=[number], keys={"a": "b"})
        with CaptureQueriesContext(connection) as queries:
            assert len(web.get(f"/runs/?columns={columns}&q=order").context["rows"]) == 50
        # What is masked is asked for once a second.
        counts.append(len([query for query in queries if "wippy_console_version" not in query["sql"]]))
    assert counts[0] == counts[1]
