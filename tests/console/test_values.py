"""Values shown are the values: a cut one leads to all of it, bytes are bytes, numbers exact, and no text runs."""

from __future__ import annotations

import gzip
import json
import re
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from engine.hosts.temporal.wire.payloads import encode
from tests.console.operating import CLIENT, WORKER, Cast
from wippy_console.database.storable import storable
from wippy_console.models import Comment, HistoryArchive, Question, QuestionRole, Run
from wippy_console.services import audit, feed

pytestmark = pytest.mark.django_db

BIG = 9_007_199_254_740_993
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 2
ATTACK = '<script>alert("canary")</script><img src=x onerror=alert(1)>[x](javascript:alert(2))'


def payload(encoding: str, data: bytes, **more: str) -> Payload:
    metadata = {name: each.encode() for name, each in {"encoding": encoding, **more}.items()}
    return Payload(metadata=metadata, data=data)


def archived(*given: Payload, entry: str = "app:flow", said: str = "", **columns: Any) -> Run:
    """A closed run that was started with the payloads, and failed saying so."""
    begun, ended = HistoryEvent(event_id=1), HistoryEvent(event_id=2)
    begun.event_type = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
    begun.workflow_execution_started_event_attributes.workflow_type.name = entry
    begun.workflow_execution_started_event_attributes.input.payloads.extend(given)
    ended.event_type = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED
    ended.workflow_execution_failed_event_attributes.failure.message = said
    ended.workflow_execution_failed_event_attributes.failure.application_failure_info.type = said
    for event in (begun, ended):
        event.event_time.FromDatetime(timezone.now())
    now = timezone.now()
    run = Run.objects.create(
        run_id=str(uuid.uuid4()), workflow_id="values", entry_id=entry, namespace="app", client=CLIENT, worker=WORKER,
        status="failed", started_at=now, closed_at=now, history_length=2, **columns,
    )  # fmt: skip
    text = WorkflowHistory("values", [begun, ended]).to_json()
    HistoryArchive.objects.create(run=run, content=gzip.compress(text.encode()), events=2)
    return run


@pytest.fixture
def viewer(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.viewer)
    return client


def opened(client: Client, run: Run, row: int = 1) -> str:
    return client.get(reverse("run_row", args=(run.workflow_id, run.run_id, row))).content.decode()


def link_in(text: str) -> str:
    return re.search(r'href="([^"]+/payloads/[^"]+)"', text)[1]  # type: ignore[index]


def test_a_cut_value_says_how_long_it_is_and_leads_to_all_of_it(viewer: Client) -> None:
    whole = {"number": BIG, "text": "x" * 9_000}
    run = archived(encode(whole, "it"))
    text = opened(viewer, run)
    assert "Only the beginning is shown: it has 8.8" in text
    sent = viewer.get(link_in(text))
    assert sent["Content-Disposition"].startswith("attachment") and json.loads(sent.content) == whole
    event = viewer.get(reverse("run_event", args=(run.workflow_id, run.run_id, 1))).content.decode()
    assert str(BIG) in event


def test_a_payload_that_is_not_there_is_not_found(viewer: Client) -> None:
    run = archived(encode(1, "it"))
    for key in ("1-0000000000000000", "x", "9-", "-"):
        assert viewer.get(f"/runs/values/{run.run_id}/payloads/{key}/").status_code == 404


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (payload("binary/plain", PNG), ("PNG image", "520", "binary/plain", "iVBORw0KGgo")),
        (payload("binary/encrypted", b"sealed"), ("binary/encrypted", "6", "c2VhbGVk")),
        (payload("binary/protobuf", b"\x0a\x01a", messageType="shop.Order"), ("shop.Order", "binary/protobuf")),
        (payload("", b"\xff\xfe"), ("none", "//4=")),
    ],
    ids=["image", "encrypted", "protobuf", "nameless"],
)
def test_what_is_no_text_is_shown_as_such(viewer: Client, given: Payload, words: tuple[str, ...]) -> None:
    run = archived(given)
    for text in (opened(viewer, run), viewer.get(f"/runs/values/{run.run_id}/events/1/").content.decode()):
        assert not [word for word in words if word not in text]
        assert viewer.get(link_in(text)).content == given.data


