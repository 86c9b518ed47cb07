"""The timeline's place in the page of a run."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.browser.scene import archived
from tests.console.operating import Stage
from wippy_console.models import HistoryArchive

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_refreshed_page_leaves_the_timeline_to_the_browser(on_stage: Stage, client: Client) -> None:
    run = archived("everything", "completed")
    client.force_login(on_stage.cast.viewer)
    url = reverse("run", args=(run.workflow_id, run.run_id))
    whole, part = client.get(url).content.decode(), client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert 'class="tl-item"' in whole
    assert '<div id="timeline" data-own></div>' in part
    assert 'class="tl-item"' not in part


def test_a_history_that_can_t_be_had_is_said_where_the_timeline_would_be(on_stage: Stage, client: Client) -> None:
    run = archived("everything", "completed")
    HistoryArchive.objects.filter(run=run).delete()
    client.force_login(on_stage.cast.viewer)
    url = reverse("run", args=(run.workflow_id, run.run_id))
    for headers in ({}, {"HX-Request": "true"}):
        text = client.get(url, headers=headers).content.decode()
        assert '<div id="timeline"><div class="empty">' in text


@pytest.mark.parametrize("text", ["APPROVAL", "flows:appr", "50"])
def test_rows_are_found_by_title_id_and_summary(on_stage: Stage, client: Client, text: str) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 50})
    client.force_login(on_stage.cast.viewer)
    url = reverse("run", args=(run.workflow_id, run.run_id))
    assert 'id="row-1"' in client.get(url, {"find": text}).content.decode()
    rows = client.get(reverse("run_timeline", args=(run.workflow_id, run.run_id))).json()["rows"]
    first = next(row for row in rows if row["id"] == 1)
    assert (first["label"], first["entry"], first["summary"]) == ("Approval", "app.flows:approval", "wanted 50")
