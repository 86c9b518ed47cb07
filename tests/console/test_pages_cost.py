"""Pages with lists ask the database as often for forty rows as for two."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from engine.entry import Entry
from tests.console.registry_cast import create
from wippy_console.models import Question, QuestionRole, Run
from wippy_console.services import feed

pytestmark = pytest.mark.django_db

SIGNALS = [{"topic": "decision", "label": "Approve"}, {"topic": "decision", "label": "Reject"}]
PAGES = ("/", "/inbox/", "/runs/", "/live/", "/registry/app:flow_0/?tab=open+runs")


def flow(number: int) -> Entry:
    meta: dict[str, Any] = {"title": f"Flow {number}", "signals": SIGNALS}
    return Entry(f"app:flow_{number}", "workflow.lua", meta, {"source": "return {main = function() end}"})


def ask(number: int) -> None:
    """A run that waits for a person, each third of another entry."""
    now = timezone.now()
    run = Run.objects.create(
        run_id=f"00000000-0000-0000-0000-{number:012}", workflow_id=f"flow-{number}", entry_id=f"app:flow_{number % 3}",
        client="app:client", started_at=now, registry_version=1,
    )  # fmt: skip
    question = Question.objects.create(
        run=run, channel="decision", number=0, key=str(number), opened_at=now, signals=SIGNALS
    )
    QuestionRole.objects.create(question=question, role="")
    feed.append(feed.STARTED, run=run)
    Run.objects.create(
        run_id=f"10000000-0000-0000-0000-{number:012}", workflow_id=f"tried-{number}", entry_id="app:flow_0",
        client="app:client", started_at=now, troubled_since=now,
        retrying=[{"id": "1-a", "name": "app:fn", "attempt": 4, "kind": "", "message": "no", "next": now.isoformat()}],
    )  # fmt: skip


def cost(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = client.get(address)
    assert response.status_code == 200
    text = response.content.decode()
    assert "Flow 0" in text
    if address != "/live/":
        assert "Approve or Reject?" in text
    return len(queries)


def test_no_list_asks_anew_for_each_row(client: Client) -> None:
    create(flow(0), flow(1), flow(2))
    client.force_login(User.objects.create_superuser("root"))
    for number in range(4):
        ask(number)
    cost(client, "/")  # now the titles are known
    few = {address: cost(client, address) for address in PAGES}
    for number in range(4, 40):
        ask(number)
    assert {address: cost(client, address) for address in PAGES} == few


def test_the_runs_page_offers_each_workflow_by_its_title(client: Client) -> None:
    create(flow(0), flow(1))
    client.force_login(User.objects.create_superuser("root"))
    text = client.get("/runs/?entry=gone:flow").content.decode()
    assert '<option value="app:flow_1" title="app:flow_1">Flow 1</option>' in text
    assert '<option value="gone:flow" title="gone:flow" selected>gone:flow</option>' in text
