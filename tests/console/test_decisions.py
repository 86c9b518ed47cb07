"""Decisions: one answer, one effect, audited; on a real Temporal."""

from __future__ import annotations

import json
import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone
from temporalio.api.history.v1 import WorkflowExecutionSignaledEventAttributes as Signaled

from engine.entry import Entry
from engine.hosts.temporal.wire import headers
from engine.steps import Wait
from tests.console.operating import CLIENT, Stage, settle, soon
from wippy_console.management.operations import operator
from wippy_console.models import Decision, FeedEvent, Question, Run
from wippy_console.services import decisions, histories, projection, registry, temporal
from wippy_console.services.decisions import wire
from wippy_console.services.errors import Conflict, NotFoundError, Refused, Unavailable
from wippy_console.services.projection import Began, Ended, Ref
from wippy_console.services.registry import Changes

pytestmark = pytest.mark.django_db(transaction=True)

FORM = {"comment": "fine"}


def signals(run: Run) -> list[Signaled]:
    """The signals in the run's history, straight from Temporal."""
    settle(run)
    found = [event for event in histories.newest(run) if event.HasField("workflow_execution_signaled_event_attributes")]
    return [event.workflow_execution_signaled_event_attributes for event in found]


def approve(by: User, run: Run, question: Question | None = None, **changes: Any) -> Decision:
    options: dict[str, Any] = {"reason": "in budget", "question_id": question.pk if question else None, **changes}
    made = decisions.decide(by, run, 0, options.pop("form", FORM), **options)
    assert isinstance(made, Decision)
    return made


def test_an_answer_becomes_one_signal_that_names_who_and_why(on_stage: Stage) -> None:
    run = on_stage.start()
    question = on_stage.ask(run)
    made = approve(on_stage.cast.approver, run, question)
    assert (made.state, made.user, made.reason) == ("sent", on_stage.cast.approver, "in budget")
    assert made.payload == {"approved": True, "comment": "fine"}
    (signal,) = signals(run)
    assert (signal.signal_name, signal.identity, signal.request_id) == ("decision", "user:approver", str(made.pk))
    assert headers.text(signal.header.fields, headers.DECISION) == str(made.pk)
    assert headers.text(signal.header.fields, headers.SENDER) == "{console|user:approver}"


def test_an_answer_links_to_the_event_that_it_became(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 2})
    on_stage.ask(run)
    made = approve(on_stage.cast.approver, run)
    (event,) = [event for event in histories.newest(run) if event.event_id == made.event_id]
    assert event.workflow_execution_signaled_event_attributes.request_id == str(made.pk)


def test_the_feed_tells_of_the_answer_once(on_stage: Stage) -> None:
    run = on_stage.start()
    on_stage.ask(run)
    made = approve(on_stage.cast.approver, run)
    decisions.resume(made)
    (row,) = FeedEvent.objects.filter(kind="DECISION")
    assert row.run_id == run.run_id
    assert row.data["user"] == "approver" and row.data["decision"] == str(made.pk)
    assert row.data["payload"] == {"approved": True, "comment": "fine"}


def test_a_double_click_is_one_decision_and_one_signal(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 2})
    question, key = on_stage.ask(run), uuid.uuid4()
    first = approve(on_stage.cast.approver, run, question, key=key)
    second = approve(on_stage.cast.approver, run, question, key=str(key), form={"comment": "changed my mind"})
    assert first.pk == second.pk == key
    assert second.payload == {"approved": True, "comment": "fine"}
    assert len(signals(run)) == 1


