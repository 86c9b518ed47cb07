"""Guests: who is asked, what their page shows, one answer by one link, and how a link ends."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.utils import timezone

from engine.entry import Entry
from engine.memory.catalog import MemoryCatalog
from engine.steps import Wait
from tests.console.operating import Stage
from tests.console.test_projection import SEEN
from tests.console.test_questions import person
from tests.patience import PATIENCE
from wippy_console.models import AuditRow, Comment, Decision, FeedEvent, GuestLink, Notification, Question, Run
from wippy_console.services import decisions, guests
from wippy_console.services.errors import Conflict, NotFoundError, Refused
from wippy_console.services.notifications import delivery, outside
from wippy_console.services.notifications.methods.errors import NotSent
from wippy_console.services.projection.writing import write

pytestmark = pytest.mark.django_db

YES = {"topic": "visit", "label": "Yes", "payload": {"suits": True}}
DAY = {"topic": "visit", "label": "Another day", "payload": {"suits": False}, "reason": "required"}
META: dict[str, Any] = {
    "title": "Secret entry title",
    "question": {"title": "Does it suit you, {customer.name}?", "text": "*At nine*", "guest": "$.customer.email"},
    "signals": [YES, DAY],
}
INPUT = ({"customer": {"name": "Ada", "email": "ada@example.com"}, "margin": "internal-4711"},)
WAITS = (Wait("topic", "visit", 0, number=1, joined=1),)


@pytest.fixture(autouse=True)
def within_a_minute(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("wippy_console.services.guests.limits.time", lambda: 1e9)
    cache.clear()
    yield
    cache.clear()


RUN_ID = "0199aaaa-0000-7000-8000-00000000beef"
"""Long enough not to stand by chance in a link's random text."""


def asked(meta: dict[str, Any] = META, given: Any = INPUT, *, workflow: str = "visit-1") -> Question:
    catalog = MemoryCatalog([Entry("app:approval", "workflow.lua", meta=meta)])
    seen = replace(SEEN, run_id=RUN_ID, workflow_id=workflow, waits=WAITS, input=given, at=timezone.now())
    write(catalog, [seen])
    return Question.objects.select_related("run").get()


def page(link: GuestLink, client: Client | None = None, query: str = "") -> tuple[int, str]:
    response = (client or Client()).get(f"/guest/{guests.token_of(link)}/{query}")
    return response.status_code, response.content.decode()


def test_a_question_with_a_guest_makes_one_link_whose_secret_no_row_holds() -> None:
    question = asked()
    asked()
    link = GuestLink.objects.get()
    assert (link.question, link.address) == (question, "ada@example.com")
    assert timedelta(days=29) < link.expires_at - timezone.now() <= timedelta(days=30)
    mail = Notification.objects.get(kind="guest")
    assert (mail.address, mail.method, mail.user) == ("ada@example.com", "email", None)
    token = guests.token_of(link)
    rows = [*GuestLink.objects.values_list(), *Notification.objects.values_list(), *FeedEvent.objects.values_list()]
    assert len(token) == 43 and token not in repr(rows)


def test_the_link_ends_with_the_deadline_of_the_question() -> None:
    question = asked({**META, "question": {**META["question"], "due": "4h"}})
    assert GuestLink.objects.get().expires_at == question.due_at


@pytest.mark.parametrize("address", ["ada", "", None, 7, "a@b", "ada@example.com\nBcc: x@example.com"])
def test_what_is_no_address_is_asked_nothing_and_the_page_says_so(address: Any) -> None:
    question = asked(given=({"customer": {"name": "Ada", "email": address}},))
    assert not GuestLink.objects.exists() and not Notification.objects.filter(kind="guest").exists()
    assert guests.why_nobody(question) == (
        "No guest was asked: what the input says at $.customer.email is no e-mail address."
    )


def test_without_guest_there_is_no_link_and_every_address_is_unknown() -> None:
    asked({**META, "question": {"title": "Does it suit you?"}})
    assert not GuestLink.objects.exists()
    for path in ("/guest/", "/guest/x/", f"/guest/{'A' * 43}/", "/guest/%00/"):
        assert Client().get(path).status_code == 404


