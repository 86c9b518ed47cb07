"""Temporal hangs: pages tell what was known, acts are refused at once, and all of it goes on when it answers again."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from temporalio.service import RPCError

from tests.console.hold import Way, way_to
from tests.console.operating import WORKER, Stage, stage
from tests.console.test_typed import main_form
from wippy_console.models import Run
from wippy_console.services import temporal, temporal_doubt
from wippy_console.services.decisions.journal import SENT_LATER
from wippy_console.services.errors import Unavailable
from wippy_console.services.histories import cache
from wippy_console.services.runs.starting import NOT_STARTED
from wippy_console.services.timeline.known import shelf

NOBODY_WAITS = 100_000.0
"""Seconds: an act that waits for Temporal is one that hangs."""


@dataclass
class Scene:
    stage: Stage
    way: Way
    browser: Client

    def page(self, run: Run, tail: str = "") -> str:
        answer = self.browser.get(f"/runs/{run.workflow_id}/{run.run_id}/{tail}")
        assert answer.status_code == 200
        return answer.content.decode()


@pytest.fixture
def scene(transactional_db: None, temporal_address: str, settings: Any, monkeypatch: Any) -> Iterator[Scene]:
    with way_to(temporal_address) as way, stage(way.address) as made:
        client = Client()
        client.force_login(made.cast.root)
        monkeypatch.setattr(temporal_doubt, "FRESH_SECONDS", 0.0)
        yield Scene(made, way, client)
        way.release()
        for run in Run.objects.filter(closed_at=None):  # other tests look for runs on queues that nobody serves
            with suppress(RPCError, Unavailable):
                temporal.run(temporal.client(run.client).get_workflow_handle(run.workflow_id).terminate())


@pytest.fixture
def held(scene: Scene, settings: Any, monkeypatch: Any) -> tuple[Scene, Run]:
    """A run whose page was seen, and Temporal, which hangs from then on."""
    run = scene.stage.start()
    assert 'id="away"' not in scene.page(run)
    scene.way.hold()
    settings.TEMPORAL_PATIENCE = 0.5
    return scene, run


def test_a_page_tells_what_was_known_and_since_when(held: tuple[Scene, Run]) -> None:
    scene, run = held
    text = scene.page(run)
    note = re.search(r'(?s)id="away".*?</div></div>', text)
    assert note and "Temporal does not answer" in note[0] and "what was known" in note[0] and "<time" in note[0]
    assert "tl-row" in text and "every 3s" in text
    scene.way.release()
    assert 'id="away"' not in scene.page(run)


def test_a_page_of_which_nothing_was_known_says_so(held: tuple[Scene, Run]) -> None:
    scene, run = held
    cache.clear()
    shelf.clear()
    text = scene.page(run)
    assert 'id="away"' in text and "was noted" in text and "every 3s" in text
    for tab in ("table", "events", "pending", "state", "details", "json", "audit"):
        assert run.workflow_id in scene.page(run, f"?tab={tab}")


def test_a_reader_of_the_timeline_is_not_told_that_old_rows_are_new(held: tuple[Scene, Run]) -> None:
    scene, run = held
    answer = scene.browser.get(f"/runs/{run.workflow_id}/{run.run_id}/timeline.json")
    assert answer.status_code == 503


def test_acts_are_told_at_once_when_it_is_known_and_no_form_loses_its_text(scene: Scene, monkeypatch: Any) -> None:
    run = scene.stage.start()
    home = f"/runs/{run.workflow_id}/{run.run_id}"
    form = main_form(scene.browser.get("/runs/start/?entry=app.flows:approval"))
    begin = form.post_all({"worker": WORKER, "workflow_id": "kept-id"})
    scene.way.hold()
    temporal.doubt()  # as any page or probe does that was not answered
    monkeypatch.setattr(temporal.run, "__defaults__", (NOBODY_WAITS,))
    ended = scene.browser.post(f"{home}/cancel/", {"reason": "No longer wanted", "key": str(uuid.uuid4())})
    sent = scene.browser.post(
        f"{home}/signal/", {"topic": "note", "payload": '{"text": "keep me"}', "reason": "x", "key": str(uuid.uuid4())}
    )
    begun = scene.browser.post("/runs/start/", begin)
    assert [each.status_code for each in (ended, sent, begun)] == [503, 503, 503]
    for answer, text, becomes in (
        (ended, "No longer wanted", SENT_LATER),
        (sent, "keep me", SENT_LATER),
        (begun, "kept-id", NOT_STARTED),
    ):
        assert text in answer.content.decode() and becomes in answer.content.decode()
    scene.way.release()
    assert scene.browser.post("/runs/start/", begin).status_code == 302
    assert Run.objects.filter(workflow_id="kept-id").count() == 1
