"""What a quarantine says of runs, and who may lift it."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from engine.contracts.watcher import Card
from tests.console.operating import Cast
from wippy_console.models import FeedEvent, Quarantine, Run
from wippy_console.services import quarantine, states
from wippy_console.services.errors import Conflict

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
