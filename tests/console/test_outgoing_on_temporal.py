"""The outbox on a real Temporal: what is sent twice has one effect, and what can't be sent holds up nothing."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from tests.console.operating import CLIENT, Stage
from wippy_console import sdk
from wippy_console.models import Decision, Outgoing, Question, Run, Vote
from wippy_console.services import decisions, histories, outgoing, runs, temporal

pytestmark = pytest.mark.django_db(transaction=True)

State = Outgoing.State
FREE: dict[str, Any] = {"topic": "decision", "label": "Approve"}


def wanted(want: Any) -> Outgoing:
    """The row that it writes, before it is sent."""
    with transaction.atomic():
        want()
        return Outgoing.objects.last()  # type: ignore[return-value]


def sent_again(row: Outgoing) -> Outgoing | None:
    """The row, after whoever sent it died before it went, and it was sent once more; None when it went."""
    assert not Outgoing.objects.filter(key=row.key).exists(), Outgoing.objects.get(key=row.key).problem
    row.save(force_insert=True)
    outgoing.send(row.key)
    return Outgoing.objects.filter(workflow_id=row.workflow_id).first()


def signals(run: Run) -> list[Any]:
    """The signals in the run's history."""
    found = [each for each in histories.newest(run) if each.HasField("workflow_execution_signaled_event_attributes")]
    return [each.workflow_execution_signaled_event_attributes for each in found]


def asked(on_stage: Stage, **options: Any) -> Question:
    """A question on the topic `decision`."""
    question = on_stage.ask(on_stage.start("app.flows:approval", {"wanted": 9}), "decision")
    Question.objects.filter(pk=question.pk).update(signals=[{**FREE, **options}])
    question.refresh_from_db()
    return question


@pytest.mark.parametrize("ended", [False, True])
def test_an_answer_that_was_given_by_this_very_row_counts_as_sent(on_stage: Stage, ended: bool) -> None:
    run = asked(on_stage).run
    row = wanted(lambda: sdk.answer(run.workflow_id, "decision", {"comment": "fine"}))
    if ended:
        decisions.terminate(on_stage.cast.author, run, "enough")
        Run.objects.filter(pk=run.pk).update(status="terminated")
    assert sent_again(row) is None
    assert len(signals(run)) == 1 and Decision.objects.filter(action="signal").count() == 1


def test_an_answer_that_was_recorded_and_not_sent_is_sent_once(on_stage: Stage) -> None:
    run = asked(on_stage).run
    row = wanted(lambda: sdk.answer(run.workflow_id, "decision", {"comment": "fine"}))
    Decision.objects.update(state="pending")
    assert sent_again(row) is None
    assert Decision.objects.get().state == "sent" and len(signals(run)) == 1


def test_an_answer_that_another_gave_is_refused_for_good_and_holds_up_nothing(on_stage: Stage) -> None:
    question = asked(on_stage)
    decisions.send(on_stage.cast.root, question.run, "decision", {"comment": "no"})
    row = wanted(lambda: sdk.answer(question.run.workflow_id, "decision", {"comment": "fine"}))
    row.refresh_from_db()
    assert row.state == State.REFUSED and "root already answered" in row.problem
    sdk.signal(question.run.workflow_id, "after")
    assert [each.signal_name for each in signals(question.run)] == ["decision", "after"]


def test_a_vote_that_was_counted_by_this_very_row_counts_as_sent(on_stage: Stage) -> None:
    quorum = {"approve": 2, "of": ["approvers"]}
    run = asked(on_stage, quorum=quorum).run
    row = wanted(lambda: sdk.answer(run.workflow_id, "decision", user=on_stage.cast.approver))
    assert sent_again(row) is None
    other = User.objects.create_superuser("other")
    row = wanted(lambda: sdk.answer(run.workflow_id, "decision", user=other))
    assert sent_again(row) is None
    assert Vote.objects.count() == 2 and len(signals(run)) == 1


def test_a_start_that_temporal_has_is_no_second_run_also_when_that_has_ended(on_stage: Stage) -> None:
    row = wanted(lambda: sdk.start("app.flows:child", "wait", id=f"order-{uuid.uuid4()}"))
    assert sent_again(row) is None
    decisions.terminate(on_stage.cast.author, Run.objects.get(), "enough")
    Run.objects.update(status="terminated")
    assert sent_again(row) is None
    assert Run.objects.count() == 1


def test_after_a_run_that_has_ended_another_begins(on_stage: Stage) -> None:
    handle = sdk.start("app.flows:child", "wait", id=f"order-{uuid.uuid4()}")
    sdk.start("app.flows:child", "wait", id=handle)
    assert Run.objects.count() == 1  # left to run
    decisions.terminate(on_stage.cast.author, Run.objects.get(), "enough")
    sdk.start("app.flows:child", "wait", id=handle)
    assert Run.objects.count() == 2


def test_a_signal_that_was_sent_by_this_very_row_is_sent_once(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    row = wanted(lambda: sdk.signal(run.workflow_id, "paid"))
    assert sent_again(row) is None
    assert len(signals(run)) == 1


def test_all_payloads_of_a_signal_arrive(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    for payload in ((), (1, {"b": None}), ([1, 2],)):
        sdk.signal(run.workflow_id, "paid", *payload)
    assert [[json.loads(value.data) for value in each.input.payloads] for each in signals(run)] == [
        [],
        [1, {"b": None}],
        [[1, 2]],
    ]


def test_a_signal_to_a_run_that_has_ended_is_refused_for_good_and_holds_up_nothing(on_stage: Stage) -> None:
    handle = sdk.start("app.flows:child", "wait", id=f"order-{uuid.uuid4()}")
    decisions.terminate(on_stage.cast.author, Run.objects.get(), "enough")
    handle.signal("late")
    refused = Outgoing.objects.get()
    assert refused.state == State.REFUSED and "ended" in refused.problem
    sdk.start("app.flows:child", "wait", id=handle)
    handle.signal("paid")
    assert Outgoing.objects.get() == refused
    newest = Run.objects.latest("started_at")
    assert [each.signal_name for each in signals(newest)] == ["paid"]
    outgoing.send_again(Outgoing.objects.all())
    outgoing.tick()
    assert [each.signal_name for each in signals(newest)] == ["paid", "late"] and not Outgoing.objects.exists()


def test_a_signal_goes_to_the_run_that_took_over(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    client = temporal.client(CLIENT)
    request = ResetWorkflowExecutionRequest(
        namespace=client.namespace, workflow_execution=WorkflowExecution(workflow_id=run.workflow_id), reason="again",
        workflow_task_finish_event_id=3, request_id=str(uuid.uuid4()),
    )  # fmt: skip
    temporal.run(client.workflow_service.reset_workflow_execution(request))
    row = wanted(lambda: sdk.signal(run.workflow_id, "paid"))
    assert not Outgoing.objects.exists() and row.key
    newest = runs.newest_of(Run.objects.filter(workflow_id=run.workflow_id))
    assert newest is not None and newest.run_id != run.run_id
    assert [each.signal_name for each in signals(newest)] == ["paid"]


def test_a_result_that_is_late_says_that_the_run_goes_on(on_stage: Stage) -> None:
    handle = sdk.start("app.flows:child", "wait")
    with pytest.raises(sdk.Timeout, match=f"the run of {handle} did not end within 0.2 seconds, and goes on"):
        handle.result(timeout=0.2)
    decisions.terminate(on_stage.cast.author, Run.objects.get(), "enough")
    with pytest.raises(sdk.Error) as failure:
        handle.result()
    assert failure.value.kind == "Canceled"
