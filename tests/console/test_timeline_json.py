"""What the browser gets to draw a timeline with."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.console.operating import Stage, soon
from wippy_console.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


def look(client: Client, run: Run, after: str = "") -> Any:
    url = reverse("run_timeline", args=(run.workflow_id, run.run_id))
    answer = client.get(url, {"after": after} if after else {})
    assert answer.status_code == 200
    return answer.json()


def test_a_run_is_told_row_by_row_and_unchanged_ones_are_not_told_again(on_stage: Stage, client: Client) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    question = on_stage.ask(run, deadline=soon())
    client.force_login(on_stage.cast.viewer)
    first = look(client, run)
    assert first["whole"] and first["open"] and first["events"] >= 3
    assert (first["state"]["key"], first["state"]["word"]) == ("waiting", "Waiting for a person")
    rows = {row["id"]: row for row in first["rows"]}
    assert (rows[1]["kind"], rows[1]["label"], rows[1]["word"]) == ("workflow", "Approval", "Running")
    asked = rows[-question.pk]
    assert (asked["lane"], asked["href"]) == ("human", reverse("question", args=(question.pk,)))
    again = look(client, run, first["cursor"])
    assert (again["whole"], again["rows"], again["gone"]) == (False, [], [])


def test_the_rows_of_a_run_are_for_those_who_may_see_it(on_stage: Stage, client: Client) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    url = reverse("run_timeline", args=(run.workflow_id, run.run_id))
    assert client.get(url).status_code == 302
    client.force_login(on_stage.cast.stranger)
    assert client.get(url).status_code == 403
