"""What a quarantine says of runs, and who may lift it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from engine.contracts.watcher import Card
from tests.console.operating import Cast
from wippy_console.models import FeedEvent, Quarantine, Run
from wippy_console.services import quarantine, states
from wippy_console.services.errors import Conflict
from wippy_console.services.reconciler.troubles import next_try

pytestmark = pytest.mark.django_db

CARD = Card("workflow", "app:flow", "a" * 64, "app:worker", "{app:client@app:worker|w}")


def run_of(program: str) -> Run:
    return Run.objects.create(
        run_id="r-" + program, workflow_id="w", entry_id="app:flow", worker="app:worker", client="app:client",
        program=program, started_at=timezone.now(),
    )  # fmt: skip


@pytest.mark.parametrize(("program", "waits"), [("a" * 64, True), ("", True), ("b" * 64, False)])
def test_a_run_waits_for_its_own_program_only(program: str, waits: bool) -> None:
    run = run_of(program)
    assert quarantine.of_run(run.run_id) == ""
    quarantine.impose(CARD, 6.2, "node")
    said = quarantine.of_run(run.run_id)
    assert bool(said) is waits
    run.stuck_reason = said
    assert (states.of(run, asks=False).key == states.QUARANTINED) is waits


def test_one_quarantine_for_a_program_and_host_however_often(cast: Cast) -> None:
    for _ in range(3):
        quarantine.impose(CARD, 6.2, "node")
    assert Quarantine.objects.count() == 1
    assert FeedEvent.objects.filter(kind="QUARANTINE").count() == 1


def test_an_operator_lifts_it_once_and_a_viewer_may_not(cast: Cast) -> None:
    quarantine.impose(CARD, 6.2, "node")
    found = Quarantine.objects.get()
    with pytest.raises(PermissionDenied):
        quarantine.lift(cast.viewer, found.pk)
    quarantine.lift(cast.operator, found.pk)
    assert quarantine.refusals() == {}
    with pytest.raises(Conflict, match=r"lifted by .* already"):
        quarantine.lift(cast.operator, found.pk)
    assert [event.data["state"] for event in FeedEvent.objects.filter(kind="QUARANTINE")] == ["quarantined", "lifted"]


def test_what_was_lifted_keeps_a_run_no_more_until_it_is_tried_again(cast: Cast) -> None:
    run = run_of(CARD.digest)
    quarantine.impose(CARD, 6.2, "node")
    before = timezone.now()
    assert not quarantine.lifted_for(run.run_id, before)
    quarantine.lift(cast.operator, Quarantine.objects.get().pk)
    assert quarantine.lifted_for(run.run_id, before)
    assert not quarantine.lifted_for(run.run_id, timezone.now())
    assert not quarantine.lifted_for("another", before)


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 10), (3, 10), (4, 15), (6, 30), (11, 610), (2_000, 610)])
def test_the_next_try_of_a_task_is_known(attempt: int, seconds: int) -> None:
    taken = datetime(2026, 11, 27, 12, tzinfo=UTC)
    raw = DescribeWorkflowExecutionResponse()
    raw.execution_config.default_workflow_task_timeout.FromSeconds(10)
    raw.pending_workflow_task.attempt = attempt
    raw.pending_workflow_task.started_time.FromDatetime(taken)
    assert next_try(raw) == taken + timedelta(seconds=seconds)


def quarantined(number: int = 0) -> Quarantine:
    quarantine.impose(replace(CARD, entry=f"app:flow_{number}", digest=f"{number:064}"), 6.2, "node")
    return Quarantine.objects.latest("pk")


def lifting(client: Client, who: User, found: Quarantine, **headers: str) -> Any:
    client.force_login(who)
    return client.post(f"/workers/quarantine/{found.pk}/", {"key": str(uuid.uuid4())}, headers=headers)


def test_only_who_has_the_right_sees_the_dialog_and_lifts(client: Client, cast: Cast) -> None:
    found = quarantined()
    path = f"/workers/quarantine/{found.pk}/"
    assert client.get(path)["Location"].startswith("/login/")
    assert client.post(path)["Location"].startswith("/login/")
    client.force_login(cast.viewer)
    assert (client.get(path).status_code, client.post(path).status_code) == (403, 403)
    assert f'href="{path}"' not in client.get("/workers/").content.decode()
    assert quarantine.active().count() == 1
    client.force_login(cast.operator)
    assert f'href="{path}"' in client.get("/workers/").content.decode()
    assert "Lift this quarantine?" in client.get(path).content.decode()
    assert lifting(client, cast.operator, found)["Location"] == "/workers/"
    assert quarantine.active().count() == 0


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "HX-Target": "dialog"}], ids=["page", "dialog"])
def test_whoever_comes_second_is_told_who_lifted_it(client: Client, cast: Cast, headers: dict[str, str]) -> None:
    found = quarantined()
    lifting(client, cast.operator, found)
    answer = lifting(client, cast.administrator, found, **headers)
    assert answer.status_code == 409
    assert "was lifted by operator already" in answer.content.decode()
    assert Quarantine.objects.get().lifted_by == "operator"
    assert FeedEvent.objects.filter(kind="QUARANTINE").count() == 2


def test_there_is_no_dialog_for_what_never_was(client: Client, cast: Cast) -> None:
    client.force_login(cast.operator)
    assert client.get("/workers/quarantine/9999999/").status_code == 404


def test_two_hundred_cost_the_page_as_many_queries_as_two(client: Client, cast: Cast) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert "app:flow_1" in client.get("/workers/").content.decode()
        return len(queries)

    client.force_login(cast.operator)
    for number in range(2):
        quarantined(number)
    cost()
    few = cost()
    for number in range(2, 200):
        quarantined(number)
    assert cost() == few
