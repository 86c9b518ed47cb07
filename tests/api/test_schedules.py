"""What is scheduled, by the API."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from tests.api.calling import api_of
from tests.console.departments import OURS, THEIRS, Room
from tests.console.operating import Cast
from wippy_console.models import Run


def test_runs_that_begin_later_are_listed_with_their_time(rooms: dict[str, Room], clerk: User, cast: Cast) -> None:
    later = timezone.now() + timedelta(days=1)
    for name in (OURS, THEIRS):
        Run.objects.create(
            run_id=f"later-{name}", workflow_id=f"{name}-nightly", entry_id=f"{name}:flow", namespace=name,
            client="app:client", started_at=timezone.now(), starts_at=later,
        )  # fmt: skip
    found = api_of(clerk).get("/schedules")
    assert found.status_code == 200, found.content
    assert [(each["run_id"], each["starts_at"]) for each in found.json()["items"]] == [
        (f"later-{OURS}", later.isoformat().replace("+00:00", "Z"))
    ]
    assert api_of(clerk).get("/schedules?entry=app:other").json() == {"items": [], "next": ""}
    assert api_of(cast.stranger).get("/schedules").status_code == 403
