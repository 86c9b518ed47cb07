"""Truths of docs/truths.md that no other test tells of."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.entry import Entry
from engine.errors import Failure
from tests.console.operating import CLIENT, WORKER, Cast
from tests.console.registry_cast import create
from wippy_console.models import Run
from wippy_console.services import feed, registry
from wippy_console.services.registry import Changes

pytestmark = pytest.mark.django_db


def test_an_exit_tells_its_result_and_leads_to_run_and_parent(cast: Cast, client: Client) -> None:
    parent, child = (
        Run.objects.create(
            run_id=f"{number}0000000-0000-0000-0000-00000000000b", workflow_id=name, entry_id="app:flow",
            namespace="app", client=CLIENT, worker=WORKER, started_at=timezone.now(),
        )
        for number, name in ((1, "the-parent"), (2, "the-child"))
    )  # fmt: skip
    failure = Failure("Invalid", "the card was refused").to_json()
    related = {"parent_workflow_id": parent.workflow_id, "parent_run_id": parent.run_id}
    feed.append(feed.EXIT, run=child, data={"status": "failed", "failure": failure, "seconds": 2, **related})
    client.force_login(cast.viewer)
    text = client.get("/live/").content.decode()
    assert "the card was refused" in text
    for run in (parent, child):
        assert reverse("run", args=(run.workflow_id, run.run_id)) in text


def test_any_two_versions_of_an_entry_are_compared(cast: Cast, client: Client) -> None:
    sources = [f"return {{main = function() return {number} end}}" for number in (1, 2, 3)]
    numbers = [create(Entry("app:f", "function.lua", {}, {"source": sources[0]})).number]
    for source in sources[1:]:
        changes = Changes(update=(Entry("app:f", "function.lua", {}, {"source": source}),))
        numbers.append(registry.publish(cast.root, changes, base=None, message="next").number)
    client.force_login(cast.viewer)
    text = client.get(f"/registry/app:f/?tab=diff&old={numbers[0]}&new={numbers[2]}").content.decode()
    assert "return 1 end" in text and "return 3 end" in text and "return 2 end" not in text
