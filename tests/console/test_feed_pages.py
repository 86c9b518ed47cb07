"""The feed by filters: what is found, what it costs at 100,000 events, and what was missed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.console.departments import member
from wippy_console.models import FeedEvent, Run
from wippy_console.services import feed, feed_pages
from wippy_console.services.feed_pages import Wanted

pytestmark = pytest.mark.django_db


def root() -> User:
    return User.objects.create_superuser("root")


def run(name: str, **fields: Any) -> Run:
    made = {"entry_id": "app:flow", "client": "app:client", "worker": "app:worker", "started_at": timezone.now()}
    run_id = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    return Run.objects.create(run_id=run_id, workflow_id=name, **{**made, **fields})


def ids(page: feed_pages.Page) -> list[int]:
    return [event.id for event in page.events]


def found(reader: User, /, **wanted: Any) -> list[int]:
    return ids(feed_pages.page(reader, Wanted(**wanted)))


def test_each_filter_finds_its_events_newest_first() -> None:
    user, order, other = root(), run("order-17"), run("other", entry_id="app:else")
    ended = feed.append(feed.EXIT, run=order, data={"status": "completed", "result": "Xyzzy", "user": "ada"})
    waits = feed.append(feed.WAITING, run=order, data={"title": "Größe bestätigen?"})
    failed = feed.append(feed.EXIT, run=other, data={"status": "failed", "failure": {"message": "Card DECLINED"}})
    assert found(user) == [failed.id, waits.id, ended.id]
    assert found(user, kinds=("EXIT",)) == found(user, kinds=("EXIT", "NODE")) == [failed.id, ended.id]
    assert found(user, entry="app:flow") == found(user, run="order-17") == found(user, run=order.run_id)
    assert found(user, entry="app:flow", kinds=("EXIT", "STARTED")) == found(user, user="ada") == [ended.id]
    assert found(user, text="größe") == found(user, text="BESTÄTIGEN order-17") == [waits.id]
    assert found(user, text="declined card") == [failed.id]
    assert found(user, text="xyzzy") == found(user, user="bob") == found(user, run="nowhere") == []


def test_older_and_newer_pages_go_by_id() -> None:
    user, made = root(), [feed.append(feed.NODE, node="n").id for _ in range(7)]
    first = feed_pages.page(user, Wanted(), limit=3)
    assert ids(first) == made[:3:-1] and first.more
    last = feed_pages.page(user, Wanted(kinds=("NODE", "EXIT")), before=made[2], limit=3)
    assert ids(last) == made[1::-1] and not last.more
    assert ids(feed_pages.page(user, Wanted(), since=made[1], limit=3)) == made[4:1:-1]


def test_words_are_looked_for_in_a_window_that_is_said(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    monkeypatch.setattr(feed_pages, "WINDOW", 5)
    client.force_login(user := root())
    old = feed.append(feed.STUCK, run=run("needle"), data={"reason": "no"})
    rest = [feed.append(feed.NODE, node="n").id for _ in range(6)]
    page = feed_pages.page(user, Wanted(text="needle"))
    assert page.events == [] and page.floor == rest[0]
    text = client.get("/live/?q=needle").content.decode()
    assert f"back to #{rest[0]}" in text and f"before={rest[0] + 1}" in text and "No event matches" in text
    assert ids(feed_pages.page(user, Wanted(text="needle"), before=page.floor + 1)) == [old.id]
    assert found(user, text="needle", run="needle") == [old.id]


def test_what_was_missed_comes_in_order_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_pages, "AT_ONCE", 4)
    monkeypatch.setattr(feed_pages, "KEPT", 10)
    user, cursor = root(), feed.head()
    made = [feed.append(feed.NODE if number % 2 else feed.SERVICE).id for number in range(14)]
    wanted = Wanted(kinds=("NODE", "SERVICE"))
    pages: list[feed_pages.Missed] = []
    seen: list[int] = []
    while not pages or pages[-1].left:
        pages.append(feed_pages.missed(user, wanted, cursor))
        seen += [event.id for event in pages[-1].events]
        cursor = pages[-1].cursor
    assert seen == made[4:] and (pages[0].count, pages[0].skipped, pages[0].left) == (14, 4, 6)
    assert feed_pages.missed(user, wanted, cursor) == feed_pages.Missed(cursor=feed.head())
    nodes = feed_pages.missed(user, Wanted(kinds=("NODE",)), made[0])
    assert [event.id for event in nodes.events] == made[1::2][:4]


def test_the_missed_rows_are_those_of_the_page(client: Client) -> None:
    client.force_login(root())
    event = feed.append(feed.EXIT, run=run("order-1"), data={"status": "completed", "result": 7})
    answer = client.get(f"/live/missed/?since={event.id - 1}&run=order-1").json()
    assert [each["id"] for each in answer["events"]] == [event.id] and answer["cursor"] == event.id
    assert answer["events"][0]["html"].strip() in client.get("/live/?run=order-1").content.decode()


def test_a_row_is_a_sentence_with_its_relatives(client: Client) -> None:
    client.force_login(root())
    parent = run("parent")
    child = run("order-17", parent_workflow_id="parent", parent_run_id=parent.run_id)
    feed.append(
        feed.EXIT,
        run=child,
        data={
            "status": "completed", "result": 42, "seconds": 12, "user": "ada",
            "parent_workflow_id": "parent", "parent_run_id": parent.run_id,
        },
    )  # fmt: skip
    feed.append(
        feed.PROCESS_EXIT, pid="{n@app:host|1}", entry_id="app:p",
        data={"status": "failed", "parent": "{n@app:host|9}", "watchers": ["{n@app:host|2}", "service app:s"]},
    )  # fmt: skip
    feed.append(feed.EXIT, run=run("spawned"), data={"status": "completed", "parent": "{n@app:host|7}"})
    feed.append(feed.CONTINUED, run=child, data={"new_run_id": "90000000-0000-0000-0000-000000000009"})
    feed.append(feed.STARTED, run=child, data={"starts": "2026-12-01T08:00:00+00:00"})
    text = client.get("/live/").content.decode()
    assert "completed after 12 s: 42<span>, started by <b>ada</b></span><span>, child of <a" in text
    assert f"/runs/parent/{parent.run_id}/" in text and "which watched it" in text
    assert all(reverse("process", args=[pid]) in text for pid in ("{n@app:host|9}", "{n@app:host|2}", "{n@app:host|7}"))
    assert reverse("entry", args=["app:s"]) in text and "/runs/order-17/90000000-0000-0000-0000-000000000009/" in text
    assert "is scheduled<span>: its code begins <time" in text and "2026-12-01 08:00:00 UTC" in text


def test_the_page_refuses_filters_that_are_none(client: Client) -> None:
    client.force_login(root())
    for query in ("kind=SURPRISE", f"q={'x' * 201}", "before=x"):
        assert client.get(f"/live/?{query}").status_code == 422, query
    assert client.get("/live/missed/?since=x").status_code == 422


def test_a_search_betrays_nothing_that_the_reader_does_not_see() -> None:
    """Of a version others see the number alone; the names of relatives are searched for nobody."""
    local = member("local", patterns=("desk",))
    row = feed.append(feed.PUBLISHED, data={"version": 7, "author": "ada", "message": "vault", "updated": ["hr:x"]})
    feed.append(feed.EXIT, run=run("order", entry_id="desk:flow"), data={"parent_workflow_id": "vault"})
    assert found(local, text="vault") == found(local, user="ada") == []
    assert found(root(), text="vault") == [row.id]
    assert [event.kind for event in feed_pages.page(local, Wanted()).events] == ["EXIT", "PUBLISHED"]


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(kinds=("NODE",)),
        Wanted(kinds=("EXIT", "PUBLISHED", "NODE")),
        Wanted(entry="app:flow"),
        Wanted(entry="app:flow", kinds=("STARTED", "EXIT")),
        Wanted(user="ada"),
        Wanted(run="order-1"),
    ],
)
def test_no_filter_reads_the_table_or_sorts_it(wanted: Wanted) -> None:
    """Also with 100,000 events: SQLite says so itself."""
    user = root()
    for number in range(3):
        feed.append(feed.STARTED, run=run(f"order-{number}"), data={"user": "ada"})
    with CaptureQueriesContext(connection) as queries:
        feed_pages.page(user, wanted)
    said = [each["sql"] for each in queries if "wippy_console_feedevent" in each["sql"]]
    assert said
    if connection.vendor != "sqlite":
        return
    for sql in said:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"))
            plan = [row[3] for row in cursor.fetchall()]
        assert "WHERE" not in sql or all(step.startswith("SEARCH") or "B-TREE" in step for step in plan), (sql, plan)
        assert not any("B-TREE" in step for step in plan) or " IN (" in sql, (sql, plan)


def test_the_page_asks_as_often_for_five_hundred_as_for_five(client: Client) -> None:
    client.force_login(root())
    client.get("/live/")

    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    pages = (
        "/live/",
        "/live/?kind=EXIT&kind=NODE",
        "/live/?q=n",
        "/live/?entry=app:flow",
        "/live/missed/?since=0",
        "/",
    )
    order = run("order-1")
    feed.append_all([feed.draft(feed.STARTED, run=order), feed.draft(feed.EXIT, run=order)])
    few = {each: cost(each) for each in pages}
    feed.append_all([feed.draft(feed.STARTED, run=order, data={"user": "ada"}) for _ in range(490)])
    assert {each: cost(each) for each in pages} == few


def test_viewers_see_the_feed_and_strangers_do_not(client: Client) -> None:
    client.force_login(User.objects.create_user("sam"))
    assert client.get("/live/missed/?since=0").status_code == 403
    vera = User.objects.create_user("vera")
    vera.groups.add(Group.objects.get(name="viewer"))
    client.force_login(vera)
    assert client.get("/live/missed/?since=0").json() == {
        "events": [], "cursor": FeedEvent.objects.count(), "count": 0, "skipped": 0, "left": 0,
    }  # fmt: skip