def together(*acts: Any) -> list[Any]:
    """Run the acts at the same moment on threads; what each returned or raised."""
    gate = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def go(index: int) -> None:
        gate.wait()
        try:
            results[index] = acts[index]()
        except Exception as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=[index]) for index in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_two_people_at_once_one_wins_and_the_other_learns_who(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    question = on_stage.ask(run)
    users = [on_stage.cast.approver, on_stage.cast.root]
    results = together(*[lambda user=user: approve(user, run, question) for user in users])
    (won,) = [result for result in results if isinstance(result, Decision)]
    (lost,) = [result for result in results if not isinstance(result, Decision)]
    assert isinstance(lost, Conflict) and won.user.username in lost.message
    assert len(signals(run)) == 1


def test_the_same_form_sent_five_times_at_once_is_one_signal(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    question, key = on_stage.ask(run), uuid.uuid4()
    results = together(*[lambda: approve(on_stage.cast.approver, run, question, key=key) for _ in range(5)])
    assert [getattr(result, "pk", result) for result in results] == [key] * 5
    assert len(signals(run)) == 1
    assert FeedEvent.objects.filter(kind="DECISION").count() == 1


def test_a_key_of_another_person_is_refused(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    question, key = on_stage.ask(run), uuid.uuid4()
    approve(on_stage.cast.approver, run, question, key=key)
    with pytest.raises(Conflict):
        approve(on_stage.cast.root, run, question, key=key)


@pytest.mark.parametrize("key", ["", "7", "not a uuid"])
def test_a_damaged_key_is_refused_or_replaced(on_stage: Stage, key: str) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    question = on_stage.ask(run)
    if key:
        with pytest.raises(Refused):
            approve(on_stage.cast.approver, run, question, key=key)
    else:
        assert approve(on_stage.cast.approver, run, question, key=None).state == "sent"


@pytest.mark.parametrize(
    ("form", "reason", "fields"),
    [
        ({}, "why", {"comment"}),
        ({"comment": "x" * 21}, "why", {"comment"}),
        ({"comment": "ok", "amount": "many"}, "why", {"amount"}),
        ({"comment": "ok", "amount": 0}, "why", {"amount"}),
        ({"comment": "ok", "unknown": 1}, "why", {""}),
        ({"comment": "ok"}, "  ", {"reason"}),
        ({}, "", {"comment", "reason"}),
    ],
)
def test_bad_input_names_its_fields_and_adds_nothing(
    on_stage: Stage, form: dict[str, Any], reason: str, fields: set[str]
) -> None:
    run = on_stage.start()
    on_stage.ask(run)
    with pytest.raises(Refused) as refusal:
        approve(on_stage.cast.approver, run, form=form, reason=reason)
    assert (refusal.value.status, set(refusal.value.fields)) == (422, fields)
    assert signals(run) == []
    assert not Decision.objects.exists() and not FeedEvent.objects.filter(kind="DECISION").exists()


def test_declared_constants_win_over_the_form(on_stage: Stage) -> None:
    run = on_stage.start()
    on_stage.ask(run)
    made = approve(on_stage.cast.approver, run, form={"comment": "ok", "approved": False})
    assert made.payload == {"comment": "ok", "approved": True}


def test_a_reason_that_is_not_asked_for_is_not_kept(on_stage: Stage) -> None:
    run = on_stage.start()
    on_stage.ask(run)
    made = decisions.decide(on_stage.cast.operator, run, 1, {}, reason="because")
    assert (made.reason, made.payload) == ("", {"approved": False})


def test_an_oversized_answer_is_refused_with_size_and_limit(on_stage: Stage) -> None:
    run = on_stage.start()
    on_stage.ask(run)
    with pytest.raises(Refused, match=r"2,\d{3},\d{3} bytes, the limit is 2,064,384"):
        decisions.decide(on_stage.cast.operator, run, 2, {"text": "x" * 2_100_000})
    assert not Decision.objects.exists()


@pytest.mark.parametrize("who", ["viewer", "stranger"])
def test_who_may_only_look_can_not_answer(on_stage: Stage, who: str) -> None:
    run = on_stage.start()
    on_stage.ask(run)
    user = getattr(on_stage.cast, who)
    with pytest.raises(PermissionDenied):
        decisions.decide(user, run, 1, {})
    assert all(not button.enabled for button in decisions.buttons(user, run))
    assert signals(run) == []


def test_a_role_narrows_further(on_stage: Stage) -> None:
    run = on_stage.start()
    on_stage.ask(run)
    with pytest.raises(PermissionDenied, match="approvers"):
        approve(on_stage.cast.author, run)
    approve_button, reject_button, _ = decisions.buttons(on_stage.cast.author, run)
    assert not approve_button.enabled and "approvers" in approve_button.why_not
    assert reject_button.enabled


def test_superusers_are_in_every_role(on_stage: Stage) -> None:
    run = on_stage.start()
    on_stage.ask(run)
    assert approve(on_stage.cast.root, run).state == "sent"


def test_buttons_are_as_declared_and_wait_for_the_question(on_stage: Stage) -> None:
    run = on_stage.start()
    before = decisions.buttons(on_stage.cast.approver, run)
    assert [(button.signal.label, button.enabled) for button in before] == [
        ("Approve", False),
        ("Reject", False),
        ("Comment", False),
    ]
    assert "does not wait" in before[0].why_not
    question = on_stage.ask(run)
    after = decisions.buttons(on_stage.cast.approver, run)
    assert all(button.enabled and button.question == question for button in after)
    assert (after[0].signal.tone, after[0].signal.reason, after[0].signal.roles) == (
        "positive",
        "required",
        ("approvers",),
    )


def test_a_listened_topic_is_answered_before_the_inbox(on_stage: Stage) -> None:
    run = on_stage.start()
    on_stage.observe(run, Wait("inbox", "", 0), Wait("topic", "decision", 0))
    by_label = {button.signal.label: button.question for button in decisions.buttons(on_stage.cast.approver, run)}
    assert by_label["Approve"] and by_label["Approve"].channel == "decision"
    assert by_label["Comment"] and by_label["Comment"].channel == ""


def test_a_late_click_learns_when_the_time_ended(on_stage: Stage) -> None:
    run = on_stage.start()
    question = on_stage.ask(run, deadline=soon(-1))
    with pytest.raises(Conflict, match="ended at 20"):
        approve(on_stage.cast.approver, run, question)
    assert "ended at 20" in decisions.buttons(on_stage.cast.approver, run)[0].why_not
    assert signals(run) == []


def test_before_the_deadline_the_answer_counts(on_stage: Stage) -> None:
    run = on_stage.start()
    question = on_stage.ask(run, deadline=soon())
    assert approve(on_stage.cast.approver, run, question).state == "sent"


def test_an_answered_question_names_its_winner(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    question = on_stage.ask(run)
    approve(on_stage.cast.approver, run, question)
    with pytest.raises(Conflict, match="approver already answered: Approve"):
        decisions.decide(on_stage.cast.operator, run, 1, {}, question_id=question.pk)


def test_each_wait_is_a_question_of_its_own(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    first = on_stage.ask(run, number=0)
    approve(on_stage.cast.approver, run, first)
    second = on_stage.ask(run, number=1)
    assert approve(on_stage.cast.approver, run, second).state == "sent"
    assert len(signals(run)) == 2
    with pytest.raises(Conflict):
        approve(on_stage.cast.approver, run, first)


def test_a_question_for_another_topic_is_not_answered(on_stage: Stage) -> None:
    run = on_stage.start()
    question = on_stage.ask(run, channel="comment")
    with pytest.raises(Conflict, match="does not wait for 'decision'"):
        approve(on_stage.cast.approver, run, question)


def test_a_question_of_the_inbox_is_not_answered_on_a_topic_that_is_listened_to_by_now(on_stage: Stage) -> None:
    """The listener would take the message, and the question would stay open with an answer."""
    run = on_stage.start()
    question = on_stage.ask(run)
    on_stage.observe(run, Wait("inbox", "", 0), Wait("topic", "decision", 0))
    with pytest.raises(Conflict, match="does not wait for 'decision'"):
        approve(on_stage.cast.approver, run, question)
    assert not Decision.objects.exists()


def test_a_run_that_ended_is_not_answered(on_stage: Stage) -> None:
    run = on_stage.start()
    question = on_stage.ask(run)
    began = Began(Ref(run.client, run.workflow_id, run.run_id), run.entry_id, run.started_at)
    projection.write(temporal.catalog(), [Ended(began, "completed", timezone.now(), 9)])
    with pytest.raises(Conflict, match="completed without an answer"):
        approve(on_stage.cast.approver, run, question)


def test_a_run_that_ended_unseen_fails_the_decision_and_says_so(on_stage: Stage) -> None:
    """The projection is behind: Temporal has the last word."""
    run = on_stage.start("app.flows:approval", {"wanted": 0})
    question = on_stage.ask(run)
    while not any(event.HasField("workflow_execution_completed_event_attributes") for event in histories.newest(run)):
        pass
    with pytest.raises(Conflict, match="ended already"):
        approve(on_stage.cast.approver, run, question)
    (made,) = Decision.objects.all()
    assert made.state == "failed" and "ended already" in made.error
    assert not FeedEvent.objects.filter(kind="DECISION").exists()


@pytest.mark.parametrize("index", [3, 99, -1])
def test_an_unknown_button_is_not_found(on_stage: Stage, index: int) -> None:
    run = on_stage.start()
    with pytest.raises(NotFoundError):
        decisions.decide(on_stage.cast.root, run, index, {})


def test_an_unknown_question_is_not_found(on_stage: Stage) -> None:
    run = on_stage.start()
    with pytest.raises(NotFoundError):
        decisions.decide(on_stage.cast.root, run, 1, {}, question_id=4711)


# -- crashes ---------------------------------------------------------------------------------------


def pending(on_stage: Stage, run: Run, question: Question | None = None) -> Decision:
    """A decision as a crash leaves it: recorded, and nobody knows whether it was sent."""
    return Decision.objects.create(
        run=run, user=on_stage.cast.operator, question=question, topic="decision", label="Reject", payload={}
    )


def test_a_crash_before_sending_is_made_good(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    left = pending(on_stage, run, on_stage.ask(run))
    assert decisions.resume_pending(older_than=0) == 1
    left.refresh_from_db()
    assert left.state == "sent" and left.event_id
    assert len(signals(run)) == 1
    assert FeedEvent.objects.filter(kind="DECISION").count() == 1


def test_a_crash_after_sending_adds_no_second_signal(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    left = pending(on_stage, run, on_stage.ask(run))
    wire.send(left)
    assert decisions.resume(left).state == "sent"
    assert len(signals(run)) == 1


def test_sending_twice_has_one_effect(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    left = pending(on_stage, run)
    wire.send(left)
    wire.send(left)
    assert len(signals(run)) == 1


def test_a_crash_after_sending_is_made_good_though_the_run_has_ended(on_stage: Stage) -> None:
    run = on_stage.start()
    left = pending(on_stage, run, on_stage.ask(run))
    wire.send(left)
    while not any(event.HasField("workflow_execution_completed_event_attributes") for event in histories.newest(run)):
        pass
    assert decisions.resume(left).state == "sent"


def test_an_answer_that_comes_too_late_is_not_sent_after_a_crash(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    question = on_stage.ask(run, deadline=soon(-1))
    left = pending(on_stage, run, question)
    Decision.objects.filter(pk=left.pk).update(created_at=timezone.now() - timedelta(minutes=1))
    assert decisions.resume_pending(older_than=10) == 1
    left.refresh_from_db()
    assert left.state == "failed" and "ended at" in left.error
    assert signals(run) == []


def test_without_temporal_the_answer_is_kept_and_sent_later(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    question, key = on_stage.ask(run), uuid.uuid4()
    away = Entry(CLIENT, "temporal.client", data={"address": "127.0.0.1:1", "connection_timeout": 300})
    registry.publish(operator(), Changes(update=(away,)), base=None, message="away")
    temporal.reset()
    with pytest.raises(Unavailable, match="kept"):
        approve(on_stage.cast.approver, run, question, key=key)
    assert Decision.objects.get().state == "pending"
    back = Entry(CLIENT, "temporal.client", data={"address": on_stage.address})
    registry.publish(operator(), Changes(update=(back,)), base=None, message="back")
    temporal.reset()
    assert approve(on_stage.cast.approver, run, question, key=key).state == "sent"
    assert len(signals(run)) == 1


# -- raw signals, cancel, terminate ----------------------------------------------------------------


def test_authors_send_any_signal(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    made = decisions.send_raw(on_stage.cast.author, run, "anything", [1, {"a": None}], reason="debugging")
    assert (made.state, made.label, made.payload) == ("sent", "", [1, {"a": None}])
    assert signals(run)[0].signal_name == "anything"
    assert FeedEvent.objects.get(kind="SIGNAL").data["topic"] == "anything"


@pytest.mark.parametrize("values", [(), (1, {"a": None}), ([1, 2],)])
def test_a_raw_signal_has_as_many_payloads_as_it_is_given(on_stage: Stage, values: tuple[Any, ...]) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    made = decisions.send_raw(on_stage.cast.author, run, "anything", *values)
    assert Decision.objects.get(pk=made.pk).values == values
    assert [json.loads(each.data) for each in signals(run)[0].input.payloads] == list(values)


def test_an_answer_is_one_value(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    with pytest.raises(Refused, match="one value") as refusal:
        decisions.send(on_stage.cast.operator, run, "decision", {"approved": True}, "more")
    assert "payload" in refusal.value.fields and signals(run) == []


@pytest.mark.parametrize("who", ["viewer", "operator", "stranger"])
def test_others_send_no_raw_signals(on_stage: Stage, who: str) -> None:
    run = on_stage.start()
    with pytest.raises(PermissionDenied):
        decisions.send_raw(getattr(on_stage.cast, who), run, "anything", 1)
    assert signals(run) == []


@pytest.mark.parametrize("topic", ["", " ", "x" * 501, "__temporal_workflow_metadata"])
def test_a_bad_topic_is_refused(on_stage: Stage, topic: str) -> None:
    run = on_stage.start()
    with pytest.raises(Refused) as refusal:
        decisions.send_raw(on_stage.cast.author, run, topic, 1)
    assert "topic" in refusal.value.fields


def test_a_cancel_is_audited_and_names_the_user(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:child", "wait")
    made = decisions.cancel(on_stage.cast.operator, run, "not needed")
    assert (made.action, made.state, made.reason) == ("cancel", "sent", "not needed")
    (event,) = [event for event in histories.newest(run) if event.event_id == made.event_id]
    attrs = event.workflow_execution_cancel_requested_event_attributes
    assert (attrs.identity, attrs.cause) == ("user:operator", "not needed")
    assert FeedEvent.objects.get(kind="CANCEL").data["user"] == "operator"


def test_a_terminate_wants_a_reason_and_names_the_user(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:child", "wait")
    with pytest.raises(Refused) as refusal:
        decisions.terminate(on_stage.cast.author, run, " ")
    assert "reason" in refusal.value.fields
    made = decisions.terminate(on_stage.cast.author, run, "runs wild")
    (event,) = [event for event in histories.newest(run) if event.event_id == made.event_id]
    attrs = event.workflow_execution_terminated_event_attributes
    assert (attrs.identity, attrs.reason) == ("user:author", "runs wild")
    assert FeedEvent.objects.get(kind="TERMINATE").data["reason"] == "runs wild"


@pytest.mark.parametrize("who", ["viewer", "stranger"])
def test_who_may_only_look_can_not_cancel(on_stage: Stage, who: str) -> None:
    run = on_stage.start("app.flows:child", "wait")
    with pytest.raises(PermissionDenied):
        decisions.cancel(getattr(on_stage.cast, who), run)


@pytest.mark.parametrize("who", ["viewer", "operator", "stranger"])
def test_only_authors_terminate(on_stage: Stage, who: str) -> None:
    run = on_stage.start("app.flows:child", "wait")
    with pytest.raises(PermissionDenied):
        decisions.terminate(getattr(on_stage.cast, who), run, "why not")


def test_the_audit_lists_everything_newest_first(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    on_stage.ask(run)
    decisions.decide(on_stage.cast.operator, run, 1, {})
    decisions.send_raw(on_stage.cast.author, run, "note", "hi")
    decisions.terminate(on_stage.cast.author, run, "enough")
    assert [(item.action, item.user.username) for item in decisions.audit(run)] == [
        ("terminate", "author"),
        ("signal", "author"),
        ("signal", "operator"),
    ]


def test_a_second_cancel_is_a_conflict_that_says_so(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:deaf")
    decisions.cancel(on_stage.cast.operator, run, "first")
    with pytest.raises(Conflict, match="already"):
        decisions.cancel(on_stage.cast.author, run, "second")
    assert [item.state for item in decisions.audit(run)] == ["failed", "sent"]


def test_a_signal_that_temporal_set_aside_gets_its_event_later(on_stage: Stage) -> None:
    """While a workflow task runs, Temporal keeps a signal back and gives it no event yet."""
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    made = decisions.send_raw(on_stage.cast.author, run, "note", 1)
    Decision.objects.filter(pk=made.pk).update(event_id=None)
    decisions.resume_pending()
    made.refresh_from_db()
    assert made.event_id is not None
    assert FeedEvent.objects.filter(kind="SIGNAL").count() == 1


def test_a_pending_decision_on_a_run_that_is_gone_fails_and_holds_up_no_other(on_stage: Stage) -> None:
    gone = Run.objects.create(
        run_id=str(uuid.uuid4()), workflow_id="gone", entry_id="e", client=CLIENT, started_at=timezone.now()
    )
    lost = pending(on_stage, gone)
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    left = pending(on_stage, run)
    assert decisions.resume_pending(older_than=0) == 2
    lost.refresh_from_db()
    left.refresh_from_db()
    assert (lost.state, left.state) == ("failed", "sent")


def test_an_answer_by_a_topic_goes_to_nothing_but_the_question_that_asks_for_it(on_stage: Stage) -> None:
    run, by = on_stage.start(), on_stage.cast.root
    with pytest.raises(NotFoundError, match="asks for no answer by decision now"):
        decisions.answer_by_topic(by, run, "decision", {"comment": "early"}, reason="why", label="Approve")
    question, key = on_stage.ask(run, "decision"), uuid.uuid4()
    with pytest.raises(NotFoundError, match=r"no answer by decisoin now\. It asks for decision"):
        decisions.answer_by_topic(by, run, "decisoin", {"comment": "a typo"})
    given = decisions.answer_by_topic(by, run, "decision", {"comment": "fine"}, reason="why", label="Approve", key=key)
    assert isinstance(given, Decision) and given.question == question
    assert (
        decisions.answer_by_topic(by, run, "decision", {"comment": "fine"}, reason="why", label="Approve", key=key)
        == given
    )
    with pytest.raises(Conflict, match="root"):
        decisions.answer_by_topic(by, run, "decision", {"comment": "again"}, reason="why", label="Approve")
    assert run.decisions.count() == 1
