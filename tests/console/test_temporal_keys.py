"""Business keys of runs in Temporal's own search: one attribute, without which runs start as well."""

from __future__ import annotations

import time
from typing import Any

import pytest
from temporalio.common import SearchAttributeKey

from engine.entry import Entry
from engine.hosts.temporal.client import business_keys
from tests.console.operating import Stage
from tests.patience import PATIENCE
from wippy_console.services import registry, runs, temporal
from wippy_console.services.registry import Changes

META = {
    "search": ["order.id", "customer", "card", "password"],
    "mask": ["card"],
    "input_schema": {"type": "object", "properties": {"password": {"type": "string", "writeOnly": True}}},
}
INPUT = {"order": {"id": 42}, "customer": "Müller & Söhne", "card": "4111", "password": "secret"}
KEYS = ["order.id=42", "customer=Müller & Söhne"]


@pytest.fixture
def entry() -> Entry:
    return Entry("app.flows:keyed", "workflow.lua", META, {"source": "return {main = function() end}"})


@pytest.fixture
def started(on_stage: Stage, entry: Entry, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Start a run of the entry and give what Temporal says of it."""
    monkeypatch.setattr(business_keys, "_known", {})
    registry.publish(on_stage.cast.author, Changes(create=(entry,)), base=None, message="keyed")

    def start() -> Any:
        run = runs.start(on_stage.cast.operator, entry.id, "app:worker", [INPUT])
        client = temporal.client("app:client")
        return temporal.run(client.get_workflow_handle(run.workflow_id, run_id=run.run_id).describe())

    return start


def test_what_is_masked_or_secret_is_no_key(entry: Entry) -> None:
    assert runs.starting_keys(entry, [INPUT]) == KEYS
    assert runs.starting_keys(entry, []) == runs.starting_keys(Entry("a:b", "workflow.lua"), [INPUT]) == []


def test_runs_have_their_keys_in_temporal_once_the_namespace_takes_them(started: Any) -> None:
    client = temporal.client("app:client")
    assert temporal.run(business_keys.register(client)) == ""
    assert temporal.run(business_keys.register(client)) == "", "again, at the next start"
    end = time.monotonic() + PATIENCE
    while not (found := list(started().typed_search_attributes)):  # all of the server hears of a new one in a while
        business_keys._known.clear()
        assert time.monotonic() < end
    assert [(pair.key.name, list(pair.value)) for pair in found] == [("WippyKeys", KEYS)]


def test_a_run_starts_where_the_server_does_not_take_them(started: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(business_keys, "_KEY", SearchAttributeKey.for_keyword_list("NobodyMadeIt"))

    async def known(client: Any) -> bool:
        return True

    monkeypatch.setattr(business_keys, "_is_known", known)
    assert list(started().typed_search_attributes) == []
