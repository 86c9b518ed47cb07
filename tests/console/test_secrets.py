"""What a schema marks `writeOnly` arrives, and is shown nowhere again."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from temporalio.client import WorkflowHistory

from engine.entry import Entry
from engine.hosts.temporal.wire.payloads import decode
from tests.console.operating import CLIENT, LUA, Stage
from tests.console.registry_cast import create
from wippy_console.models import Decision, FeedEvent, Run
from wippy_console.services import decisions, histories, runs
from wippy_console.services.secrets import masked, masking

SECRET = "hunter2-hunter2"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"user": {"type": "string"}, "key": {"type": "string", "writeOnly": True}},
}
WORKER = "case:worker"


@pytest.mark.parametrize(
    ("schema", "value", "shown"),
    [
        (SCHEMA, {"user": "a", "key": "s"}, {"user": "a", "key": "••••••"}),
        (SCHEMA, {"user": "a"}, {"user": "a"}),
        (SCHEMA, [1], [1]),
        ({"type": "string", "format": "password"}, "s", "••••••"),
        ({"items": SCHEMA}, [{"key": 1}, {"key": None}], [{"key": "••••••"}, {"key": None}]),
        ({"oneOf": [{"properties": {"b": {}}}, SCHEMA]}, {"b": 1, "key": 2}, {"b": 1, "key": "••••••"}),
        ({"$defs": {"S": SCHEMA}, "items": {"$ref": "#/$defs/S"}}, [{"key": 1}], [{"key": "••••••"}]),
        ({"properties": {"n": {"$ref": "#"}, "k": {"writeOnly": True}}}, {"n": {"k": 1}}, {"n": {"k": "••••••"}}),
        ({"$ref": "#", "properties": {"k": {"writeOnly": True}}}, {"k": 1}, {"k": "••••••"}),
        ({"additionalProperties": {"writeOnly": True}}, {"a": 1}, {"a": "••••••"}),
        ({"prefixItems": [{}, {"writeOnly": True}]}, [1, 2, 3], [1, "••••••", 3]),
    ],
)  # fmt: skip
def test_a_secret_is_masked_wherever_the_schema_has_it(schema: Any, value: Any, shown: Any) -> None:
    assert masked(schema, value) == shown


@pytest.mark.django_db(transaction=True)
def test_a_secret_arrives_and_is_on_no_page_and_in_no_row(on_stage: Stage, client: Client) -> None:
    signals = [{"topic": "decision", "label": "Go", "schema": SCHEMA, "reason": "none"}]
    create(
        Entry(WORKER, "temporal.worker", {}, {"client": CLIENT, "task_queue": "nobody"}),
        Entry("case:flow", "workflow.lua", {"input_schema": SCHEMA, "signals": signals}, {"source": LUA}),
    )
    value = {"user": "ann", "key": SECRET}
    started = runs.start(on_stage.cast.root, "case:flow", WORKER, [value])
    run = Run.objects.get(run_id=started.run_id)
    on_stage.ask(run, "decision")
    made = decisions.decide(on_stage.cast.root, run, 0, value)
    assert isinstance(made, Decision)
    assert arrived(run) == [value, value]
    assert run.input == [{"user": "ann", "key": "••••••"}]
    assert Decision.objects.get(pk=made.pk).payload == {"user": "ann", "key": "••••••"}
    assert SECRET not in json.dumps([row.data for row in FeedEvent.objects.all()])
    client.force_login(on_stage.cast.root)
    for url in pages(run):
        answer = client.get(url)
        text = (answer.getvalue() if answer.streaming else answer.content).decode()
        assert (answer.status_code, SECRET in text) == (200, False), url
        assert not [each for each in encoded(SECRET) if each in text], url


@pytest.mark.django_db(transaction=True)
def test_a_secret_that_waits_to_be_sent_is_on_no_page(on_stage: Stage, client: Client) -> None:
    signals = [{"topic": "decision", "label": "Go", "schema": SCHEMA, "reason": "none"}]
    create(
        Entry(WORKER, "temporal.worker", {}, {"client": CLIENT, "task_queue": "nobody"}),
        Entry("case:flow", "workflow.lua", {"signals": signals}, {"source": LUA}),
    )
    started = runs.start(on_stage.cast.root, "case:flow", WORKER, [])
    run = Run.objects.get(run_id=started.run_id)
    value = {"user": "ann", "key": SECRET}
    kept = Decision.objects.create(run=run, user=on_stage.cast.root, action="signal", topic="decision", payload=value)
    assert kept.state == Decision.State.PENDING
    client.force_login(on_stage.cast.root)
    audit = f"{reverse('run', args=(run.workflow_id, run.run_id))}?tab=audit"
    for url in (audit, reverse("admin:wippy_console_decision_change", args=(kept.pk,))):
        answer = client.get(url)
        text = (answer.getvalue() if answer.streaming else answer.content).decode()
        assert ("ann" in text, SECRET in text) == (True, False), url
    for action in ("as_csv", "as_json"):
        chosen = {"_selected_action": [kept.pk], "action": action}
        text = b"".join(client.post(reverse("admin:wippy_console_decision_changelist"), chosen)).decode()
        assert ("ann" in text, SECRET in text) == (True, False), action


def branching(levels: int) -> Any:
    """A value whose every level fits two alternatives, with a secret at the bottom."""
    value: Any = {"key": SECRET}
    for _ in range(levels):
        value = {"child": value}
    return value


BRANCHING: dict[str, Any] = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {"oneOf": [{"$ref": "#/$defs/one"}, {"$ref": "#/$defs/two"}]},
        "one": {"properties": {"child": {"$ref": "#/$defs/node"}, "key": {"writeOnly": True}}},
        "two": {"properties": {"child": {"$ref": "#/$defs/node"}}},
    },
}


@pytest.mark.parametrize("levels", [1, 15, 40, 300])
def test_a_secret_is_masked_however_deep_it_is(levels: int) -> None:
    assert SECRET not in json.dumps(masked(BRANCHING, branching(levels)))


def test_what_alternatives_say_is_looked_at_once_for_each_part_of_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Any] = []
    beside = masking._beside

    def counted(root: Any, part: Any) -> Any:
        looked.append(part)
        return beside(root, part)

    monkeypatch.setattr(masking, "_beside", counted)
    masked(BRANCHING, branching(40))
    assert len(looked) < 300  # four parts of the schema for each level; doubled at each they would be billions


def encoded(text: str) -> list[str]:
    """How the text looks in the Base64 of what holds it, wherever it stands."""
    return [base64.b64encode(b" " * pad + text.encode()).decode()[4:-4] for pad in range(3)]


def arrived(run: Run) -> list[Any]:
    found = []
    for event in histories.newest(run):
        attributes = getattr(event, event.WhichOneof("attributes") or "")
        if event.WhichOneof("attributes") in (
            "workflow_execution_started_event_attributes",
            "workflow_execution_signaled_event_attributes",
        ):
            found += [json.loads(payload.data) for payload in attributes.input.payloads]
    return found


def pages(run: Run) -> list[str]:
    address = reverse("run", args=(run.workflow_id, run.run_id))
    tabs = [f"{address}?tab={tab}" for tab in ("timeline", "table", "events", "json", "audit")]
    events = [reverse("run_event", args=(run.workflow_id, run.run_id, number)) for number in (1, 3)]
    return [
        "/",
        "/runs/",
        "/inbox/",
        "/live/",
        *tabs,
        *events,
        reverse("run_history", args=(run.workflow_id, run.run_id)),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_secret_that_an_update_brings_is_masked_in_the_history(on_stage: Stage) -> None:
    signals = [{"topic": "decision", "label": "Go", "schema": SCHEMA, "reason": "none", "via": "update"}]
    create(
        Entry(WORKER, "temporal.worker", {}, {"client": CLIENT, "task_queue": on_stage.queue}),
        Entry("app.flows:secretive", "workflow.lua", {"signals": signals}, {"source": LUA}),
    )
    run = on_stage.start("app.flows:approval", {})
    Run.objects.filter(pk=run.pk).update(entry_id="app.flows:secretive")
    question = on_stage.ask(Run.objects.get(pk=run.pk))
    made = decisions.decide(on_stage.cast.root, question.run, 0, {"user": "ann", "key": SECRET})
    assert isinstance(made, Decision) and made.event_id
    raw, shown = (_accepted(each) for each in (histories.read(run), runs.history(Run.objects.get(pk=run.pk), None)))
    assert SECRET in raw and SECRET not in shown and "ann" in shown


def _accepted(history: WorkflowHistory) -> str:
    """The arguments of its one accepted update."""
    found = [event.workflow_execution_update_accepted_event_attributes for event in history.events]
    (given,) = [each.accepted_request.input.args.payloads for each in found if each.accepted_request.input.name]
    return str(decode(given[0]))
