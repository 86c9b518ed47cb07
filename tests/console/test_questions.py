"""The inbox: who sees which question, in which order, and when one is gone."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.test import Client
from django.utils import timezone

from engine.entry import Entry
from engine.steps import Wait
from wippy_console.models import Decision, Question, QuestionRole, Run
from wippy_console.models.decisions import FAR, wait_key
from wippy_console.services import accounts, questions
from wippy_console.services.errors import NotFoundError

pytestmark = pytest.mark.django_db

NOW = timezone.now()
LUA = {"source": "return {main = function() end}"}


def person(name: str, *groups: str) -> User:
    user = User.objects.create_user(name)
    user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
    return user


def asked(name: str, *roles: str, minutes: int | None = None) -> Question:
    run = Run.objects.create(run_id=name, workflow_id=name, entry_id="app:flow", client="app:client", started_at=NOW)
    deadline = NOW + timedelta(minutes=minutes) if minutes is not None else None
    question = Question.objects.create(
        run=run, number=0, opened_at=NOW, deadline=deadline, nearest_at=deadline or FAR, key=wait_key([("", 0)])
    )
    QuestionRole.objects.bulk_create(QuestionRole(question=question, role=role) for role in roles)
    return question


def signal(topic: str, label: str) -> dict[str, str]:
    return {"topic": topic, "label": label}


def signals(*labels: str) -> list[dict[str, str]]:
    return [signal("decision", label) for label in labels]


def flow(*labels: str) -> Entry:
    return Entry("app:flow", "workflow.lua", {"signals": signals(*labels)}, LUA)


def names(rows: object) -> list[str]:
    return [question.run_id for question in rows]  # type: ignore[attr-defined]


def test_each_sees_what_they_may_answer() -> None:
    asked("anybody", "")
    asked("approvers", "approvers")
    asked("either", "approvers", "lawyers")
    assert names(questions.open_for(person("olga", "operator"))) == ["anybody"]
    assert names(questions.open_for(person("anna", "operator", "approvers"))) == ["anybody", "approvers", "either"]
    assert names(questions.open_for(person("leo", "operator", "lawyers"))) == ["anybody", "either"]
    assert len(questions.open_for(User.objects.create_superuser("root"))) == 3


def test_who_may_not_signal_sees_nothing() -> None:
    asked("anybody", "")
    for user in (person("vera", "viewer"), person("sam"), person("ada", "approvers"), AnonymousUser()):
        assert not questions.open_for(user).exists()
        assert not questions.listed(user, "done").exists()


def test_a_question_with_two_of_ones_roles_is_listed_and_counted_once() -> None:
    asked("either", "", "approvers")
    rows = questions.open_for(person("anna", "operator", "approvers"))
    assert rows.count() == len(rows) == 1


def test_the_nearest_deadline_comes_first_and_none_last() -> None:
    asked("whenever", "")
    asked("later", "", minutes=60)
    asked("soon", "", minutes=5)
    assert names(questions.open_for(person("olga", "operator"))) == ["soon", "later", "whenever"]


@pytest.mark.parametrize(("state", "is_open"), [("pending", False), ("sent", False), ("failed", True)])
def test_an_answered_question_moves_to_done(state: str, is_open: bool) -> None:
    olga = person("olga", "operator")
    question = asked("anybody", "")
    Decision.objects.create(question=question, run=question.run, user=olga, topic="decision", state=state)
    Question.objects.filter(pk=question.pk).update(outcome="" if is_open else "answered")
    assert questions.open_for(olga).exists() is is_open
    assert questions.listed(olga, "done").exists() is not is_open


def test_a_decision_that_failed_answers_nothing_anywhere(client: Client) -> None:
    olga = person("olga", "operator")
    question = asked(str(uuid.uuid4()), "")
    Decision.objects.create(question=question, run=question.run, user=olga, topic="no", label="Lost", state="failed")
    assert questions.answer_of(question) is None and questions.answer_among(question.decisions.all(), question) is None
    Question.objects.filter(pk=question.pk).update(closed_at=NOW, outcome="elsewhere")
    client.force_login(olga)
    for address in ("/inbox/?view=done", f"/inbox/{question.pk}/"):
        text = client.get(address).content.decode()
        assert "Another client answered at" in text and "Lost" not in text


def test_closed_questions_and_those_of_closed_runs_are_not_open() -> None:
    olga = person("olga", "operator")
    Question.objects.filter(pk=asked("expired", "").pk).update(closed_at=NOW)
    Question.objects.filter(pk=asked("ended", "").pk).update(closed_at=NOW, outcome="withdrawn")
    assert not questions.open_for(olga).exists()
    assert sorted(names(questions.listed(olga, "done"))) == ["ended", "expired"]


def test_a_question_is_read_by_viewers_but_not_by_strangers() -> None:
    question = asked("approvers", "approvers")
    assert questions.get(person("vera", "viewer"), question.pk) == question
    for user, number in ((person("sam"), question.pk), (person("vic", "viewer"), 999)):
        with pytest.raises(NotFoundError):
            questions.get(user, number)


def test_what_runs_ask_is_read_in_one_query(django_assert_num_queries: Callable[[int], Any]) -> None:
    first, second = asked("first", ""), asked("second", "")
    Question.objects.filter(pk=first.pk).update(signals=signals("Approve", "Reject"))
    Question.objects.filter(pk=second.pk).update(signals=signals("Accept"))
    with django_assert_num_queries(1):  # the questions with their runs and words
        told = list(questions.open_for(User(username="root", is_superuser=True))[:10])
    assert {each.run_id: each.labels for each in told} == {"first": ["Approve", "Reject"], "second": ["Accept"]}
    with django_assert_num_queries(1):
        assert questions.asked_by([first.run, second.run]) == {"first": ["Approve or Reject?"], "second": ["Accept?"]}


def test_what_the_inbox_asks_leaves_out_the_topics_that_are_listened_to() -> None:
    meta = {"signals": [signal("more_time", "Wait"), *signals("Approve")]}
    both = questions.asked([Wait("inbox", "", 0), Wait("topic", "more_time", 0)], meta).values()
    assert [[each["label"] for each in one.signals] for one in both] == [["Approve"], ["Wait"]]


def test_what_one_select_waits_on_is_one_question() -> None:
    meta = {"signals": [signal("more_time", "Wait"), *signals("Approve", "Reject")]}
    together = [Wait("topic", "decision", 2, number=1, joined=1), Wait("topic", "more_time", 0, number=2, joined=1)]
    (one,) = questions.asked(together, meta).values()
    assert one.waits == (("decision", 2), ("more_time", 0))
    assert [each["label"] for each in one.signals] == ["Approve", "Reject", "Wait"]
    apart = [replace(together[0], joined=1), replace(together[1], joined=2)]
    assert len(questions.asked(apart, meta)) == 2
    ticked = [replace(together[0], joined=1), Wait("topic", "tick", 7, number=3, joined=1), together[1]]
    assert list(questions.asked(ticked, meta)) == [one.key]


def test_a_run_of_no_known_entry_still_says_where_it_listens() -> None:
    question = asked("foreign", "")
    Question.objects.filter(pk=question.pk).update(channel="approval")
    assert questions.asked_by([question.run]) == {"foreign": ["approval?"]}


def test_what_is_no_signal_is_left_out_everywhere() -> None:
    odd: list[Any] = [
        "decision",
        {"label": "Nowhere"},
        {"topic": 7},
        {"topic": ""},
        {"topic": "decision", "role": None},
    ]
    (signal,) = questions.declared({"signals": odd})
    assert (signal.index, signal.topic, signal.label, signal.roles) == (4, "decision", "decision", ())
    assert questions.asked([Wait("inbox", "", 0)], {"signals": odd[:4]}) == {}
    assert questions.declared({"signals": {"topic": "decision"}}) == questions.declared({}) == []


@pytest.mark.parametrize(
    ("waits", "topic", "channel"),
    [
        ([Wait("inbox", "", 0)], "decision", ""),
        ([Wait("topic", "decision", 0)], "decision", "decision"),
        ([Wait("inbox", "", 0), Wait("topic", "decision", 0)], "decision", "decision"),
        ([Wait("inbox", "", 0), Wait("topic", "decision", 0)], "comment", ""),
        ([Wait("topic", "decision", 0)], "comment", None),
        ([Wait("timer", "", 0)], "comment", None),
    ],
)
def test_a_message_answers_the_question_that_was_asked_for_it(
    waits: list[Wait], topic: str, channel: str | None
) -> None:
    """What the projection asks and what decisions answer is one rule."""
    run = Run(run_id="r", waiting=[asdict(wait) for wait in waits])
    found = questions.asked(waits, {"signals": [signal("decision", "Yes"), signal("comment", "No")]}).values()
    rows = [Question(run=run, channel=each.waits[0][0], waits=[list(place) for place in each.waits]) for each in found]
    chosen = questions.question_for(topic, run, rows)
    assert (chosen.channel if chosen else None) == channel
    assert [each.waits for each in found if topic in {item["topic"] for item in each.signals}] == (
        [((channel, 0),)] if channel is not None else []
    )


def test_a_thousand_topics_are_put_together_without_comparing_each_with_each() -> None:
    meta = {"signals": [signal(f"t{number}", "Yes") for number in range(1000)]}
    waits = [
        Wait("topic", f"t{number}", 0, number=number + 1, joined=number - number % 2 + 1) for number in range(1000)
    ]
    assert len(questions.asked(waits, meta)) == 500
    chained = [replace(wait, joined=max(wait.number - 1, 1)) for wait in waits]
    assert len(questions.asked(chained, meta)) == 1


def test_named_people_may_answer_and_so_may_superusers_and_who_acts_for_them() -> None:
    made = asked("named")
    QuestionRole.objects.create(question=made, user="olga")
    olga, paul, root = person("olga", "operator"), person("paul", "operator"), accounts.command_line("root")
    only = questions.Signal(0, "decision", "Yes", users=("olga",))
    for user, may in ((olga, True), (accounts.on_behalf("root", "olga"), True), (root, True), (paul, False)):
        assert (questions.may_give(user, only, made), questions.may_answer(user, made)) == (may, may)
    assert questions.who_may(only, made) == "Only olga may answer this."
