"""Descriptions of authors are Markdown wherever they stand, and do nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from engine.entry import Entry
from tests.console.operating import Cast, Stage
from tests.console.registry_cast import create
from wippy_console.services import registry
from wippy_console.services.registry import Changes

pytestmark = pytest.mark.django_db

WORDS = "Pays **at once**, see [the rules](https://example.org). <script>alert(1)</script> [x](javascript:alert(2))"
LUA = "return { main = function() end }"


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        ("workflow.lua", "/registry/app:f/"),
        ("workflow.lua", "/runs/start/?entry=app:f"),
        ("process.lua", "/processes/spawn/?entry=app:f"),
    ],
)
def test_a_description_is_drawn_as_markdown_without_scripts(cast: Cast, kind: str, page: str) -> None:
    create(
        Entry("app:hosts", "process.host", {}, {"host": {}}),
        Entry("app:f", kind, {"description": WORDS}, {"source": LUA, "method": "main"}),
    )
    client = Client()
    client.force_login(cast.root)
    answer = client.get(page)
    assert answer.status_code == 200
    is_harmless(answer.content.decode())


@pytest.mark.django_db(transaction=True)
def test_a_signal_s_description_is_drawn_so_beside_its_button_and_on_its_form(on_stage: Stage) -> None:
    entry = registry.entry("app.flows:approval")
    signal = {"topic": "decision", "label": "Approve", "description": WORDS}
    update = replace(entry, meta={**entry.meta, "signals": [signal]})
    registry.publish(on_stage.cast.author, Changes(update=(update,)), base=None, message="words")
    run = on_stage.start()
    on_stage.ask(run, "decision")
    client = Client()
    client.force_login(on_stage.cast.operator)
    for page in ("run", "run_answer"):
        args = (run.workflow_id, run.run_id, *((0,) if page == "run_answer" else ()))
        is_harmless(client.get(reverse(page, args=args)).content.decode())


def is_harmless(text: str) -> None:
    """It has the words as Markdown, and nothing that could run."""
    assert "<strong>at once</strong>" in text
    assert 'href="https://example.org"' in text
    assert "<script>alert" not in text
    assert 'href="javascript' not in text
