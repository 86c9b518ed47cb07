"""Comments: who may, what is kept, who is mentioned, and how they are shown."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from tests.console.test_questions import asked, person
from wippy_console.forms import typed
from wippy_console.models import AuditRow, Comment, FeedEvent, Grant, Notification, NotificationPreference, Question
from wippy_console.services import comments, decisions
from wippy_console.services.errors import Conflict, NotFoundError, Refused

pytestmark = pytest.mark.django_db


def say(user: User, question: Question, text: str, key: uuid.UUID | None = None) -> Comment:
    return comments.comment(user, question, text, key or uuid.uuid4())


def post(user: User, question: Question, text: str, **headers: str) -> tuple[int, str]:
    client = Client()
    client.force_login(user)
    address = f"/inbox/{question.pk}/comments/"
    sent = {"text": text, "key": str(uuid.uuid4()), typed.BY: typed.signed(user)}
    response = client.post(address, sent, headers=headers)
    return response.status_code, response.content.decode() or response.headers.get("Location", "")


def test_whoever_sees_a_question_may_comment_without_answering() -> None:
    question, vera = asked("lawyers", "lawyers"), person("vera", "viewer")
    made = say(vera, question, "  Ask the lawyers.  ")
    assert (made.user, made.text) == (vera, "Ask the lawyers.")
    question.refresh_from_db()
    assert question.is_open
    row = AuditRow.objects.get(action="comment")
    assert (row.user, row.question_id, row.data["text"]) == ("vera", question.pk, "Ask the lawyers.")
    event = FeedEvent.objects.get(kind="QUESTION")
    assert (event.run_id, event.data["action"], event.data["text"]) == ("lawyers", "commented", "Ask the lawyers.")


def test_who_may_not_see_it_may_not_comment() -> None:
    with pytest.raises(NotFoundError):
        say(person("sam"), asked("anybody", ""), "Hello")
    assert not Comment.objects.exists() and not AuditRow.objects.exists()


@pytest.mark.parametrize("text", ["", " \n ", "x" * 4_001])
def test_nothing_and_too_much_are_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        say(person("olga", "operator"), asked("anybody", ""), text)
    assert "text" in refused.value.fields


def test_a_comment_sent_twice_is_one() -> None:
    question, olga, key = asked("anybody", ""), person("olga", "operator"), uuid.uuid4()
    assert say(olga, question, "Once.", key) == say(olga, question, "Once.", key)
    assert Comment.objects.count() == AuditRow.objects.count() == FeedEvent.objects.count() == 1
    with pytest.raises(Conflict):
        say(person("paul", "operator"), question, "Mine.", key)


def test_the_thread_stays_when_the_question_is_over() -> None:
    question, olga = asked("anybody", ""), person("olga", "operator")
    say(olga, question, "Before.")
    Question.objects.update(closed_at=timezone.now(), outcome="expired")
    say(olga, question, "After.")
    assert [each.text for each in comments.thread(question)] == ["Before.", "After."]


def test_mentioned_are_active_users_who_may_see_the_question() -> None:
    question, anna = asked("anybody", ""), person("anna", "viewer")
    dotted, nobody = person("j.doe", "operator"), person("gone", "operator")
    person("sam")
    User.objects.filter(pk=nobody.pk).update(is_active=False)
    text = "@anna, (@j.doe) and @j.doe. Not @sam, @gone, @nobody or mail@anna"
    assert comments.mentioned(text, question) == [anna, dotted]


def test_a_comment_can_do_nothing_on_the_page() -> None:
    question, olga = asked("anybody", ""), person("olga", "operator")
    status, shown = post(
        olga, question, "**Look** <script>alert(1)</script> [a](javascript:x)", **{"HX-Request": "true"}
    )
    assert status == 200 and "<strong>Look</strong>" in shown
    assert "<script>alert" not in shown and 'href="javascript' not in shown


def test_without_scripts_the_page_leads_back_to_the_question() -> None:
    question, olga = asked("anybody", ""), person("olga", "operator")
    assert post(olga, question, "Fine.") == (302, f"/inbox/{question.pk}/#comments-{question.pk}")
    status, shown = post(olga, question, "x" * 4_001)
    assert status == 422 and "at most 4000" in shown and "x" * 4_001 in shown
    client = Client()
    client.force_login(olga)
    shown = client.get(f"/inbox/{question.pk}/comments/").content.decode()
    assert "Fine." in shown and "Restored what you typed" in shown and "x" * 4_001 in shown


def test_names_are_of_those_who_see_the_question_and_suggested_to_nobody_else() -> None:
    question, far = asked("anybody", ""), person("olive")
    url = f"/inbox/{question.pk}/names/?q=@ol"
    person("olga", "operator"), person("oleg", "viewer"), person("olin")
    User.objects.create_user("olaf", is_active=False, is_superuser=True)
    elsewhere = Group.objects.create(name="elsewhere")
    elsewhere.permissions.set(Group.objects.get(name="viewer").permissions.all())
    Grant.objects.create(group=elsewhere, pattern="far.*")
    far.groups.set([elsewhere])
    client = Client()
    client.force_login(User.objects.get(username="olga"))
    assert client.get(url).json() == {"names": ["oleg", "olga"]}
    client.force_login(far)
    assert client.get(url).status_code == 404
    client.force_login(person("sam"))
    assert client.get(url).status_code == 403


def test_words_that_go_with_a_question_are_a_comment_and_tell_whom_it_is_given_to() -> None:
    question, olga, paul = asked("anybody", ""), person("olga", "operator"), person("paul", "operator")
    anna = person("anna", "viewer")
    for each in (paul, anna):
        User.objects.filter(pk=each.pk).update(email=f"{each.username}@example.com")
        NotificationPreference.objects.create(user=each, chosen={"assigned": ["email"], "mentioned": ["email"]})
    decisions.assign(olga, question, "paul", reason="Please look, @anna knows more.")
    assert [(each.user, each.text) for each in comments.thread(question)] == [(olga, "Please look, @anna knows more.")]
    told = {(row.kind, row.address) for row in Notification.objects.all()}
    assert told == {("assigned", "paul@example.com"), ("mentioned", "anna@example.com")}
    assert [event.data["action"] for event in FeedEvent.objects.filter(kind="QUESTION")] == ["assigned"]


def test_a_comment_that_mentions_nobody_tells_nobody() -> None:
    question, olga, paul = asked("anybody", ""), person("olga", "operator"), person("paul", "operator")
    User.objects.filter(pk=paul.pk).update(email="paul@example.com")
    NotificationPreference.objects.create(user=paul, chosen={"mentioned": ["email"]})
    say(olga, question, "Just so.")
    say(paul, question, "@paul to himself")
    assert not Notification.objects.exists()