def test_the_page_shows_the_question_and_nothing_else() -> None:
    question = asked()
    vera = person("vera-the-viewer", "viewer")
    Comment.objects.create(question=question, user=vera, text="between-us")
    Question.objects.update(assignee=vera)
    link = GuestLink.objects.get()
    for client in (Client(), Client()):
        for query in ("", "?answer=1"):
            status, shown = page(link, client, query)
            assert status == 200 and "Does it suit you, Ada?" in shown
            assert "<em>At nine</em>" in shown
            hidden = (
                question.run.run_id, question.run.workflow_id, "app:approval", "Secret entry title", "internal-4711",
                "vera-the-viewer", "between-us", "ada@example.com", "/inbox/", "/runs/", "data-feed", "drafts.js",
            )  # fmt: skip
            assert [text for text in hidden if text in shown] == []
        client.force_login(vera)


def test_the_page_is_kept_by_nobody() -> None:
    asked()
    response = Client().get(f"/guest/{guests.token_of(GuestLink.objects.get())}/")
    assert "no-store" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "same-origin"
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "DENY"


def test_an_answer_needs_the_token_of_the_form() -> None:
    asked()
    client = Client(enforce_csrf_checks=True)
    path = f"/guest/{guests.token_of(GuestLink.objects.get())}/?answer=0"
    response = client.post(path, {"key": str(uuid.uuid4())})
    assert response.status_code == 403 and "Nothing was sent" in response.content.decode()
    assert "password" not in response.content.decode()
    assert not Decision.objects.exists()


def test_votes_and_what_is_somebodys_are_no_answers_of_a_guest() -> None:
    signals = [
        {**YES, "role": "sales"},
        {**DAY, "topic": "day"},
        {"topic": "vote", "label": "Agree", "quorum": {"approve": 2}},
    ]
    question = asked({**META, "signals": signals})
    Question.objects.update(signals=[{**each, "index": at} for at, each in enumerate(signals)])
    question.refresh_from_db()
    assert [each.label for each in guests.offered(question)] == ["Another day"]
    question.signals = [question.signals[0], question.signals[2]]
    assert [each.label for each in guests.offered(question)] == ["Yes"]


def test_too_many_tries_wait_a_minute() -> None:
    client = Client()
    found = {client.get(f"/guest/{at}/").status_code for at in range(20)}
    assert found == {404}
    response = client.get("/guest/x/")
    assert response.status_code == 429 and "Wait a minute" in response.content.decode()
    asked()
    assert page(GuestLink.objects.get(), client)[0] == 429


def test_behind_a_proxy_each_guest_has_tries_of_their_own(settings: Any) -> None:
    settings.SECURE = True
    for at in range(21):
        seen = {Client().get(f"/guest/{who}-{at}/", headers={"X-Forwarded-For": f"1.1.1.1, {who}"}).status_code
                for who in ("10.0.0.1", f"10.0.1.{at}")}  # fmt: skip
    assert seen == {404, 429}


def test_a_withdrawn_an_expired_and_a_replaced_link_open_nothing() -> None:
    question, olga = asked(), person("olga", "operator")
    link = GuestLink.objects.get()
    guests.withdraw(olga, question)
    status, shown = page(link)
    assert status == 410 and "This link was withdrawn" in shown and "suit" not in shown
    fresh = guests.renew(olga, question)
    assert page(link)[0] == 404 and page(fresh)[0] == 200
    GuestLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    status, shown = page(fresh)
    assert status == 410 and "This link expired" in shown
    assert [row.outcome for row in AuditRow.objects.filter(action="guest").order_by("id")] == ["withdrawn", "sent anew"]
    assert Notification.objects.filter(kind="guest").count() == 2


def test_who_may_not_answer_sends_no_link() -> None:
    question = asked()
    for user in (person("vera", "viewer"), person("sam")):
        for act in (guests.renew, guests.withdraw):
            with pytest.raises(PermissionDenied):
                act(user, question)


def test_a_question_that_is_over_names_nobody() -> None:
    question = asked()
    link = GuestLink.objects.get()
    Decision.objects.create(run=question.run, question=question, user=person("olga"), label="Yes", state="sent")
    Question.objects.update(outcome="answered")
    status, shown = page(link)
    assert status == 410 and "answered already" in shown and "olga" not in shown
    Question.objects.update(outcome="withdrawn", closed_at=timezone.now(), outcome_text="olga terminated it")
    status, shown = page(link)
    assert status == 410 and "This question is over" in shown and "olga" not in shown
    with pytest.raises(Conflict):
        guests.renew(User.objects.create_superuser("root"), question)