@pytest.mark.parametrize("number", [BIG, 2**63 - 1, -(2**63), 1.5, 1e300, 0.1, 12345678.125])
def test_numbers_are_exact_on_every_way(viewer: Client, number: float) -> None:
    run = archived(encode({"n": number}, "it"), input=[{"n": number}], result={"n": number})
    page = f"/runs/values/{run.run_id}/"
    spelled = json.dumps(number)
    for text in (opened(viewer, run), *(viewer.get(page + end).content.decode() for end in ("", "events/1/"))):
        assert spelled in text
    sent = viewer.get(f"{page}values/input.json")
    assert json.loads(sent.getvalue()) == [{"n": number}]
    assert spelled in viewer.get(f"/admin/wippy_console/run/{run.pk}/change/").content.decode()


def test_bytes_in_a_value_are_kept_as_bytes() -> None:
    assert storable({"a": b"\xff\x00"}) == {"a": {"$bytes": "/wA="}}


def test_the_page_of_a_question_says_so_of_a_long_input(viewer: Client) -> None:
    run = archived(encode(1, "it"), input=[{"preview": '{"text": "abc', "bytes": 90_000}], cut={"input": 90_000})
    asked = Question.objects.create(run=run, namespace="app", channel="c", number=0, key="k", opened_at=timezone.now())
    QuestionRole.objects.create(question=asked, role="")
    text = viewer.get(f"/inbox/{asked.pk}/").content.decode()
    assert "Only the beginning is shown: it has 87.9" in text and "&quot;preview&quot;" not in text
    assert f"/runs/values/{run.run_id}/values/input.json" in text


def test_no_text_of_anybody_runs(viewer: Client, cast: Cast) -> None:
    run = archived(
        encode({"text": ATTACK, ATTACK: 1}, "it"), said=ATTACK, input=[{"text": ATTACK, ATTACK: 1}],
        failure={"kind": ATTACK, "message": ATTACK, "details": {"a": ATTACK}, "stack": ATTACK},
        stuck_reason=ATTACK, task_queue=ATTACK,
    )  # fmt: skip
    question = Question.objects.create(
        run=run, namespace="app", channel=ATTACK, number=0, key="k", opened_at=timezone.now(), title=ATTACK,
        text=ATTACK,
        signals=[{"topic": ATTACK, "label": ATTACK, "description": ATTACK}],
    )  # fmt: skip
    QuestionRole.objects.create(question=question, role="")
    Comment.objects.create(question=question, user=cast.operator, text=ATTACK)
    feed.append(feed.SIGNAL, run=run, data={"topic": ATTACK, "payload": ATTACK, "user": ATTACK, "reason": ATTACK})
    audit.append(audit.ANSWER, ATTACK, run=run, label=ATTACK, data={"reason": ATTACK})
    page = f"/runs/values/{run.run_id}/"
    tabs = [f"{page}?tab={tab}" for tab in ("timeline", "table", "events", "json", "audit")]
    parts = [f"{page}{end}" for end in ("rows/1/", "rows/2/", "events/1/", "events/2/")]
    addresses = ["/", "/inbox/", f"/inbox/{question.pk}/", "/live/", "/audit/", "/runs/", *tabs, *parts]
    for user in (cast.viewer, cast.operator):
        client = signed_in(user)
        for address in addresses:
            refuse_what_runs(client.get(address).content.decode(), address)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def refuse_what_runs(text: str, place: str) -> None:
    """Neither the element, nor an attribute with a handler, nor an address that is code."""
    for part in ("<script>alert", "<img src=x", 'href="javascript:'):
        assert part not in text, f"{part} stands in {place}: {text[max(0, text.find(part) - 200) :][:400]}"
