"""Quorums, answers that need a verdict, and what the clock does: on a real Temporal, with real rows and threads."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from engine.entry import Entry
from engine.steps import Wait
from tests.console.operating import LUA, Stage
from tests.console.registry_cast import update
from tests.console.test_decisions import signals
from wippy_console.models import Decision, FeedEvent, Question, Run, Vote
from wippy_console.services import accounts, clock, decisions, questions
from wippy_console.services.errors import Conflict, Refused, Unavailable

pytestmark = pytest.mark.django_db(transaction=True)

APPROVE: dict[str, Any] = {
    "topic": "decision",
    "label": "Approve",
    "payload": {"approved": True},
    "schema": {"type": "object", "properties": {"note": {"type": "string"}, "pin": {"writeOnly": True}}},
    "quorum": {"approve": 2, "reject": 1, "of": ["approvers", "olga"]},
}
REJECT: dict[str, Any] = {"topic": "decision", "label": "Reject", "payload": {"approved": False}, "reason": "required"}
MORE: dict[str, Any] = {"topic": "more_time", "label": "More time", "payload": {"days": 1}}


def ask(stage: Stage, *items: dict[str, Any], **meta: Any) -> Question:
    """A question of a run that the cast's operator started, with those answers."""
    about = {"signals": list(items), "question": meta} if meta else {"signals": list(items)}
    update(Entry("app.flows:approval", "workflow.lua", about, {"source": LUA}))
    return stage.ask(stage.start("app.flows:approval", {"wanted": 9}))


def voter(name: str, *groups: str) -> User:
    """An operator, by default one of the approvers."""
    user = User.objects.create_user(name)
    user.groups.set([Group.objects.get_or_create(name=each)[0] for each in ("operator", *(groups or ("approvers",)))])
    return user


def vote(by: User, question: Question, index: int = 0, **options: Any) -> Decision | Vote:
    form = options.pop("form", {"note": by.get_username()})
    return decisions.decide(by, question.run, index, form, question_id=question.pk, **options)


def told(run: Run) -> list[dict[str, Any]]:
    return [event.data for event in FeedEvent.objects.filter(kind="QUESTION", run_id=run.run_id).order_by("id")]


# -- votes -----------------------------------------------------------------------------------------


def test_the_signal_goes_out_when_the_quorum_is_reached_with_all_votes(on_stage: Stage) -> None:
    question = ask(on_stage, APPROVE, REJECT)
    first = vote(on_stage.cast.approver, question)
    assert isinstance(first, Vote)
    assert signals(question.run) == [] and questions.open_for(voter("ann")).exists()
    assert told(question.run) == [
        {"question": question.pk, "action": "voted", "user": "approver", "label": "Approve", "votes": 1, "needed": 2}
    ]
    made = vote(voter("ben"), question, form={"note": "ben", "pin": "1234"})
    assert isinstance(made, Decision)
    assert made.state == "sent"
    assert [(each["user"], each["label"], each["payload"]) for each in (made.payload or {})["votes"]] == [
        ("approver", "Approve", {"approved": True, "note": "approver"}),
        ("ben", "Approve", {"approved": True, "note": "ben", "pin": "••••••"}),
    ]
    assert len(signals(question.run)) == 1
    question.refresh_from_db()
    assert question.outcome == "answered"


def test_a_vote_after_the_quorum_learns_who_decided(on_stage: Stage) -> None:
    question = ask(on_stage, APPROVE)
    for name in ("ann", "ben"):
        vote(voter(name), question)
    with pytest.raises(Conflict, match="ben already answered: Approve"):
        vote(voter("cid"), question)
    assert question.votes.count() == 2


def test_nobody_votes_twice_but_a_form_may_be_sent_twice(on_stage: Stage) -> None:
    question, ann, key = ask(on_stage, APPROVE, REJECT), voter("ann"), uuid.uuid4()
    first = vote(ann, question, key=key)
    assert vote(ann, question, key=key) == first
    for index, options in ((0, {}), (1, {"reason": "no"})):
        with pytest.raises(Conflict, match="You voted “Approve” before"):
            vote(ann, question, index, **options)
    with pytest.raises(Conflict, match="You voted"):  # nor by the command line on her behalf
        vote(accounts.on_behalf("root", "ann"), question)
    assert (question.votes.count(), signals(question.run)) == (1, [])


