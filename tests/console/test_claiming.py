"""Who has a question: claims at once, taking over, giving to others, putting off, lapsing."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.utils import timezone

from engine.steps import Wait
from tests.console.test_questions import NOW, asked, person, signals
from tests.patience import PATIENCE
from wippy_console.models import AuditRow, Decision, FeedEvent, Question, QuestionRole, Run
from wippy_console.services import accounts, clock, decisions, questions
from wippy_console.services.decisions import journal
from wippy_console.services.errors import Conflict, Refused

pytestmark = pytest.mark.django_db


def question(name: str = "anybody", **options: Any) -> Question:
    made = asked(name, "")
    Question.objects.filter(pk=made.pk).update(signals=signals("Approve"), options=options, waits=[["", 0]])
    return Question.objects.select_related("run", "assignee").get(pk=made.pk)


def told() -> list[dict[str, Any]]:
    return [event.data for event in FeedEvent.objects.filter(kind="QUESTION").order_by("id")]


@pytest.mark.django_db(transaction=True)
def test_of_two_claims_at_once_one_is_told_who_won() -> None:
    made, people = question(), [person("olga", "operator"), person("paul", "operator")]
    barrier, answers = threading.Barrier(2, timeout=PATIENCE), dict[str, tuple[int, str]]()

    def claim(user: User) -> None:
        client = Client()
        client.force_login(user)
        barrier.wait()
        response = client.post(f"/inbox/{made.pk}/claim/", headers={"HX-Request": "true"})
        answers[user.username] = response.status_code, response.content.decode()
        connection.close()

    threads = [threading.Thread(target=claim, args=[user]) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    made.refresh_from_db()
    assert made.assignee is not None
    winner = made.assignee.username
    (loser,) = {"olga", "paul"} - {winner}
    assert answers[winner][0] == 200
    assert answers[loser][0] == 409 and f"{winner} has taken it." in answers[loser][1]
    assert told() == [{"question": made.pk, "action": "claimed", "user": winner}]


def test_a_second_click_takes_it_once() -> None:
    made, olga = question(), person("olga", "operator")
    for _ in range(2):
        assert decisions.claim(olga, made).assignee == olga
    assert len(told()) == 1


def test_the_audit_names_who_took_gave_and_put_back_what() -> None:
    made, olga, paul = question(), person("olga", "operator"), person("paul", "operator")
    decisions.claim(olga, made)
    decisions.assign(accounts.on_behalf("root", "olga"), made, "paul", reason="He knows it")
    decisions.postpone(paul, made, timezone.now() + timedelta(days=1))
    decisions.release(paul, made)
    rows = AuditRow.objects.filter(question_id=made.pk).exclude(action="comment").order_by("pk")
    assert [(row.action, row.user) for row in rows] == [
        ("claim", "olga"), ("assign", "cli:root/olga"), ("postpone", "paul"), ("release", "paul")
    ]  # fmt: skip
    assert rows[1].data == {"to": "paul", "text": "He knows it"}


def test_only_who_may_answer_may_take_it() -> None:
    made = asked("lawyers", "lawyers")
    for user in (person("olga", "operator"), person("vera", "viewer"), person("sam")):
        with pytest.raises(PermissionDenied):
            decisions.claim(user, made)
    assert decisions.claim(person("leo", "operator", "lawyers"), made).assignee is not None


def test_taking_over_names_from_whom() -> None:
    made, olga, paul = question(), person("olga", "operator"), person("paul", "operator")
    decisions.claim(olga, made)
    for over in ("", "somebody"):
        with pytest.raises(Conflict, match="olga has taken it"):
            decisions.claim(paul, made, over=over)
    assert decisions.claim(paul, made, over="olga").assignee == paul
    assert told()[-1] == {"question": made.pk, "action": "claimed", "user": "paul", "text": "from olga"}


def test_only_a_candidate_is_given_a_question() -> None:
    made, olga = question(), person("olga", "operator")
    person("paul", "operator")
    person("vera", "viewer")
    User.objects.create_user("gone", is_active=False)
    for name in ("nobody", "gone", "vera"):
        with pytest.raises(Refused) as refusal:
            decisions.assign(olga, made, name)
        assert "to" in refusal.value.fields
    given = decisions.assign(olga, made, "paul", reason="He knows it")
    assert given.assignee is not None and given.assignee.username == "paul"
    assert told()[-1]["text"] == "He knows it"
    with pytest.raises(Conflict, match="paul has taken it"):
        decisions.assign(person("rita", "operator"), made, "olga")


def test_it_is_put_back_by_who_has_it() -> None:
    made, olga = question(), person("olga", "operator")
    with pytest.raises(Conflict, match="Nobody has taken it"):
        decisions.release(olga, made)
    decisions.claim(olga, made)
    with pytest.raises(Conflict, match="olga has taken it"):
        decisions.release(person("paul", "operator"), made)
    assert decisions.release(olga, made).assignee is None


def test_a_claim_lapses_after_its_time() -> None:
    made, olga, paul = question(lapse="1h"), person("olga", "operator"), person("paul", "operator")
    taken = decisions.claim(olga, made)
    assert taken.lapses_at is not None and taken.assigned_at is not None
    assert taken.lapses_at - taken.assigned_at == timedelta(hours=1)
    Question.objects.filter(pk=made.pk).update(lapses_at=timezone.now() - timedelta(seconds=1))
    assert questions.listed(paul, "unassigned").exists() and not questions.listed(olga, "mine").exists()
    assert decisions.claim(paul, made).assignee == paul


def test_a_disabled_user_has_nothing() -> None:
    made, olga, paul = question(), person("olga", "operator"), person("paul", "operator")
    decisions.claim(olga, made)
    User.objects.filter(pk=olga.pk).update(is_active=False)
    made = Question.objects.get(pk=made.pk)
    assert questions.holder(made) is None and questions.listed(paul).exists()
    clock.tick()
    made.refresh_from_db()
    assert made.assignee is None
    assert decisions.claim(paul, made).assignee == paul


def test_others_do_not_answer_what_somebody_has_taken(client: Client) -> None:
    made, olga, paul = question(), person("olga", "operator"), person("paul", "operator")
    decisions.claim(olga, made)
    with pytest.raises(Conflict, match="olga has taken it"):
        decisions.decide(paul, made.run, 0, {}, question_id=made.pk)
    with pytest.raises(Conflict, match="olga has taken it"):
        decisions.send(paul, made.run, "decision", {})
    (button,) = [each for each in decisions.buttons(paul, made.run) if each.question]
    assert button.why_not == "olga has taken it."
    assert not questions.listed(paul).exists() and questions.listed(paul, "others").get() == made


def test_who_votes_takes_no_turns() -> None:
    made, olga, paul = question(), person("olga", "operator"), person("paul", "operator")
    Question.objects.update(signals=[{"topic": "decision", "label": "Yes", "quorum": {"approve": 2}}])
    made.refresh_from_db()
    decisions.claim(olga, made)
    assert questions.why_taken(paul, made) == ""


def test_what_is_put_off_comes_back_by_itself() -> None:
    made, olga, paul = question(), person("olga", "operator"), person("paul", "operator")
    with pytest.raises(Refused) as refusal:
        decisions.postpone(olga, made, timezone.now())
    assert "until" in refusal.value.fields
    decisions.postpone(olga, made, timezone.now() + timedelta(days=1))
    assert not questions.listed(paul).exists() and not questions.listed(paul, "unassigned").exists()
    assert questions.listed(paul, "later").get() == made
    Question.objects.update(follow_up_at=timezone.now())
    assert questions.listed(paul).get() == made


def test_nothing_is_taken_that_is_over() -> None:
    made, olga = question(), person("olga", "operator")
    Question.objects.update(closed_at=timezone.now(), outcome="expired")
    with pytest.raises(Conflict, match="The time to answer ended"):
        decisions.claim(olga, made)
    with pytest.raises(Conflict, match="The time to answer ended"):
        decisions.postpone(olga, made, None)


def test_the_command_line_takes_it_for_somebody() -> None:
    made, olga = question(), person("olga", "operator")
    with pytest.raises(Refused, match="--as"):
        decisions.claim(accounts.command_line("root"), made)
    assert decisions.claim(accounts.on_behalf("root", "olga"), made).assignee == olga


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_a_claim_overtook_is_refused_by_name() -> None:
    made, olga, paul = question(), person("olga", "operator"), person("paul", "operator")
    answer = Decision(run=made.run, user=paul, question=made, topic="decision", label="Approve")
    decisions.claim(olga, Question.objects.select_related("run").get(pk=made.pk))
    with pytest.raises(Conflict, match="olga has taken it"):
        journal.make(answer)
    assert not Decision.objects.exists() and Question.objects.get(pk=made.pk).is_open


def test_a_question_begins_with_whom_its_author_names() -> None:
    olga = person("olga", "operator")
    person("vera", "viewer")
    given = {"boss": "olga", "watcher": "vera", "who": "nobody"}
    for path, expected in (("$.boss", olga), ("$.watcher", None), ("$.who", None), ("olga", olga)):
        Run.objects.all().delete()
        meta = {"signals": signals("Approve"), "question": {"assign": path, "lapse": "1h"}}
        run = Run(run_id="r", workflow_id="r", entry_id="app:flow", client="app:client", started_at=NOW, input=[given])
        run.save()
        made = Question(run=run, opened_at=NOW)
        (what,) = questions.asked([Wait("inbox", "", 0)], meta).values()
        questions.word(made, what, meta, run)
        made.save()
        QuestionRole.objects.create(question=made)
        questions.assign_at_opening(made)
        made = Question.objects.get(pk=made.pk)
        assert made.assignee == expected
        assert (made.lapses_at is None) is (expected is None)
        assert questions.meant_for(made) == ("" if expected else given[path[2:]])
