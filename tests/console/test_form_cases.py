"""Values through the real pages, to what is sent: exact, or refused at their field, and never changed."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from engine.entry import Entry
from tests.console.browsing import Page
from tests.console.operating import CLIENT, LUA, Stage
from tests.console.registry_cast import create
from wippy_console.models import Node, Run
from wippy_console.services import histories, processes, runs

pytestmark = pytest.mark.django_db(transaction=True)

UNSERVED = "case:worker"
MISSING = "nothing was sent"


def first(run: Run, kind: str) -> HistoryEvent:
    wanted = EventType.Value(f"EVENT_TYPE_{kind}")
    return next(event for event in histories.newest(run) if event.event_type == wanted)


class Way:
    """One of the forms that a schema is drawn in."""

    def __init__(self, stage: Stage, client: Client) -> None:
        self.stage, self.client, self.zone = stage, client, ""
        client.force_login(stage.cast.root)
        create(Entry(UNSERVED, "temporal.worker", {}, {"client": CLIENT, "task_queue": "nobody"}))

    def send(self, schema: Any, typed: dict[str, Any]) -> Any:
        """Draw the form, type into fields by their names, send it: what arrived, MISSING, or the page again."""
        raise NotImplementedError

    def page(self, url: str) -> Page:
        return Page(self.client.get(url).content.decode().partition("<main")[2])

    def post(self, url: str, page: Page, typed: dict[str, Any], **more: str) -> Any:
        return self.client.post(url, page.post_all({**typed, **more}).urlencode(), "application/x-www-form-urlencoded")


class Start(Way):
    def send(self, schema: Any, typed: dict[str, Any]) -> Any:
        create(Entry("case:start", "workflow.lua", {"input_schema": schema}, {"source": LUA}))
        url = f"{reverse('start')}?entry=case:start"
        answer = self.post(url, self.page(url), typed, worker=UNSERVED)
        if answer.status_code != 302:
            return answer
        run = Run.objects.get(entry_id="case:start")
        attributes = first(run, "WORKFLOW_EXECUTION_STARTED").workflow_execution_started_event_attributes
        assert run.input == [json.loads(payload.data) for payload in attributes.input.payloads]
        return run.input[0] if run.input else MISSING


class Answer(Way):
    def run(self) -> Run:
        started = runs.start(self.stage.cast.operator, "case:answer", UNSERVED, [])
        return Run.objects.get(run_id=started.run_id)

    def send(self, schema: Any, typed: dict[str, Any]) -> Any:
        signals = [{"topic": "decision", "label": "Go", "schema": schema, "reason": "none"}]
        create(Entry("case:answer", "workflow.lua", {"signals": signals}, {"source": LUA}))
        run = self.run()
        self.stage.ask(run, "decision")
        url = reverse("run_answer", args=(run.workflow_id, run.run_id, 0))
        answer = self.post(url, self.page(url), typed)
        if answer.status_code != 302:
            return answer
        signal = first(run, "WORKFLOW_EXECUTION_SIGNALED").workflow_execution_signaled_event_attributes
        [payload] = signal.input.payloads
        return json.loads(payload.data)


class Spawn(Way):
    def __init__(self, stage: Stage, client: Client, node: Mock) -> None:
        super().__init__(stage, client)
        self.node = node

    def send(self, schema: Any, typed: dict[str, Any]) -> Any:
        create(
            Entry("case:host", "process.host", {}, {}),
            Entry("case:spawn", "process.lua", {"input_schema": schema}, {"source": LUA}),
        )
        url = f"{reverse('spawn')}?entry=case:spawn"
        answer = self.post(url, self.page(url), typed, host="case:host")
        if answer.status_code != 302:
            return answer
        [request, *_] = self.node.spawn.call_args.args
        return request.args[0] if request.args else MISSING


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Mock:
    found = Mock()
    found.spawn.return_value = "{n@case:host|1}"
    monkeypatch.setattr(processes.nodes, "ask", lambda act: act(found))
    return found


@pytest.fixture(params=["start", "answer", "spawn"])
def way(request: pytest.FixtureRequest, on_stage: Stage, client: Client, node: Mock) -> Any:
    ways = {"start": Start, "answer": Answer}
    return Spawn(on_stage, client, node) if request.param == "spawn" else ways[request.param](on_stage, client)


def said(answer: Any) -> str:
    assert answer.status_code == 422
    return str(answer.content.decode())


NUMBERS = {"type": "object", "properties": {"n": {"type": "number"}, "i": {"type": "integer"}}}


def test_a_number_arrives_with_all_its_digits(way: Way) -> None:
    value = way.send(NUMBERS, {"f-n": "3544790567247868102", "f-i": "-9223372036854775808"})
    assert value == {"n": 3544790567247868102, "i": -9223372036854775808}
    assert type(value["n"]) is int


@pytest.mark.parametrize("digits", ["3.14159265358979323846", "123456789012345678901234567890", "1e400"])
def test_a_number_that_would_lose_digits_is_refused_at_its_field_and_kept_in_it(way: Way, digits: str) -> None:
    text = said(way.send(NUMBERS, {"f-n": digits}))
    assert f'value="{digits}"' in text
    assert "can&#x27;t be kept exactly" in text.partition('id="id_f-n_error"')[2].partition("</ul>")[0]


DATES: dict[str, Any] = {
    "type": "object",
    "properties": {
        "at": {"type": "string", "format": "date-time", "default": "2026-03-29T08:30:00+02:00"},
        "at2": {"type": "string", "format": "date-time", "default": "2026-03-29T08:30:00Z"},
        "clock": {"type": "string", "format": "time", "default": "08:30:00Z"},
    },
}


@pytest.mark.parametrize("zone", ["", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Mars/Olympus"])
def test_dates_that_nobody_touched_arrive_as_they_stand_in_the_schema(way: Way, zone: str) -> None:
    way.client.cookies["zone"] = zone.replace("/", "%2F")
    defaults = {name: part["default"] for name, part in DATES["properties"].items()}
    assert way.send(DATES, {}) == defaults


def test_dates_are_drawn_in_the_viewer_s_zone_which_is_shown(on_stage: Stage, client: Client, node: Mock) -> None:
    create(Entry("case:start", "workflow.lua", {"input_schema": DATES}, {"source": LUA}))
    client.force_login(on_stage.cast.root)
    client.cookies["zone"] = "Europe%2FBerlin"
    page = Page(client.get(f"{reverse('start')}?entry=case:start").content.decode())
    sent = dict(page.sent)
    assert (sent["f-at"], sent["f-at:zone"], page.types["f-at"]) == (
        "2026-03-29T08:30",
        "Europe/Berlin",
        "datetime-local",
    )
    assert (sent["f-at2"], sent["f-at2:zone"]) == ("2026-03-29T10:30", "Europe/Berlin")
    assert (sent["f-clock"], sent["f-clock:zone"]) == ("08:30", "UTC")


def test_a_time_that_is_typed_has_the_offset_of_its_zone_then(way: Way) -> None:
    way.client.cookies["zone"] = "Europe%2FBerlin"
    typed = {
        "f-at": "2026-07-01T08:30",
        "f-at2": "2026-01-01T08:30:00.25",
        "f-clock": "09:15",
        "f-clock:zone": "+05:45",
    }
    value = way.send(DATES, typed)
    assert value == {
        "at": "2026-07-01T08:30:00+02:00", "at2": "2026-01-01T08:30:00.25+01:00", "clock": "09:15:00+05:45",
    }  # fmt: skip
    assert datetime.fromisoformat(value["at"]).astimezone(UTC).hour == 6


def test_a_text_with_an_offset_is_sent_as_it_is(way: Way) -> None:
    typed = {
        "f-at": "2026-03-29T08:30:00.123456789+02:00",
        "f-at2": "2026-03-29t08:30:00z",
        "f-clock": "08:30:00+02:00",
    }
    value = way.send(DATES, typed)
    assert value == {name.removeprefix("f-"): text for name, text in typed.items()}


@pytest.mark.parametrize(
    ("local", "words"),
    [("2026-03-29T02:30:00", "there is no such time"), ("2026-10-25T02:30:00", "choose +02:00 or +01:00")],
)
def test_a_local_time_that_is_none_or_two_is_refused(way: Way, local: str, words: str) -> None:
    way.client.cookies["zone"] = "Europe%2FBerlin"
    text = said(way.send(DATES, {"f-at": local}))
    assert words in text
    assert f'value="{local}"' in text


NAMES = ["app.kubernetes.io/name", "a.b", "a", "", "7", " ", 'it\'s "it"', "ключ ✓", "a:b~c", "line\nbreak"]


def test_properties_with_any_names_arrive_under_them(way: Way) -> None:
    text: dict[str, Any] = {"type": "string"}
    inner = {"type": "object", "properties": {"b": text}}
    properties = {name: inner if name == "a" else text for name in NAMES}
    schema = {"type": "object", "additionalProperties": False, "required": NAMES, "properties": properties}
    empty = Page(str(way.client.get("/").content))
    assert not [name for name, _ in empty.sent if name.startswith("f-")]
    fields = [f"f-{each}" for each in field_names(schema)]
    value = way.send(schema, {name: f"value {index}" for index, name in enumerate(fields)})
    expected: dict[str, Any] = {name: f"value {index}" for index, name in enumerate(NAMES)}
    assert value == expected | {"a": {"b": expected["a"]}}


def field_names(schema: Any) -> list[str]:
    from wippy_console.forms.schema import SchemaForm

    return [
        each.name.removeprefix("f-") for top in SchemaForm(schema).nodes for each in top.every() if hasattr(each, "raw")
    ]


GROUPS: dict[str, Any] = {
    "type": "object",
    "default": {"top": "from-root"},
    "properties": {
        "top": {"type": "string"},
        "cfg": {
            "type": "object", "default": {"a": 2, "b": "two"},
            "properties": {"a": {"type": "integer", "default": 1}, "b": {"type": "string"}},
        },
        "notify": {
            "type": "object", "required": ["mail"],
            "properties": {"mail": {"type": "string"}, "urgent": {"type": "boolean"}},
        },
        "tri": {"type": ["boolean", "null"], "default": None},
    },
}  # fmt: skip
UNTOUCHED = {"top": "from-root", "cfg": {"a": 2, "b": "two"}, "tri": None}


def test_outer_defaults_win_and_a_group_that_nobody_touched_is_absent(way: Way) -> None:
    assert way.send(GROUPS, {}) == UNTOUCHED


def test_a_touched_group_is_there_and_its_box_is_left_out_unless_ticked(way: Way) -> None:
    assert way.send(GROUPS, {"f-notify.mail": "a@b"}) == UNTOUCHED | {"notify": {"mail": "a@b"}}


def test_what_a_touched_group_lacks_is_said_at_the_field(way: Way) -> None:
    text = said(way.send(GROUPS, {"f-notify.urgent": "true"}))
    assert "This field is required." in text.partition('id="id_f-notify.mail_error"')[2].partition("</ul>")[0]


def test_a_group_can_be_there_empty_and_one_that_was_there_can_go(way: Way) -> None:
    schema = {"type": "object", "properties": {
        "here": {"type": "object", "default": {"a": 2}, "properties": {"a": {"type": "integer"}}},
        "there": {"type": "object", "properties": {"a": {"type": "integer"}}},
    }}  # fmt: skip
    assert way.send(schema, {"f-here:has": None, "f-there:has": "1"}) == {"there": {}}


SHAPES = {
    "$defs": {"Address": {"type": "object", "properties": {"street": {"type": "string"}}}},
    "type": "object",
    "properties": {
        "pick": {"oneOf": [{"const": "low", "title": "Low risk"}, {"const": "high", "title": "High risk"}]},
        "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "address": {"$ref": "#/$defs/Address"},
    },
}


def test_choices_and_references_are_drawn_and_arrive(way: Way) -> None:
    typed = {"f-pick": '"high"', "f-maybe": "x", "f-address.street": "Main"}
    assert way.send(SHAPES, typed) == {"pick": "high", "maybe": "x", "address": {"street": "Main"}}


def test_nothing_of_them_arrives_when_nothing_was_touched(way: Way) -> None:
    assert way.send(SHAPES, {}) == {}


def test_null_can_be_said(way: Way) -> None:
    assert way.send(SHAPES, {"f-maybe:empty": "null"}) == {"maybe": None}


def test_texts_keep_their_spaces_and_line_ends(way: Way) -> None:
    schema = {"type": "object", "properties": {
        "note": {"type": "string", "maxLength": 500}, "line": {"type": "string"},
        "dos": {"type": "string", "default": "a\r\nb\r\n"}, "odd": {"type": "string", "default": "\n a\rb\n"},
    }}  # fmt: skip
    value = way.send(schema, {"f-note": " one\n\ntwo \n", "f-line": "  x  "})
    assert value == {"note": " one\n\ntwo \n", "line": "  x  ", "dos": "a\r\nb\r\n", "odd": "\n a\rb\n"}


def test_a_message_s_json_arrives_exactly_or_is_refused(
    on_stage: Stage, client: Client, node: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "describe", lambda *_: None)
    now = timezone.now()
    Node.objects.create(id="n", hostname="h", os_pid=1, started_at=now, heartbeat_at=now)
    client.force_login(on_stage.cast.root)
    url = reverse("process_message", args=("{n@case:host|1}",))
    form = {"key": str(uuid.uuid4()), "topic": "t"}

    def send(payload: str) -> Any:
        return client.post(url, {**form, "payload": payload})

    assert said(send('{"n": 3.14159265358979323846}'))
    assert said(send("[" * 100_000)) and said(send("9" * 5_000)) and said(send('{"a": 1, "a": 2}'))
    assert not node.send.called
    assert send('{"n": 3544790567247868102, "d": 0.1}').status_code == 302
    assert node.send.call_args.args[2] == ({"n": 3544790567247868102, "d": 0.1},)
