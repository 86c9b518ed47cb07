"""How questions end, as their rows and pages tell it: answered, from elsewhere, expired, withdrawn and why."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from engine.entry import Entry
from engine.hosts.temporal.observations import Observation
from engine.memory.catalog import MemoryCatalog
from engine.steps import Wait
from tests.console.test_projection import BEGAN, DEADLINE, ENDED, SEEN, later
from wippy_console.models import Decision, Question, QuestionRole
from wippy_console.services import questions
from wippy_console.services.projection.writing import write

pytestmark = pytest.mark.django_db

APPROVE, MORE = {"topic": "approve", "label": "Approve"}, {"topic": "more_time", "label": "One day more"}
META: dict[str, Any] = {
    "title": "Order",
    "search": ["customer.id", "missing"],
    "question": {
        "title": "Buy {item} for {customer.id}?",
        "text": "{item} and *{customer.id}*, {nothing}",
        "due": "2h",
        "priority": 80,
        "escalate": {"after": "30m", "to": "bosses"},
    },
    "signals": [APPROVE, MORE, {"topic": "approve", "label": "Reject", "users": ["olga"]}],
}
CATALOG = MemoryCatalog([Entry("app:approval", "workflow.lua", meta=META)])
TIMER = Wait("timer", "", 3, int(DEADLINE.timestamp() * 1e9))
BOTH = (Wait("topic", "approve", 0, number=1, joined=1), Wait("topic", "more_time", 0, number=2, joined=1))
INPUT = ({"item": "a *desk*", "customer": {"id": "ACME-7"}},)
ASKED = replace(SEEN, waits=(*BOTH, TIMER), input=INPUT)
ELSEWHERE = (Wait("call", "app:charge", 4),)


def ended(*facts: Any) -> tuple[str, str]:
    """The outcome of the one question, and its sentence."""
    write(CATALOG, [ASKED])
    write(CATALOG, list(facts))
    question = Question.objects.get()
    return question.outcome, questions.outcome_of(question)


def step(**changes: Any) -> Observation:
    return later(ELSEWHERE, 9, **changes)


def test_one_wait_over_two_topics_is_one_question_in_words() -> None:
    write(CATALOG, [ASKED])
    question = Question.objects.get()
    assert question.labels == ["Approve", "Reject", "One day more"]
    assert question.title == "Buy a *desk* for ACME-7?"
    assert question.text == r"a \*desk\* and *ACME\-7*, {nothing}"
    assert (question.priority, question.due_at) == (80, question.opened_at + timedelta(hours=2))
    assert (question.deadline, question.nearest_at) == (DEADLINE, question.due_at)
    assert question.escalates_at == question.opened_at + timedelta(minutes=30)
    assert {"acme-7", "order", "order-1", "one day more"} <= set(question.search.split("\n"))
    assert {(row.role, row.user) for row in question.roles.all()} == {("", ""), ("", "olga")}


def test_a_loop_that_asks_for_the_rest_asks_another_question() -> None:
    write(CATALOG, [ASKED])
    write(CATALOG, [later((BOTH[0], replace(BOTH[1], seq=1), TIMER), 9, topics=("more_time",))])
    first, second = Question.objects.order_by("pk")
    assert (first.outcome, second.outcome) == ("elsewhere", "")
    assert second.waits == [["approve", 0], ["more_time", 1]]


def test_what_another_client_answered_is_told_so() -> None:
    assert ended(step(topics=("more_time",))) == ("elsewhere", "Another client answered at 2026-05-01 12:00:09 UTC.")


def test_what_the_deadline_ended_is_expired() -> None:
    outcome, words = ended(replace(step(), at=DEADLINE))
    assert (outcome, words) == ("expired", "The time to answer ended at 2026-05-02 12:00:00 UTC.")


def test_what_the_run_dropped_is_withdrawn() -> None:
    assert ended(step(topics=("unheard",))) == (
        "withdrawn",
        "The run went on another way. (2026-05-01 12:00:09 UTC)",
    )


@pytest.mark.parametrize("closing", [False, True])
@pytest.mark.parametrize("status", ["terminated", "canceled", "failed", "completed", "timed_out"])
def test_what_ended_with_its_run_says_how(status: str, closing: bool) -> None:
    last = [replace(step(), waits=(), status="closing")] if closing else []
    outcome, words = ended(*last, replace(ENDED, status=status, began=BEGAN))
    assert outcome == "withdrawn"
    assert status.replace("_", " ") in words


def test_an_answer_that_ended_the_run_is_no_withdrawal() -> None:
    assert ended(replace(step(topics=("approve",)), waits=(), status="closing"), ENDED)[0] == "elsewhere"


def test_an_answer_of_ours_is_named_whatever_came_after() -> None:
    write(CATALOG, [ASKED])
    question, olga = Question.objects.get(), User.objects.create_user("olga")
    Decision.objects.create(question=question, run=question.run, user=olga, label="Approve", state="sent")
    Question.objects.update(outcome="answered")
    write(CATALOG, [replace(step(), at=DEADLINE), ENDED])
    assert questions.outcome_of(Question.objects.get()).startswith("olga already answered: Approve")


def test_an_open_question_takes_other_answers_when_the_run_listens_to_their_topic() -> None:
    catalog = MemoryCatalog([Entry("app:approval", "workflow.lua", meta={"signals": [APPROVE, MORE]})])
    write(catalog, [replace(SEEN, waits=(Wait("inbox", "", 0, number=1, joined=1),))])
    write(catalog, [later((Wait("inbox", "", 0, number=1, joined=1), replace(BOTH[1], joined=2)), 5)])
    assert [question.labels for question in Question.objects.order_by("pk")] == [["Approve"], ["One day more"]]


def test_code_asks_over_what_its_entry_declares() -> None:
    ask = {
        "title": "Pay {customer.id}?",
        "payloads": {"Approve": {"ok": True}, "Later": {"later": True}},
        "schema": {"type": "object", "properties": {"note": {"type": "string"}}},
        "groups": ["payers"],
        "assignees": ["olga"],
        "priority": 7,
    }
    write(CATALOG, [replace(ASKED, waits=(replace(BOTH[0], ask=ask), TIMER))])
    question = Question.objects.get()
    approve, reject, later_ = questions.of(question)
    assert (question.title, question.priority) == ("Pay ACME-7?", 7)
    assert (approve.index, approve.payload, approve.schema) == (0, {"ok": True}, ask["schema"])
    assert (reject.label, reject.users, reject.roles) == ("Reject", ("olga",), ("payers",))
    assert (later_.label, later_.payload, later_.topic) == ("Later", {"later": True}, "approve")
    assert later_.index >= 1000
    assert set(QuestionRole.objects.values_list("role", "user")) == {("payers", ""), ("", "olga")}


def test_the_pages_tell_the_outcome(client: Client) -> None:
    ours = replace(BEGAN, ref=replace(BEGAN.ref, run_id=str(uuid.uuid4())))
    write(CATALOG, [replace(ASKED, run_id=ours.run_id), replace(ENDED, began=ours, status="terminated")])
    client.force_login(User.objects.create_superuser("root"))
    question = Question.objects.get()
    for address in (f"/inbox/{question.pk}/", "/inbox/?view=done"):
        assert "The run was terminated." in client.get(address).content.decode()
