"""The clock looks at what is due by indexes alone: what is open and not its business costs nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.console.operating import Stage
from tests.console.test_votes import MORE, ask, voter
from wippy_console.models import AuditRow, Question, Run
from wippy_console.services import clock
from wippy_console.services.clock import ticking

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads small tables as they are")
@pytest.mark.parametrize("counted", [True, False])
def test_each_look_goes_by_an_index_whether_or_not_rows_were_ever_counted(counted: bool) -> None:
    now = timezone.now()
    run = Run.objects.create(run_id="r", workflow_id="w", entry_id="a:b", client="c", started_at=now)
    made = [
        Question(run=run, key=str(n), number=n, opened_at=now, due_at=now, closed_at=None if n % 3 else now)
        for n in range(1000)
    ]
    Question.objects.bulk_create(made)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if counted else "SELECT 1")
    with CaptureQueriesContext(connection) as captured:
        clock.tick()
    plans = [plan_of(each["sql"]) for each in captured if each["sql"].startswith("SELECT")]
    assert len(plans) >= 4
    assert all("INDEX question_" in plan for plan in plans), plans


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"))
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def test_a_claim_that_changed_hands_meanwhile_stays(on_stage: Stage) -> None:
    question, ann, ben = ask(on_stage, MORE), voter("ann"), voter("ben")
    User.objects.filter(pk=ann.pk).update(is_active=False)
    Question.objects.update(assignee=ann, assigned_at=timezone.now())
    seen: Any = Question.objects.select_related("run", "assignee").get()
    Question.objects.update(assignee=ben)
    ticking.lapse(seen)
    assert Question.objects.get().assignee == ben
    Question.objects.update(assignee=ann)
    clock.tick()
    assert Question.objects.get().assignee is None
    assert AuditRow.objects.get(action="release").data == {"text": "ann can't sign in any more"}
    question.refresh_from_db()
    assert question.is_open