def test_a_vote_that_is_sent_twice_is_counted_also_when_others_decided_in_between(on_stage: Stage) -> None:
    question, ann, key = ask(on_stage, APPROVE), voter("ann"), uuid.uuid4()
    first = vote(ann, question, key=key)
    vote(voter("ben"), question)
    assert vote(ann, question, key=key) == first
    with pytest.raises(Conflict, match="ben already answered: Approve"):
        vote(ann, question, key=uuid.uuid4())
    with pytest.raises(Conflict, match="ben already answered: Approve"):
        vote(voter("cid"), question, key=key)


def test_whoever_started_the_run_does_not_decide(on_stage: Stage) -> None:
    question = ask(on_stage, APPROVE, REJECT)
    starter = on_stage.cast.operator
    starter.groups.add(Group.objects.get(name="approvers"))
    for user in (User.objects.get(pk=starter.pk), accounts.on_behalf("root", "operator")):
        for index in (0, 1):
            with pytest.raises(PermissionDenied, match="You started this run"):
                vote(user, question, index, reason="why")
    assert not Vote.objects.exists()


def test_whoever_started_the_parent_or_the_run_before_does_not_decide_either(on_stage: Stage) -> None:
    question = ask(on_stage, APPROVE)
    starter, run = on_stage.cast.operator, question.run
    starter.groups.add(Group.objects.get(name="approvers"))
    first = {"client": run.client, "workflow_id": run.workflow_id, "entry_id": run.entry_id, "started_by": starter}
    before = Run.objects.create(
        run_id=str(uuid.uuid4()), started_at=run.started_at - timedelta(hours=1), status="continued_as_new", **first
    )
    Run.objects.filter(pk=run.pk).update(started_by=None)
    for _ in range(2):
        with pytest.raises(PermissionDenied, match="You started this run"):
            vote(User.objects.get(pk=starter.pk), Question.objects.get())
        Run.objects.filter(pk=before.pk).update(workflow_id="parent", status="running")
        Run.objects.filter(pk=run.pk).update(parent_run_id=before.pk)
    Run.objects.filter(pk=run.pk).update(parent_run_id="")
    assert isinstance(vote(User.objects.get(pk=starter.pk), Question.objects.get()), Vote)


def test_the_starter_may_where_the_author_says_so(on_stage: Stage) -> None:
    question = ask(on_stage, {**APPROVE, "quorum": {"approve": 1, "of": ["operator"], "self": True}})
    assert isinstance(vote(on_stage.cast.operator, question), Decision)


def test_one_rejection_ends_the_vote(on_stage: Stage) -> None:
    question = ask(on_stage, APPROVE, REJECT)
    vote(voter("ann"), question)
    made = vote(voter("ben"), question, 1, reason="too dear")
    assert isinstance(made, Decision)
    assert [each["label"] for each in (made.payload or {})["votes"]] == ["Approve", "Reject"]
    assert (made.payload or {})["votes"][1]["reason"] == "too dear"


def test_only_those_named_may_vote(on_stage: Stage) -> None:
    question = ask(on_stage, APPROVE)
    with pytest.raises(PermissionDenied, match="approvers or olga"):
        vote(voter("zoe", "others"), question)
    assert isinstance(vote(voter("olga", "others"), question), Vote)


