"""Notifications: who is told of what, once, in the transaction of the fact."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from engine.entry import Entry
from engine.errors import Failure
from engine.memory.catalog import MemoryCatalog
from tests.console.notifying import ask, reachable, told, wishes
from tests.console.test_projection import BEGAN, ENDED, SEEN
from wippy_console.models import FeedEvent, Notification, NotificationPreference, Question, Run
from wippy_console.services import clock, comments, decisions, notifications, questions
from wippy_console.services.projection import write

pytestmark = pytest.mark.django_db


def catalog(**notify: Any) -> MemoryCatalog:
    signals = [{"topic": "decision", "label": "Approve", "role": "approvers"}]
    meta = {"signals": signals, "question": "Pay?", "notify": notify}
    return MemoryCatalog([Entry("app:approval", "workflow.lua", meta=meta)])


def test_nobody_is_told_who_did_not_choose_it_and_whom_no_entry_names() -> None:
    reachable("ann", "operator", "approvers")
    write(catalog(), [SEEN])
    assert Question.objects.count() == 1 and told() == []


def test_whom_the_entry_names_is_told_in_the_transaction_that_asks_and_once() -> None:
    reachable("ann", "operator", "approvers")
    reachable("olga", "operator")
    declared = catalog(who=["candidates"], when=["asked"], how=["email"])
    for _ in range(2):
        write(declared, [SEEN])
    assert told() == [("asked", "email", "ann@example.org")]
    Run.objects.all().delete()  # as a rebuild finds it
    write(declared, [SEEN])
    assert Notification.objects.count() == 1 and Question.objects.count() == 1


def test_questions_of_lost_rows_are_not_told_again_after_the_outbox_forgot_them() -> None:
    reachable("ann", "operator", "approvers")
    declared = catalog(how=["email"])
    write(declared, [SEEN])
    Notification.objects.all().delete()
    Run.objects.all().delete()
    write(declared, [SEEN])
    assert told() == []


def test_who_chose_it_is_told_of_what_they_may_answer_only() -> None:
    for user in (reachable("ann", "operator", "approvers"), reachable("olga", "operator"), reachable("vera", "viewer")):
        wishes(user, "email", "browser")
    write(catalog(), [SEEN])
    ann = User.objects.get(username="ann")
    assert told() == [("asked", "email", "ann@example.org"), ("asked", "browser", f"user:{ann.pk}")]


def test_somebody_without_the_right_is_not_told_even_when_the_entry_names_them() -> None:
    reachable("sam")
    gone = reachable("gone", "operator", "approvers")
    gone.is_active = False
    gone.save()
    reachable("vera", "viewer")
    notifications.tell("asked", question=ask(who=["sam", "gone", "vera"], how=["email"]), fact="f")
    assert told() == [("asked", "email", "vera@example.org")]


def test_groups_users_the_starter_and_the_assignee_are_meant_by_their_words() -> None:
    for name, groups in (("ann", ["operator"]), ("leo", ["viewer", "lawyers"]), ("stan", ["operator"])):
        reachable(name, *groups)
    made = ask(who=["starter", "assignee", "lawyers"], when=["overdue"], how=["email"])
    made.run.started_by = User.objects.get(username="stan")
    made.assignee = User.objects.get(username="ann")
    notifications.tell("overdue", question=made, fact="f")
    assert {address for _, _, address in told()} == {f"{name}@example.org" for name in ("ann", "leo", "stan")}


def test_what_a_question_says_itself_takes_the_place_of_what_the_entry_says() -> None:
    reachable("ann", "operator", "approvers")
    reachable("vera", "viewer")
    said = {"text": "Pay?", "notify": {"who": ["vera"], "how": ["email"]}}
    signals = [{"topic": "decision", "label": "Approve", "role": "approvers"}]
    meta = {"signals": signals, "question": said, "notify": {"how": ["email"]}}
    write(MemoryCatalog([Entry("app:approval", "workflow.lua", meta=meta)]), [SEEN])
    assert told() == [("asked", "email", "vera@example.org")]


def test_a_large_group_is_told_by_as_many_queries_as_a_small_one() -> None:
    def queries(fact: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            notifications.tell("asked", question=made, fact=fact)
        return len(seen)

    for name in ("ann", "bea"):
        reachable(name, "operator", "approvers")
    made = ask(who=["approvers", "candidates"], how=["email"])
    made.roles.update_or_create(defaults={"role": "approvers", "user": ""})
    few = queries("few")
    for number in range(20):
        reachable(f"n{number}", "operator", "approvers")
    assert (queries("many"), Notification.objects.filter(fact="many").count()) == (few, 22)


def test_a_muted_kind_is_never_told() -> None:
    ann = reachable("ann", "operator")
    NotificationPreference.objects.create(user=ann, chosen={"asked": ["email"], "muted": ["asked"]})
    notifications.tell("asked", question=ask(who=["ann"], how=["email"]), fact="f")
    assert told() == []


def test_a_person_in_particular_is_told_as_they_wish() -> None:
    ann = reachable("ann", "operator")
    wishes(ann, "email", kinds=("assigned",))
    wishes(reachable("olga", "operator"), "email", kinds=("assigned",))
    notifications.tell("assigned", question=ask(), users=[ann], fact="f")
    assert told() == [("assigned", "email", "ann@example.org")]


def test_ends_are_told_once_a_failure_as_such() -> None:
    reachable("ann", "viewer")
    declared = catalog(who=["ann"], when=["failed", "exit"], how=["email"])
    now = timezone.now()
    failed = replace(ENDED, status="failed", closed_at=now, result=None, failure=Failure("Invalid", "no"))
    other = replace(BEGAN, ref=replace(BEGAN.ref, run_id="r2"))
    for _ in range(2):
        write(declared, [failed, replace(ENDED, began=other, closed_at=now)])
    assert told() == [("exit", "email", "ann@example.org"), ("failed", "email", "ann@example.org")]
    write(declared, [replace(ENDED, began=replace(other, ref=replace(BEGAN.ref, run_id="r3")))])
    assert len(told()) == 2, "what ended long ago is no news"


def test_a_batch_costs_no_query_more_for_more_questions_while_nothing_is_declared() -> None:
    wishes(reachable("olga", "operator"), "email")

    def cost(number: int) -> tuple[int, int]:
        waits = SEEN.waits
        facts = [
            replace(SEEN, run_id=f"{number}-{each}", workflow_id=f"{number}-{each}", waits=waits)
            for each in range(number)
        ]
        with CaptureQueriesContext(connection) as queries:
            write(catalog(), facts)
        return sum("notification" in query["sql"] for query in queries.captured_queries), len(queries)

    assert cost(2) == cost(20)


def test_nothing_is_told_of_what_is_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    reachable("ann", "operator", "approvers")
    broken = catalog(how=["email"])
    FeedEvent.objects.all().delete()
    monkeypatch.setattr("wippy_console.services.projection.writing.feed.append_all", _fail)
    with pytest.raises(RuntimeError):
        write(broken, [SEEN])
    assert told() == [] and not Question.objects.exists()


def _fail(*_: Any) -> None:
    raise RuntimeError


def test_the_clock_tells_once_each_that_a_question_is_due_soon_overdue_and_escalated() -> None:
    wishes(reachable("olga", "operator"), "email", kinds=("due_soon", "overdue"))
    wishes(reachable("bea", "operator", "bosses"), "email", kinds=("escalated",))
    wishes(reachable("leo", "operator", "lawyers"), "email", kinds=("escalated",))
    made, now = ask(), timezone.now()
    rows = Question.objects.filter(pk=made.pk)
    rows.update(nearest_at=now + timedelta(hours=1), alerts_at=now - timedelta(seconds=1))
    for _ in range(2):
        clock.tick()
    assert told() == [("due_soon", "email", "olga@example.org")]
    assert rows.get().alerts_at == rows.get().nearest_at
    rows.update(nearest_at=now, alerts_at=now)
    for _ in range(2):
        clock.tick()
    assert sorted(told()) == [("due_soon", "email", "olga@example.org"), ("overdue", "email", "olga@example.org")]
    lawyers = ask("q2", "lawyers")
    Question.objects.filter(pk=lawyers.pk).update(
        escalates_at=now, options={"escalate": {"after": "1s", "to": "bosses"}}
    )
    for _ in range(2):
        clock.tick()
    assert {address for kind, _, address in told() if kind == "escalated"} == {"bea@example.org", "leo@example.org"}


def test_when_it_is_due_soon_goes_by_the_time_that_there_is() -> None:
    now = timezone.now()
    for hours, soon in ((1, 0.8), (10, 9), (100, 99)):
        made = Question(opened_at=now, due_at=now + timedelta(hours=hours))
        questions.put_in_order(made)
        assert made.alerts_at == now + timedelta(hours=soon)


def test_who_is_given_a_question_or_mentioned_hears_of_it() -> None:
    for name in ("olga", "paul"):
        wishes(reachable(name, "operator"), "email", kinds=("assigned", "mentioned"))
    olga, made = User.objects.get(username="olga"), ask()
    decisions.assign(olga, made, "paul", reason="you know it")
    comments.comment(olga, made, "@paul @olga look", uuid.uuid4())
    assert told() == [("assigned", "email", "paul@example.org"), ("mentioned", "email", "paul@example.org")]
    decisions.release(User.objects.get(username="paul"), made)
    decisions.claim(User.objects.get(username="paul"), made)
    assert len(told()) == 2, "what one does oneself is no news"
