"""The feed: order, cursors, rights, and the table in the docs."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from wippy_console.models import FeedEvent
from wippy_console.services import feed

DOCS = Path(__file__).parents[2] / "docs" / "events.md"


def viewer(name: str = "vera") -> User:
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get(name="viewer"))
    return user


@pytest.mark.django_db
def test_rows_are_read_in_order_from_a_cursor() -> None:
    first, second, third = (feed.append(feed.NODE, node=name) for name in "abc")
    assert [row.id for row in feed.after(viewer(), first.id)] == [second.id, third.id]
    assert feed.head() == third.id


@pytest.mark.django_db
def test_reading_is_narrowed_to_kinds_and_bounded() -> None:
    for _ in range(3):
        feed.append(feed.NODE)
        feed.append(feed.PUBLISHED)
    user = viewer()
    assert {row.kind for row in feed.after(user, 0, kinds=[feed.PUBLISHED])} == {"PUBLISHED"}
    assert len(feed.after(user, 0, limit=4)) == 4
    newest = feed.latest(user, 2)
    assert newest[0].id > newest[1].id


@pytest.mark.django_db
def test_older_rows_are_paged_by_the_last_one_seen() -> None:
    made = [feed.append(feed.NODE if number % 2 else feed.PUBLISHED).id for number in range(7)]
    user, seen = viewer(), []
    page = feed.latest(user, 2, kinds=[feed.NODE, feed.PUBLISHED])
    while page:
        seen += [row.id for row in page]
        page = feed.latest(user, 2, kinds=[feed.NODE, feed.PUBLISHED], before=seen[-1])
    assert seen == made[::-1]
    assert [row.id for row in feed.latest(user, kinds=[feed.NODE], before=made[3])] == [made[1]]


@pytest.mark.django_db
def test_a_stranger_reads_nothing() -> None:
    for user in (User.objects.create_user("sam"), AnonymousUser()):
        with pytest.raises(PermissionDenied):
            feed.after(user, 0)
        with pytest.raises(PermissionDenied):
            feed.latest(user)


@pytest.mark.django_db
def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match=re.escape("docs/events.md")):
        feed.append("SURPRISE")


@pytest.mark.django_db
def test_what_a_database_refuses_is_replaced() -> None:
    row = feed.append(feed.EXIT, data={"result": ["nul\0", float("nan"), b"\xff", "\ud800", {1: 2}]})
    row.refresh_from_db()
    assert row.data == {"result": ["nul\ufffd", "nan", {"$bytes": "/w=="}, "?", {"1": 2}]}


@pytest.mark.django_db(transaction=True)
def test_a_reader_misses_nothing_while_writers_commit_out_of_step() -> None:
    """Six writers whose transactions last differently long; a reader that follows by `id > last` sees each row."""
    writers, rows = 6, 20
    reader_seen: list[int] = []
    done = threading.Event()

    def write(number: int) -> None:
        for turn in range(rows):
            with transaction.atomic():
                FeedEvent.objects.filter(id=0).first()
                feed.append(feed.NODE, node=f"{number}-{turn}")
                time.sleep(0.002 * ((number + turn) % 4))
        connection.close()

    def read() -> None:
        while True:
            last = done.is_set()
            cursor = reader_seen[-1] if reader_seen else 0
            reader_seen.extend(FeedEvent.objects.filter(id__gt=cursor).order_by("id").values_list("id", flat=True))
            if last:
                break
            time.sleep(0.005)
        connection.close()

    threads = [threading.Thread(target=write, args=[number]) for number in range(writers)]
    reader = threading.Thread(target=read)
    for thread in (reader, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    reader.join()
    assert reader_seen == list(FeedEvent.objects.order_by("id").values_list("id", flat=True))
    assert len(reader_seen) == writers * rows


def test_the_docs_name_every_kind_with_its_fields() -> None:
    table = dict(re.findall(r"^\| `([A-Z_]+)` \|[^|]*\| ([^|]*) \|", DOCS.read_text(), re.MULTILINE))
    documented = {kind: tuple(re.findall(r"`(\w+)`", fields)) for kind, fields in table.items()}
    assert documented == feed.KINDS
