"""How runs ended that Temporal has forgotten: our rows remember."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from wippy_console.models import Run
from wippy_console.worker.temporal.run_exits import ended_run

pytestmark = pytest.mark.django_db


def run(run_id: str, *, age: int = 0, **fields: Any) -> None:
    started = timezone.now() - timedelta(minutes=age)
    Run.objects.create(
        run_id=run_id, workflow_id="order", entry_id="app:w", client="app:client", started_at=started, **fields
    )


def test_the_latest_run_of_an_id_tells_how_it_ended() -> None:
    run("old", age=2, status="completed", closed_at=timezone.now(), result="old")
    run("new", age=1, status="completed", closed_at=timezone.now(), result={"a": 1})
    closed = ended_run("app:client", "order")
    assert closed is not None
    assert (closed.run_id, closed.value, closed.failure) == ("new", {"a": 1}, None)
    assert ended_run("app:other", "order") is None


def test_a_failure_comes_back_as_it_was_and_one_that_was_cut_as_its_beginning() -> None:
    failure = {"kind": "Conflict", "message": "no", "retryable": False, "details": {}, "stack": ""}
    for run_id, stored, expected in (
        ("a", failure, ("Conflict", "no")),
        ("b", {"preview": '{"kind": ...', "bytes": 99999}, ("Internal", '{"kind": ...')),
    ):
        Run.objects.all().delete()
        run(run_id, status="failed", closed_at=timezone.now(), failure=stored)
        closed = ended_run("app:client", "order")
        assert closed is not None
        assert closed.failure is not None
        assert (closed.failure.kind, closed.failure.message) == expected


def test_a_run_that_is_open_or_goes_on_has_not_ended() -> None:
    run("open")
    assert ended_run("app:client", "order") is None
    Run.objects.update(status="continued_as_new", closed_at=timezone.now())
    assert ended_run("app:client", "order") is None
