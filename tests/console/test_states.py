"""How a run stands: one rule, told alike in lists, pages and by the command line."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from engine.errors import Failure
from wippy_console.models import Node, Question, Run
from wippy_console.services import states
from wippy_console.services.timeline import Row
from wippy_console.views.run_page import show_attempts

pytestmark = pytest.mark.django_db

RUN_ID = "00000000-0000-0000-0000-000000000001"
PAGE = f"/runs/order-1/{RUN_ID}/"
NOW = timezone.now()
SOON = NOW + timedelta(hours=1)
CALL = {"id": "1-ab", "name": "case:fails", "attempt": 14, "kind": "Unavailable", "message": "gateway says 503"}
RETRYING: dict[str, Any] = {"retrying": [{**CALL, "next": SOON.isoformat()}], "troubled_since": NOW}
TIMER = {"kind": "timer", "name": "", "seq": 1, "deadline": int(SOON.timestamp() * 1e9)}
NOBODY = {"stuck_reason": "no worker serves task queue nobody-listens"}

CASES: list[tuple[str, str, dict[str, Any], str]] = [
    ("running", "Running", {"history_length": 3}, ""),
    ("retrying", "Retrying", RETRYING, "gateway says 503"),
    ("waiting", "Waiting for a person", {"asks": True}, "an answer?"),
    ("sleeping", "Sleeping", {"waiting": [TIMER], "waiting_totals": {"timer": 1}}, "until"),
    ("scheduled", "Scheduled", {"starts_at": SOON}, "begins"),
    ("no_worker", "No worker", NOBODY, "nobody-listens"),
    (
        "no_worker",
        "No worker",
        {"task_queue": "q", "started_at": NOW - timedelta(minutes=1)},
        "no worker serves task queue q",
    ),
    ("stuck", "Stuck", {"stuck_reason": "its workflow task fails again and again: boom"}, "boom"),
    ("quarantined", "Quarantined", {"stuck_reason": "quarantined since noon"}, "quarantined since noon"),
    ("failed", "Failed", {"status": "failed", "closed_at": NOW, "failure": {"message": "no stock"}}, "no stock"),
    ("completed", "Completed", {"status": "completed", "closed_at": NOW}, ""),
]


def make(asks: bool = False, **fields: Any) -> Run:
    run = Run.objects.create(
        run_id=RUN_ID, workflow_id="order-1", entry_id="case:flow", client="app:client", worker="app:worker",
        **{"started_at": NOW, "troubled_since": NOW if fields.get("stuck_reason") else None, **fields},
    )  # fmt: skip
    if asks:
        Question.objects.create(run=run, number=0, opened_at=NOW)
    return run


def command(*args: str) -> list[dict[str, Any]]:
    """What `manage.py runs --json` tells."""
    out = io.StringIO()
    call_command("runs", "--json", *args, stdout=out)
    found: list[dict[str, Any]] = json.loads(out.getvalue())["runs"]
    return found


@pytest.mark.parametrize(("key", "word", "fields", "says"), CASES)
def test_lists_pages_and_the_command_line_tell_the_state_alike(
    client: Client, key: str, word: str, fields: dict[str, Any], says: str
) -> None:
    make(**fields)
    client.force_login(User.objects.create_superuser("root"))
    for address in ("/runs/", PAGE):
        text = client.get(address).content.decode()
        assert f"</svg>{word}</span>" in text, address
        assert says in text or address != "/runs/"
    assert f'<span class="hint">{word}</span>' in client.get("/palette/?q=order-1").content.decode()
    assert command()[0]["state"]["key"] == key


@pytest.mark.parametrize(("key", "word", "fields", "says"), [case for case in CASES if case[0] in states.TROUBLES])
def test_a_run_that_does_not_get_on_is_on_the_home_page_and_found_by_its_state(
    client: Client, key: str, word: str, fields: dict[str, Any], says: str
) -> None:
    make(**fields)
    client.force_login(User.objects.create_superuser("root"))
    text = client.get("/").content.decode()
    quiet = "Nothing failed" if key == "retrying" else "No open run is stuck"
    assert f"</svg>{word}</span>" in text and says in text and quiet not in text
    page = client.get(PAGE).content.decode()
    assert 'id="trouble"' in page and says in page
    for other in states.TROUBLES:
        assert len(command("--status", other)) == (other == key)
        assert ("order-1" in client.get(f"/runs/?status={other}").content.decode()) is (other == key)


def test_a_list_tells_attempt_error_and_next_try_in_one_line(client: Client) -> None:
    make(**RETRYING)
    client.force_login(User.objects.create_superuser("root"))
    text = client.get("/runs/").content.decode()
    assert 'title="case:fails, attempt 14: gateway says 503">attempt 14, next <time' in text
    assert "</time>: gateway says 503</span>" in text


def test_a_run_that_was_not_taken_yet_has_a_worker_when_a_live_node_serves_its_queue() -> None:
    run = make(task_queue="q", started_at=NOW - timedelta(minutes=1))
    node = Node.objects.create(
        id="n", hostname="h", os_pid=1, started_at=NOW, heartbeat_at=timezone.now(), task_queues=["q"]
    )
    assert states.unserved([run]) == set() and command("--status", "no_worker") == []
    Node.objects.filter(pk=node.pk).update(heartbeat_at=NOW - timedelta(minutes=5))
    assert states.unserved([run]) == {run.pk} and len(command("--status", "no_worker")) == 1
    for fields in ({"elsewhere": True}, {"history_length": 3}, {"starts_at": SOON}, {"status": "completed"}):
        Run.objects.filter(pk=run.pk).update(elsewhere=False, history_length=0, starts_at=None, status="running")
        Run.objects.filter(pk=run.pk).update(**fields)
        assert states.unserved(Run.objects.all()) == set() and command("--status", "no_worker") == []


def test_the_command_line_tells_attempt_error_and_next_try() -> None:
    make(**RETRYING)
    assert command()[0]["state"] == {
        "key": "retrying",
        "reason": "case:fails, attempt 14: gateway says 503",
        "call": "case:fails",
        "attempt": 14,
        "error": "gateway says 503",
        "next_at": SOON.isoformat(),
    }
    out = io.StringIO()
    call_command("runs", stdout=out)
    assert "retrying" in out.getvalue() and f"gateway says 503, next try {SOON.isoformat()}" in out.getvalue()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"starts_at": SOON}, "begins"),
        ({"waiting": [TIMER], "waiting_totals": {"timer": 1}}, "until"),
        ({"asks": True, "next_deadline": SOON}, "to be answered until"),
    ],
)
def test_the_command_line_tells_when_a_run_goes_on(fields: dict[str, Any], says: str) -> None:
    make(**fields)
    out = io.StringIO()
    call_command("runs", stdout=out)
    assert re.search(f"\n    {says} {SOON.isoformat()[:19]}", out.getvalue())


def test_the_page_of_a_run_takes_its_attempts_from_the_answer_that_its_timeline_is_drawn_from() -> None:
    run = make(**RETRYING)
    called = Row(5, "activity", "case:fails", "scheduled", NOW, attempt=17, deadline=SOON)
    show_attempts(run, [replace(called, failure=Failure("Unavailable", "still 503"))])
    state = states.of(run, asks=False)
    assert (state.attempt, state.error, state.next_at) == (17, "still 503", SOON)
    show_attempts(run, [replace(called, end=NOW)])
    assert states.of(run, asks=False).key == "running"


def test_pages_with_a_run_that_is_tried_again_look_anew_since_no_event_tells_of_attempts(client: Client) -> None:
    run = make(**RETRYING)
    client.force_login(User.objects.create_superuser("root"))
    assert all("every 5s" in client.get(address).content.decode() for address in ("/", "/runs/"))
    Run.objects.filter(pk=run.pk).update(retrying=[], troubled_since=None)
    assert not any("every 5s" in client.get(address).content.decode() for address in ("/", "/runs/"))
