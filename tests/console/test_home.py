"""The home page: what waits, fails, is stuck and changed, each in its place; little of each, at a fixed price."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from engine.entry import Entry
from tests.console.registry_cast import create
from wippy_console.models import Node, Process, Quarantine, Question, QuestionRole, Run
from wippy_console.services import attention, feed

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def run(name: str, **fields: Any) -> Run:
    made = {
        "entry_id": "app:flow",
        "client": "app:client",
        "started_at": NOW - timedelta(minutes=5),
        "history_length": 5,
    }
    return Run.objects.create(run_id=str(uuid.uuid5(uuid.NAMESPACE_URL, name)), workflow_id=name, **{**made, **fields})


def retrying(name: str, **fields: Any) -> Run:
    call = {"id": "1", "name": "app:pay", "attempt": 14, "kind": "", "message": "gateway says 503"}
    return run(name, troubled_since=NOW, retrying=[{**call, "next": (NOW + timedelta(hours=1)).isoformat()}], **fields)


def failed(name: str, ago: timedelta = timedelta(minutes=1), **fields: Any) -> Run:
    return run(name, status="failed", closed_at=NOW - ago, failure={"message": f"{name} broke"}, **fields)


def ask(name: str, **fields: Any) -> None:
    asking = run(name)
    question = Question.objects.create(run=asking, number=0, key=name, opened_at=NOW, title=f"{name}?", **fields)
    QuestionRole.objects.create(question=question, role="")


def cards(client: Client) -> dict[str, str]:
    """The parts of the page by their headings' ids, in their order."""
    text = client.get("/").content.decode()
    parts = re.split(r'aria-labelledby="home-(\w+)"', text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture
def root(client: Client) -> User:
    user = User.objects.create_superuser("root")
    client.force_login(user)
    return user


def test_each_trouble_stands_in_its_place_with_what_to_know(client: Client, root: User) -> None:
    ask("Refund", nearest_at=NOW + timedelta(hours=2))
    retrying("order-1")
    failed("order-2")
    run("order-3", troubled_since=NOW, stuck_reason="Nondeterminism: another call")
    feed.append(feed.EXIT, run=run("order-4"), data={"status": "completed", "result": 42})
    feed.append(feed.PUBLISHED, data={"version": 3, "author": "ada"})
    found = cards(client)
    assert list(found) == ["waits", "fails", "stuck", "changed"]
    assert "Refund?" in found["waits"] and 'data-time="deadline"' in found["waits"]
    assert "attempt 14 of app:pay, next <time" in found["fails"] and "gateway says 503" in found["fails"]
    assert "order-2 broke" in found["fails"] and "order-3" not in found["fails"]
    assert "Nondeterminism: another call" in found["stuck"] and "order-1" not in found["stuck"]
    assert "completed: 42" in found["changed"] and "registry version 3 by ada" in found["changed"]


def test_an_operation_of_five_minutes_needs_a_look_and_a_shorter_one_does_not(client: Client, root: User) -> None:
    now = timezone.now()
    node = Node.objects.create(id="n", hostname="h", os_pid=1, started_at=now, heartbeat_at=now)
    for name, minutes in (("long", 12), ("short", 4)):
        since = now - timedelta(minutes=minutes)
        doing = [{"text": f"GET https://{name}.example/", "since": int(since.timestamp()) * 10**9}]
        Process.objects.create(
            node=node, pid=f"{{n@app:p|{name}}}", entry_id="app:fetch", host_id="app:p", kind="process", state="idle",
            started_at=since, doing=doing, operations=3, doing_since=since,
        )  # fmt: skip
    found = cards(client)["stuck"]
    assert 'https://long.example/</span> <span class="nowrap">· for <time' in found and "and 2 more" in found
    assert "short.example" not in found
    listed = client.get("/processes/?doing=1").content.decode()
    assert listed.index("long.example") < listed.index("short.example")
    url = reverse("process", args=("{n@app:p|long}",))
    shown = client.get(url, headers={"HX-Request": "true"}).content.decode()  # a refresh does not ask the node
    assert "Under way" in shown and "https://long.example/" in shown


def test_what_failed_is_not_hidden_by_what_is_tried_again(root: User) -> None:
    for number in range(6):
        retrying(f"again-{number}")
        failed(f"broke-{number}", timedelta(minutes=number))
    names = [each.workflow_id for each in attention.failing(root, 4)]
    assert len([name for name in names if name.startswith("again")]) == 2
    assert names[2:] == ["broke-0", "broke-1"]


def test_a_failure_of_yesterday_is_no_news(root: User) -> None:
    failed("old", timedelta(days=2))
    assert attention.failing(root, 4) == []


def test_empty_parts_say_in_a_line_what_will_stand_there(client: Client, root: User) -> None:
    found = cards(client)
    for name, says in (
        ("waits", "Nothing waits for you"),
        ("fails", "Nothing failed"),
        ("stuck", "No open run is stuck"),
    ):
        assert says in found[name] and 'class="nothing"' in found[name] and 'class="empty"' not in found[name]
    assert "Start one" in found["changed"]
    assert "start <code>manage.py worker</code>" in found["changed"]


def test_health_tells_nodes_queues_and_the_next_start_in_a_line(client: Client, root: User) -> None:
    create(
        Entry("app:temporal", "temporal.client", {}, {"tq_prefix": "x-"}),
        Entry("app:worker", "temporal.worker", {}, {"client": "temporal", "task_queue": "orders"}),
    )
    run("nightly", starts_at=timezone.now() + timedelta(hours=3), history_length=0)
    assert "1 queue without a worker" in client.get("/").content.decode()
    node = {"hostname": "h", "os_pid": 1, "started_at": NOW, "units": 7, "task_queues": ["x-orders"]}
    Node.objects.create(id="n", heartbeat_at=timezone.now(), **node)
    text = client.get("/").content.decode()
    assert "1 node<" in text and "7 units" in text and "1 queue<" in text and "queue without a worker" not in text
    assert 'data-time="until"' in text and "nightly" in text and "1 open run" in text
    Quarantine.objects.create(entry_id="app:slow", kind="function", digest="d", host="app:slow", seconds=3, at=NOW)
    assert "1 quarantined" in client.get("/").content.decode()


def test_home_costs_the_same_at_fifty_and_at_five_hundred(client: Client, root: User) -> None:
    def fill(first: int, last: int) -> None:
        for number in range(first, last):
            ask(f"q-{number}")
            retrying(f"r-{number}")
            failed(f"f-{number}")
            run(f"s-{number}", troubled_since=NOW, stuck_reason="stuck")
            run(f"l-{number}", starts_at=timezone.now() + timedelta(hours=3), history_length=0)
        feed.append_all([feed.draft(feed.EXIT, data={"status": "failed"}) for _ in range(first, last)])

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/").status_code == 200
        return len(queries)

    fill(0, 10)
    cost()
    few = cost()
    fill(10, 100)
    assert cost() == few
