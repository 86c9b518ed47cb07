"""Decisions that were recorded and not finished: whatever one of them waits for, the others and the clock go on."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from temporalio.service import RPCError, RPCStatusCode

from engine.steps import Wait
from tests.console.operating import Stage
from tests.console.test_votes import APPROVE, MORE, REJECT, ask, at_once, vote, voter
from wippy_console.models import Decision, Question
from wippy_console.services import clock, decisions, questions
from wippy_console.services.decisions import journal, wire
from wippy_console.services.errors import Conflict, Refused, Unavailable

pytestmark = pytest.mark.django_db(transaction=True)

SLEEPS = {**MORE, "via": "update", "payload": {"sleep": True}}


def pending(question: Question, stage: Stage, **fields: Any) -> Decision:
    """As a crash leaves it."""
    made = Decision.objects.create(
        run=question.run, user=stage.cast.approver, question=question, topic="decision", label="Approve", **fields
    )
    Question.objects.filter(pk=question.pk).update(outcome="answered")
    return made


def test_a_run_that_gives_no_verdict_keeps_nothing_else_waiting(on_stage: Stage) -> None:
    silent = pending(ask(on_stage, SLEEPS), on_stage, via="update", payload={"sleep": True})
    other = pending(on_stage.ask(on_stage.start("app.flows:approval", {})), on_stage, payload={})
    began = time.monotonic()
    assert decisions.resume_pending(older_than=0) == 1
    assert time.monotonic() - began < wire.VERDICT_TIMEOUT.total_seconds()
    silent.refresh_from_db()
    other.refresh_from_db()
    assert (silent.state, other.state) == ("pending", "sent")


def test_a_temporal_that_is_away_keeps_nothing_of_another_waiting(on_stage: Stage, monkeypatch: Any) -> None:
    gone, here = (pending(on_stage.ask(on_stage.start("app.flows:approval", {})), on_stage) for _ in range(2))
    find = wire.find_event

    def away(decision: Decision) -> int | None:
        if decision.pk == gone.pk:
            raise Unavailable("away")
        return find(decision)

    monkeypatch.setattr(wire, "find_event", away)
    type(gone.run).objects.filter(pk=gone.run_id).update(client="app:other")
    assert decisions.resume_pending(older_than=0) == 1
    here.refresh_from_db()
    assert here.state == "sent"


def test_an_update_by_the_clock_waits_no_longer_than_a_moment(on_stage: Stage) -> None:
    asked = [ask(on_stage, {**SLEEPS, "default": True}, due="1h") for _ in range(2)]
    began = time.monotonic()
    clock.tick(timezone.now() + timedelta(hours=2))
    assert time.monotonic() - began < wire.VERDICT_TIMEOUT.total_seconds()
    assert set(Question.objects.filter(pk__in=[each.pk for each in asked]).values_list("outcome", flat=True)) == {
        "defaulted"
    }


def test_an_answer_that_never_left_ends_with_the_time_to_answer_not_with_itself(on_stage: Stage) -> None:
    deadline = timezone.now() + timedelta(hours=1)
    question = on_stage.ask(on_stage.start("app.flows:approval", {}), deadline=deadline)
    left = pending(question, on_stage)
    Question.objects.update(closed_at=deadline)
    Decision.objects.update(created_at=timezone.now() - journal.IN_FLIGHT * 2)
    decisions.resume_pending(older_than=0)
    left.refresh_from_db()
    question.refresh_from_db()
    assert left.error.startswith("The time to answer ended at")
    assert (left.state, question.outcome) == ("failed", "expired")
    assert questions.outcome_of(question).startswith("The time to answer ended at")


def test_what_the_run_refused_is_not_told_as_another_s_answer(on_stage: Stage) -> None:
    question = ask(on_stage, {**MORE, "via": "update", "payload": {"refuse": True}})
    with pytest.raises(Refused, match="the run says no"):
        vote(on_stage.cast.approver, question, form={})
    on_stage.observe(question.run, Wait("inbox", "", 1), topics=("more_time",))  # told after the verdict
    question.refresh_from_db()
    assert questions.outcome_of(question).startswith("The run refused it: the run says no")


def test_whose_vote_could_not_be_sent_votes_again(on_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    question, ann, ben = ask(on_stage, APPROVE, REJECT), voter("ann"), voter("ben")
    vote(ann, question)

    def refuse(decision: Decision, patience: Any = None) -> None:
        raise RPCError("too large", RPCStatusCode.INVALID_ARGUMENT, b"")

    monkeypatch.setattr(wire, "send", refuse)
    with pytest.raises(Refused, match="too large"):
        vote(ben, question)
    monkeypatch.undo()
    made = vote(ben, Question.objects.get())
    assert isinstance(made, Decision)
    assert [each["user"] for each in (made.payload or {})["votes"]] == ["ann", "ben"]


def test_a_quorum_that_was_reached_while_temporal_was_away_is_sent_later(
    on_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = ask(on_stage, APPROVE)
    vote(voter("ann"), question)

    def away(decision: Decision, patience: Any = None) -> None:
        raise Unavailable("Temporal is away.")

    monkeypatch.setattr(wire, "send", away)
    with pytest.raises(Unavailable, match="kept"):
        vote(voter("ben"), question)
    monkeypatch.undo()
    with pytest.raises(Conflict, match="ben already answered"):
        vote(voter("cid"), question)
    assert decisions.resume_pending(older_than=0) == 1
    made = Decision.objects.get()
    assert (made.state, len((made.payload or {})["votes"])) == ("sent", 2)


@pytest.mark.parametrize("round_", range(4))
def test_votes_and_other_answers_at_once_wait_for_each_other_in_one_order(on_stage: Stage, round_: int) -> None:
    question = ask(on_stage, {**APPROVE, "quorum": {"approve": 1, "of": ["approvers"]}}, MORE)
    people = [voter(f"p{number}") for number in range(4)]
    found = at_once(*(lambda by=by, i=i: vote(by, question, i % 2, form={}) for i, by in enumerate(people)))
    assert sorted(type(each).__name__ for each in found) == ["Conflict"] * 3 + ["Decision"], found
    assert question.votes.count() <= 1