def test_the_mail_holds_the_link_and_a_newer_one_ends_it(mailoutbox: list[Any]) -> None:
    question = asked()
    row = Notification.objects.get(kind="guest")
    delivery.attempt(row)
    row.refresh_from_db()
    assert row.state == "sent"
    (mail,) = mailoutbox
    assert mail.to == ["ada@example.com"] and mail.subject == "Does it suit you, Ada?"
    found = re.search(r"/guest/([\w-]{43})/", mail.body)
    assert found is not None and guests.find(found[1]).question == question
    assert found[1] in mail.alternatives[0][0] and question.run.run_id not in mail.body + mail.alternatives[0][0]
    guests.renew(person("olga", "operator"), question)
    with pytest.raises(NotSent):
        outside.send(row)
    with pytest.raises(NotFoundError):
        guests.find(found[1])


# -- answers, on a real Temporal ------------------------------------------------------------------------------------


def invited(stage: Stage) -> GuestLink:
    """The comment signal of flows.py is nobody's in particular; so is Reject."""
    question = stage.ask(stage.start(), "decision")
    Question.objects.filter(pk=question.pk).update(options={"guest": "ada@example.com"})
    question.refresh_from_db()
    guests.invite(question)
    return GuestLink.objects.select_related("question__run").get()


def reject(link: GuestLink, key: uuid.UUID | None = None) -> Decision:
    return decisions.answer_as_guest(link, 1, {}, key=key or uuid.uuid4())


@pytest.mark.django_db(transaction=True)
def test_a_guest_answers_once_and_is_audited_by_address(on_stage: Stage) -> None:
    link = invited(on_stage)
    made = reject(link)
    assert (made.state, made.guest, made.user.username) == ("sent", "ada@example.com", "auto:guest")
    row = AuditRow.objects.get(action="answer")
    assert (row.user, row.label, row.outcome) == ("guest:ada@example.com", "Reject", "sent")
    assert FeedEvent.objects.get(kind="DECISION").data["user"] == "guest:ada@example.com"
    link.refresh_from_db()
    assert link.used_at is not None
    status, shown = page(link)
    assert status == 410 and "You answered “Reject”" in shown
    with pytest.raises(Refused) as refused:
        reject(link)
    assert refused.value.status == 410
    assert Decision.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_answers_that_are_others_are_refused(on_stage: Stage) -> None:
    link = invited(on_stage)
    for index in (0, 7):
        with pytest.raises(NotFoundError):
            decisions.answer_as_guest(link, index, {"comment": "fine"}, reason="so", key=uuid.uuid4())
    assert not Decision.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same", [True, False])
def test_of_two_answers_at_once_one_counts(on_stage: Stage, same: bool) -> None:
    link = invited(on_stage)
    keys = [uuid.uuid4()] * 2 if same else [uuid.uuid4(), uuid.uuid4()]
    barrier, found = threading.Barrier(2, timeout=PATIENCE), list[int]()

    def answer(key: uuid.UUID) -> None:
        barrier.wait()
        response = Client().post(f"/guest/{guests.token_of(link)}/", {"key": str(key)})
        found.append(response.status_code)
        connection.close()

    threads = [threading.Thread(target=answer, args=[key]) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(found) == ([200, 200] if same else [200, 410])
    assert Decision.objects.count() == AuditRow.objects.filter(action="answer").count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_temporal_refuses_can_be_answered_by_the_same_link(
    on_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = invited(on_stage)
    made = reject(link)
    Decision.objects.update(state="pending")
    from wippy_console.services.decisions import journal

    made.refresh_from_db()
    journal._fail(made, "Temporal refused it: no")
    link = GuestLink.objects.select_related("question__run").get()
    assert link.used_at is None and link.question.is_open
    guests.refuse_over(link)


@pytest.mark.django_db(transaction=True)
def test_the_form_of_a_guest_works_without_scripts(on_stage: Stage) -> None:
    link = invited(on_stage)
    client, path = Client(), f"/guest/{guests.token_of(link)}/"
    shown = client.get(path).content.decode()
    assert '<form class="form" method="post"' in shown and "Reject" in shown and "Approve" not in shown
    key = re.search(r'name="key" value="([^"]+)"', shown)
    assert key is not None
    response = client.post(path, {"key": key[1]})
    assert response.status_code == 200 and "You answered “Reject”" in response.content.decode()
    assert Run.objects.get().decisions.get().guest == "ada@example.com"
