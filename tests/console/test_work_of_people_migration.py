"""Questions from before they said what they ask: each is told as what it was, thousands of them in few queries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from wippy_console.database import append_only
from wippy_console.models import AuditRow, Question
from wippy_console.models.decisions import FAR, wait_key
from wippy_console.services import questions

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 1200
SIGNALS = [{"topic": "approve", "label": "Yes"}, {"topic": "other"}, "no mapping", {"topic": 5}]


def migrated(name: str) -> Any:
    """The models of the app after that migration."""
    executor = MigrationExecutor(connection)
    executor.migrate([("wippy_console", name)])
    return executor.loader.project_state([("wippy_console", name)]).apps


@pytest.fixture
def before() -> Iterator[Any]:
    """The models as they were, in a database that came back to them; afterwards it is as tests have it."""
    yield migrated("0011_drafts")
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes("wippy_console"))
    append_only.remove(connection, AuditRow._meta.db_table)


def write(apps: Any) -> None:
    """Questions of each kind."""
    get, now = apps.get_model, timezone.now()
    olga = get("auth", "User").objects.create(username="olga")
    version = get("wippy_console", "Version").objects.create(number=1, created_at=now)
    get("wippy_console", "Revision").objects.create(
        version=version, entry_id="shop.orders:buy", kind="workflow.lua", meta={"title": "Buy", "signals": SIGNALS}
    )
    runs = [
        get("wippy_console", "Run")(
            run_id=f"r{n}", workflow_id=f"order-{n}", entry_id="shop.orders:buy", client="c", worker="w",
            registry_version=1, started_at=now, status="running" if n else "terminated", closed_at=None if n else now,
        )
        for n in range(MANY)
    ]  # fmt: skip
    get("wippy_console", "Run").objects.bulk_create(runs)
    question = get("wippy_console", "Question")
    past, later = now - timedelta(hours=1), now + timedelta(hours=1)

    def of(channel: str, run: Any, **fields: Any) -> Any:
        return question(run=run, channel=channel, number=0, opened_at=past, **fields)

    question.objects.bulk_create([of("approve", run, deadline=later if n % 2 else None) for n, run in enumerate(runs)])
    closed = [
        of("answered", runs[1], closed_at=now),
        of("expired", runs[1], closed_at=now, deadline=past),
        of("elsewhere", runs[1], closed_at=now),
        of("ended", runs[0], closed_at=now),
        of("pending", runs[1]),
        of("failed", runs[1]),
        of("", runs[1]),
    ]
    question.objects.bulk_create(closed)
    get("wippy_console", "QuestionRole").objects.create(question=question.objects.get(channel="failed"), role="bosses")
    for channel, state in (("answered", "sent"), ("pending", "pending"), ("failed", "failed")):
        get("wippy_console", "Decision").objects.create(
            question=question.objects.get(channel=channel), run=runs[1], user=olga, state=state, label="Yes"
        )


def test_each_old_question_is_told_as_what_it_was(before: Any) -> None:
    write(before)
    with CaptureQueriesContext(connection) as queries:
        migrated("0012_work_of_people")
    assert len(queries) < 600, "some for each portion, none for each question"
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes("wippy_console"))
    told = {each.channel: each.outcome for each in Question.objects.exclude(channel="approve")}
    assert told == {
        "answered": "answered", "expired": "expired", "elsewhere": "elsewhere", "ended": "withdrawn",
        "pending": "answered", "failed": "", "": "",
    }  # fmt: skip
    rows = list(Question.objects.filter(channel="approve").order_by("pk"))
    assert len({each.key for each in rows}) == 1 and rows[0].key == wait_key([("approve", 0)])
    assert {each.namespace for each in rows} == {"shop.orders"}
    assert [each.nearest_at for each in rows[:2]] == [FAR, rows[1].deadline]
    assert [signal.label for signal in questions.of(rows[-1])] == ["Yes"]
    assert rows[-1].search.split("\n") == [f"order-{MANY - 1}", f"r{MANY - 1}", "shop.orders:buy", "buy", "yes"]
    assert [signal.topic for signal in questions.of(Question.objects.get(channel=""))] == ["approve", "other"]
    assert [role.role for role in Question.objects.get(channel="failed").roles.all()] == ["bosses"]
