"""The inbox as a list: views, filters, pages by key, and one count for all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.console.test_questions import NOW, asked, names, person, signals
from wippy_console.models import Question, QuestionRole, Run
from wippy_console.models.decisions import FAR
from wippy_console.services import questions
from wippy_console.services.errors import Refused
from wippy_console.services.questions import Wanted

pytestmark = pytest.mark.django_db


def many(count: int, first: int = 0, **fields: Any) -> list[Question]:
    """Open questions that anybody may answer; every third has the date of the one before."""
    numbers = range(first, first + count)
    made = Run.objects.bulk_create(
        Run(run_id=f"r{n:05}", workflow_id=f"flow-{n}", entry_id="app:flow", client="app:client", started_at=NOW)
        for n in numbers
    )
    rows = Question.objects.bulk_create(
        Question(
            run=run,
            number=0,
            key=str(n),
            opened_at=NOW,
            signals=signals("Approve"),
            priority=(50, 90, 10)[n % 3],
            nearest_at=FAR if n % 4 == 0 else NOW + timedelta(minutes=n // 2 + 60),
            **fields,
        )
        for n, run in zip(numbers, made, strict=True)
    )
    QuestionRole.objects.bulk_create(QuestionRole(question=row) for row in rows)
    return rows


def walked(user: User, view: str) -> list[list[int]]:
    """The pages from first to last; going back shows the same."""
    pages, page = [], questions.paged(user, view, Wanted(), size=7)
    while True:
        pages.append([row.pk for row in page.rows])
        if not page.next:
            break
        page = questions.paged(user, view, Wanted(), after=page.next, size=7)
    back = [pages[-1]]
    while page.previous:
        page = questions.paged(user, view, Wanted(), before=page.previous, size=7)
        back.insert(0, [row.pk for row in page.rows])
    assert back == pages
    return pages


def test_pages_have_each_question_once_and_no_end_before_the_last() -> None:
    olga = person("olga", "operator")
    many(52)
    pages = walked(olga, "open")
    whole = sorted(Question.objects.all(), key=lambda row: (-row.priority, row.nearest_at, row.pk))
    assert [pk for page in pages for pk in page] == [row.pk for row in whole]
    assert [len(page) for page in pages] == [7] * 7 + [3]


def test_pages_of_what_is_over_begin_with_the_newest() -> None:
    olga = person("olga", "operator")
    rows = many(20)
    for n, row in enumerate(rows):
        row.closed_at = None if n < 9 else NOW + timedelta(seconds=n // 2)
        row.outcome = "answered"
    Question.objects.bulk_update(rows, ["closed_at", "outcome"])
    found = [pk for page in walked(olga, "done") for pk in page]
    assert found == [row.pk for row in (*rows[8::-1], *rows[:8:-1])]


def test_a_page_stays_in_place_when_questions_come_and_go() -> None:
    olga = person("olga", "operator")
    many(20)
    first = questions.paged(olga, "open", Wanted(), size=5)
    behind = [row.pk for row in questions.paged(olga, "open", Wanted(), after=first.next, size=5).rows]
    Question.objects.filter(pk=first.rows[-1].pk).update(closed_at=NOW, outcome="withdrawn")
    many(3, first=100, search="new")
    Question.objects.filter(search="new").update(priority=100)
    assert [row.pk for row in questions.paged(olga, "open", Wanted(), after=first.next, size=5).rows] == behind


@pytest.mark.parametrize("cursor", ["x", "8", "NTB8MjAyNi0wMS0wMXwx", "Li4u" * 40])
def test_a_damaged_cursor_is_refused(client: Client, cursor: str) -> None:
    olga = person("olga", "operator")
    with pytest.raises(Refused, match="damaged"):
        questions.paged(olga, "open", Wanted(), after=cursor)
    client.force_login(olga)
    assert client.get("/inbox/", {"after": cursor}).status_code == 422


@pytest.mark.parametrize(
    "query", ["view=all", "priority=7", "since=yesterday", "until=2026-13-01", f"q={'x' * 201}", "view=done&after=!"]
)
def test_a_filter_that_is_none_is_refused_in_words(client: Client, query: str) -> None:
    client.force_login(person("olga", "operator"))
    response = client.get(f"/inbox/?{query}")
    assert response.status_code == 422 and "The " in response.content.decode()


def test_each_filter_narrows() -> None:
    olga = person("olga", "operator")
    first, second = asked("first", "", minutes=5), asked("second", "")
    Run.objects.filter(pk="first").update(entry_id="shop.orders:flow")
    Question.objects.filter(pk=first.pk).update(
        namespace="shop.orders", search="first\nshop.orders:flow\napprove\nacme ltd", priority=85
    )
    Question.objects.filter(pk=second.pk).update(
        namespace="shopping", search="second\nreject approve", opened_at=NOW - timedelta(days=2), priority=40
    )

    def found(**wanted: Any) -> list[str]:
        return names(questions.listed(olga, "open", Wanted(**wanted)))

    assert found() == ["first", "second"]
    assert found(text="ACME first") == found(text="cme") == found(entry="shop.orders:flow") == ["first"]
    assert found(namespace="shop") == found(namespace="shop.orders") == ["first"]
    assert found(label="Approve") == ["first"] and found(label="reject approve") == ["second"]
    assert found(priority="urgent") == ["first"] and found(priority="normal") == ["second"]
    assert found(since=NOW - timedelta(days=1)) == ["first"]
    assert found(until=NOW + timedelta(hours=1)) == ["first"]
    assert found(text="100%") == found(text="first second") == []


def test_views_tell_the_late_from_the_soon() -> None:
    olga = person("olga", "operator")
    asked("late", "", minutes=-5)
    asked("soon", "", minutes=60)
    asked("far", "", minutes=60 * 25)
    assert names(questions.listed(olga, "overdue")) == ["late"]
    assert names(questions.listed(olga, "soon")) == ["soon"]


def test_list_tab_and_navigation_show_one_count(client: Client) -> None:
    olga = person("olga", "operator")
    client.force_login(olga)
    many(99)
    text = client.get("/inbox/").content.decode()
    assert '<span class="badge">99</span>' in text and '99<span class="sr"> open</span>' in text
    assert "50 of 99" in text
    many(1, first=99)
    text = client.get("/inbox/").content.decode()
    assert '<span class="badge">99+</span>' in text and '99+<span class="sr"> open</span>' in text
    last = text
    while 'rel="next"' in last:
        last = client.get("/inbox/" + last.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]).content.decode()
    assert last.count("data-row") == 50


def test_a_page_asks_as_often_for_500_questions_as_for_50(client: Client) -> None:
    client.force_login(person("olga", "operator"))
    many(50)
    many(50, first=1000, closed_at=NOW, outcome="answered")

    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    views = [f"/inbox/?view={view}" for view in questions.VIEWS]
    cost("/inbox/")
    few = [cost(view) for view in views]
    many(450, first=50)
    many(450, first=2000, closed_at=NOW, outcome="answered")
    assert [cost(view) for view in views] == few


def test_days_of_filters_are_days_of_the_viewer(client: Client) -> None:
    client.force_login(person("olga", "operator"))
    made = asked("first", "")
    Question.objects.update(opened_at=datetime(2026, 5, 1, 22, 30, tzinfo=UTC))
    client.cookies["zone"] = "Europe%2FBerlin"
    assert f"question-{made.pk}" in client.get("/inbox/?since=2026-05-02").content.decode()
    client.cookies["zone"] = "UTC"
    assert f"question-{made.pk}" not in client.get("/inbox/?since=2026-05-02").content.decode()