def test_the_command_line_votes_and_says_so(on_stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    question = ask(on_stage, APPROVE)
    voter("ann")
    call_command("signal", question.run.workflow_id, "decision", '{"approved": true}', "--as", "ann")
    assert capsys.readouterr().out.startswith("counted your vote “Approve”")
    assert [vote.user.get_username() for vote in question.votes.all()] == ["ann"]


def test_a_late_vote_of_the_command_line_learns_who_decided_also_when_the_run_has_ended(on_stage: Stage) -> None:
    question = ask(on_stage, APPROVE)
    for name in ("ann", "ben"):
        vote(voter(name), question)
    now = timezone.now()
    Question.objects.update(closed_at=now)
    Run.objects.filter(pk=question.run_id).update(status="completed", closed_at=now)
    with pytest.raises(Conflict, match=r"has ended \(completed\).* ben already answered: Approve"):
        decisions.send(voter("cid"), question.run, "decision", {"approved": True})


def test_those_named_for_the_vote_are_those_who_may_reject(on_stage: Stage) -> None:
    question = ask(on_stage, APPROVE, REJECT)
    zoe = voter("zoe", "others")
    with pytest.raises(PermissionDenied, match="approvers or olga"):
        vote(zoe, question, 1, reason="no")
    assert not questions.open_for(zoe).exists()
    assert isinstance(vote(voter("olga", "others"), question, 1, reason="no"), Decision)


def test_after_the_deadline_the_command_line_does_not_answer_either(on_stage: Stage) -> None:
    update(Entry("app.flows:approval", "workflow.lua", {"signals": [MORE]}, {"source": LUA}))
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    on_stage.ask(run, deadline=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Conflict, match="time to answer ended"):
        decisions.send(on_stage.cast.root, run, "more_time")
    assert signals(run) == []


def test_an_answer_of_another_topic_needs_no_votes(on_stage: Stage) -> None:
    question = ask(on_stage, APPROVE, MORE)
    assert isinstance(vote(voter("ann"), question, 1, form={}), Decision)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each act returned or raised, all begun at one moment."""
    found: list[Any] = [None] * len(acts)
    gate = threading.Barrier(len(acts))

    def run(index: int) -> None:
        gate.wait()
        try:
            found[index] = acts[index]()
        except Exception as error:
            found[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[index]) for index in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_five_votes_at_once_send_one_signal(on_stage: Stage) -> None:
    question = ask(on_stage, APPROVE)
    people = [voter(f"p{number}") for number in range(5)]
    found = at_once(*(lambda by=by: vote(by, question) for by in people))
    assert sorted(type(each).__name__ for each in found) == ["Conflict"] * 3 + ["Decision", "Vote"]
    assert len(signals(question.run)) == 1 and question.votes.count() == 2


# -- verdicts --------------------------------------------------------------------------------------


def test_the_run_s_verdict_comes_with_the_answer(on_stage: Stage) -> None:
    question = ask(on_stage, {**MORE, "via": "update"})
    made = vote(on_stage.cast.approver, question, form={})
    assert isinstance(made, Decision)
    assert (made.state, made.verdict) == ("sent", {"taken": 1})
    assert made.event_id


def test_what_the_run_refuses_is_told_and_the_question_stays(on_stage: Stage) -> None:
    question = ask(on_stage, {**MORE, "via": "update", "payload": {"refuse": True}})
    with pytest.raises(Refused, match="The run refused it: the run says no"):
        vote(on_stage.cast.approver, question, form={})
    question.refresh_from_db()
    assert (question.outcome, Decision.objects.get().state) == ("", "failed")


def test_a_refused_answer_may_be_sent_again_by_the_same_form(on_stage: Stage, client: Client) -> None:
    signal = {"topic": "limit", "label": "Set", "via": "update", "schema": {"type": "object"}}
    question = ask(on_stage, signal)
    with pytest.raises(Refused, match="the run says no"):
        vote(on_stage.cast.approver, question, form={"refuse": True})
    Question.objects.update(outcome="answered")  # as it stands until the refusal is known
    on_stage.observe(question.run, Wait("inbox", "", 1))
    client.force_login(on_stage.cast.approver)
    run = f"/runs/{question.run.workflow_id}/{question.run.run_id}"
    below = client.get(f"{run}/answer/0/standing/?question={question.pk}").content.decode()
    assert "data-over" not in below and "be sent now" not in below
    made = vote(on_stage.cast.approver, question, form={"limit": 5})
    assert isinstance(made, Decision)
    assert (made.question, made.verdict) == (Question.objects.get(number=1), {"taken": 1})


def test_the_form_that_comes_back_with_a_refusal_is_another_decision(on_stage: Stage, client: Client) -> None:
    fields = {"refuse": {"type": "boolean"}, "limit": {"type": "integer"}}
    question = ask(on_stage, {"topic": "limit", "label": "Set", "via": "update", "schema": {"properties": fields}})
    client.force_login(on_stage.cast.approver)
    address = f"/runs/{question.run.workflow_id}/{question.run.run_id}/answer/0/"
    sent = {"key": str(uuid.uuid4()), "question": str(question.pk), "f-refuse": "on", "f-limit": "5"}
    back = client.post(address, sent)
    key = back.context["form"]["key"].value()
    assert (back.status_code, key != sent["key"]) == (422, True)
    assert "the run says no" in back.content.decode() and f'value="{key}"' in back.content.decode()
    del sent["f-refuse"]
    assert client.post(address, {**sent, "key": key}).status_code == 302
    assert list(Decision.objects.order_by("created_at").values_list("state", flat=True)) == ["failed", "sent"]


def test_a_verdict_that_takes_long_is_fetched_later(on_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wippy_console.services.decisions.wire.VERDICT_TIMEOUT", timedelta(seconds=0.5))
    question = ask(on_stage, {**MORE, "via": "update", "payload": {"sleep": True}})
    with pytest.raises(Unavailable, match="has not said yet"):
        vote(on_stage.cast.approver, question, form={})
    decisions.send_raw(on_stage.cast.root, question.run, "anything")
    monkeypatch.undo()
    assert decisions.resume_pending(older_than=0) == 1
    made = Decision.objects.get(topic="more_time")
    assert (made.state, made.verdict) == ("sent", {"taken": 2})


@pytest.mark.parametrize("late", [False, True])
def test_what_the_run_refuses_and_asks_again_is_the_same_question(on_stage: Stage, late: bool) -> None:
    """Whether the refusal is known to us before the projection knows of the step, or after it."""
    signal = {"topic": "limit", "label": "Set", "via": "update", "schema": {"type": "object"}}
    question, ann = ask(on_stage, signal), on_stage.cast.approver
    Question.objects.update(assignee=ann)
    with pytest.raises(Refused, match="the run says no"):
        vote(ann, question, form={"refuse": True})
    refused = Decision.objects.get()
    if late:
        Decision.objects.update(state="pending")
        Question.objects.update(outcome="answered")
    on_stage.observe(question.run, Wait("inbox", "", 1), refused=(str(refused.pk),))
    if late:
        assert decisions.resume_pending(older_than=0) in (0, 1)
    again = Question.objects.get()
    assert (again.pk, again.number, again.outcome, again.outcome_text, again.closed_at, again.assignee) == (
        question.pk, 1, "", "", None, ann,
    )  # fmt: skip
    made = vote(ann, again, form={"limit": 5})
    assert isinstance(made, Decision)
    assert (made.question, made.verdict) == (again, {"taken": 1})
    assert [event.kind for event in FeedEvent.objects.filter(run_id=question.run_id, kind="RESUMED")] == []


# -- the clock -------------------------------------------------------------------------------------


def test_what_nobody_answers_is_escalated_once(on_stage: Stage) -> None:
    question = ask(on_stage, MORE | {"role": "approvers"}, escalate={"after": "4h", "to": "bosses"})
    boss = voter("boss", "bosses")
    assert not questions.open_for(boss).exists()
    clock.tick(timezone.now() + timedelta(hours=3))
    assert told(question.run) == []
    for _ in range(2):
        clock.tick(timezone.now() + timedelta(hours=5))
    assert [(each["action"], each["to"]) for each in told(question.run)] == [("escalated", "bosses")]
    assert questions.open_for(boss).get() == question
    assert isinstance(vote(boss, Question.objects.get(), form={}), Decision)


def test_the_due_date_gives_the_answer_that_the_author_declared(on_stage: Stage) -> None:
    question = ask(on_stage, MORE, {**REJECT, "default": True}, due="2h")
    clock.tick(timezone.now() + timedelta(hours=1))
    assert not Decision.objects.exists()
    for _ in range(2):
        clock.tick(timezone.now() + timedelta(hours=3))
    (made,) = Decision.objects.all()
    assert (made.state, made.payload, made.user.get_username()) == ("sent", {"approved": False}, "auto:clock")
    (signal,) = signals(question.run)
    assert signal.identity == "auto:clock"
    question.refresh_from_db()
    assert question.outcome == "defaulted"


def test_a_claim_falls_with_its_time_and_with_its_user(on_stage: Stage) -> None:
    question, ann = ask(on_stage, MORE), voter("ann")
    now = timezone.now()
    Question.objects.update(assignee=ann, assigned_at=now, lapses_at=now - timedelta(seconds=1))
    clock.tick()
    question.refresh_from_db()
    assert question.assignee is None and told(question.run)[-1]["action"] == "released"
    Question.objects.update(assignee=ann, assigned_at=now, lapses_at=None)
    clock.tick()
    assert Question.objects.get().assignee == ann
    User.objects.filter(pk=ann.pk).update(is_active=False)
    clock.tick()
    assert Question.objects.get().assignee is None
