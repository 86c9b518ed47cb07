"""Deliveries that start and signal runs, on a real Temporal: one effect each, however often tried and whoever dies."""

from __future__ import annotations

import json
import sys
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from engine.entry import Entry
from tests.console.operating import CLIENT, LUA, Stage, settle
from tests.console.registry_cast import create, update
from tests.console.test_outgoing_on_temporal import signals
from tests.product import until
from wippy_console.models import AuditRow, Decision, Delivery, Run
from wippy_console.services import decisions, runs, temporal
from wippy_console.services.hooks import acting, later, redelivering, routes
from wippy_console.services.hooks.outcomes import Outcome

pytestmark = pytest.mark.django_db(transaction=True)

State = Delivery.State
FLOW = "app.flows:approval"
HOOKS: list[dict[str, Any]] = [
    {"path": "/orders", "starts": True, "auth": "none", "workflow_id": "$.order.id", "payload": "$.order"},
    {"path": "/loose", "starts": True, "auth": "none"},
    {"path": "/paid", "signal": "paid", "key": "$.order_id", "search": "$.id", "auth": "none"},
    {"path": "/late", "signal": "paid", "key": "$.order_id", "search": "$.id", "auth": "none", "wait": "1h"},
    {"path": "/decided", "signal": "decision", "key": "$.id", "auth": "none", "payload": "$.answer"},
]
SIGNALS = [{"topic": "decision", "label": "Yes", "schema": {"type": "object", "required": ["comment"]}}]


@pytest.fixture
def number() -> int:
    """An order of this test alone: Temporal keeps the runs of the others."""
    return uuid.uuid4().int % 10**9


@pytest.fixture(autouse=True)
def hooks(on_stage: Stage) -> None:
    """The workflow says which requests start and signal it."""
    publish()


def publish(**changed: Any) -> None:
    """The workflow as it is from now on."""
    meta = {"webhooks": HOOKS, "search": ["id"], "signals": SIGNALS, **changed}
    update(Entry(FLOW, "workflow.lua", meta=meta, data={"source": LUA}))
    temporal.reset()  # so that this process looks at once


def received(path: str, body: Any) -> Delivery:
    """The row that the door writes."""
    text = json.dumps(body).encode()
    route = routes.named(f"POST /hooks{path}")
    assert route is not None
    return Delivery.objects.create(
        endpoint=route.endpoint, route=route.name, namespace=route.namespace, act=route.act, method="POST", body=text,
        path=f"/hooks{path}", size=len(text),
    )  # fmt: skip


def tried(delivery: Delivery) -> Outcome:
    """What its sender is told."""
    route = routes.named(delivery.route)
    assert route is not None
    return acting.act(delivery, route, json.loads(bytes(delivery.body)))


def sent(path: str, body: Any) -> tuple[Delivery, Outcome]:
    delivery = received(path, body)
    return delivery, tried(delivery)


def die_behind(delivery: Delivery, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what it wants, and die before that is written into its row."""
    with monkeypatch.context() as dying:
        dying.setattr(acting, "_write", lambda *_: sys.exit())
        with pytest.raises(SystemExit):
            tried(delivery)


def make_due(delivery: Delivery) -> None:
    """Its time has come."""
    Delivery.objects.filter(pk=delivery.pk).update(due_at=timezone.now() - timedelta(seconds=1))


def ticked(delivery: Delivery) -> Delivery:
    """The row, after the worker that leads looked."""
    make_due(delivery)
    later.tick()
    delivery.refresh_from_db()
    return delivery


def ordered(number: int) -> Run:
    """A run with that key."""
    _, outcome = sent("/orders", {"order": {"id": number, "wanted": 9}})
    run = Run.objects.get(run_id=outcome.value["run_id"])
    settle(run)
    return run


def test_a_delivery_starts_a_run_that_is_named_by_its_body(on_stage: Stage, number: int) -> None:
    delivery, outcome = sent("/orders", {"order": {"id": number, "lines": []}})
    run = Run.objects.get()
    assert (run.workflow_id, run.input) == (f"approval-{number}", [{"id": number, "lines": []}])
    told = {"delivery": str(delivery.pk), "workflow_id": f"approval-{number}", "run_id": run.run_id}
    assert outcome == Outcome(202, told)
    assert (delivery.state, delivery.status, delivery.workflow_id, delivery.run_id, delivery.due_at) == (
        State.DONE, 202, f"approval-{number}", run.run_id, None,
    )  # fmt: skip
    assert json.loads(bytes(delivery.answer)) == outcome.value


def test_the_audit_names_the_endpoint_and_the_delivery_of_starts_and_signals(on_stage: Stage, number: int) -> None:
    run = ordered(number)
    delivery, _ = sent("/paid", {"order_id": number})
    started, signaled = AuditRow.objects.filter(user="auto:webhook").order_by("id")
    first = Delivery.objects.get(route="POST /hooks/orders")
    assert (started.action, started.label) == ("start", "webhook: POST /hooks/orders")
    assert started.data["delivery"] == str(first.pk) and started.data["endpoint"] == FLOW
    assert (signaled.action, signaled.run_id, signaled.decision_id) == ("signal", run.run_id, delivery.pk)
    assert signaled.data["reason"] == f"webhook: POST /hooks/paid, delivery {delivery.pk}"


def test_of_a_run_that_is_open_already_no_second_one_begins(on_stage: Stage, number: int) -> None:
    run = ordered(number)
    delivery, outcome = sent("/orders", {"order": {"id": number}})
    told = {"delivery": str(delivery.pk), "workflow_id": f"approval-{number}", "run_id": run.run_id, "already": True}
    assert outcome == Outcome(200, told) and Run.objects.count() == 1 and delivery.state == State.DONE


@pytest.mark.parametrize("path", ["/orders", "/loose"])
@pytest.mark.parametrize("ended", [False, True])
def test_whoever_dies_between_a_start_and_its_row_leaves_one_run(
    on_stage: Stage, number: int, monkeypatch: pytest.MonkeyPatch, path: str, ended: bool
) -> None:
    delivery = received(path, {"order": {"id": number}})
    die_behind(delivery, monkeypatch)
    run = Run.objects.get()
    if ended:
        decisions.terminate(on_stage.cast.author, run, "enough")
        Run.objects.update(status="terminated", closed_at=timezone.now())
    delivery.refresh_from_db()
    assert delivery.state == State.OPEN and delivery.due_at is not None
    done = ticked(delivery)
    assert (done.state, done.run_id, Run.objects.count()) == (State.DONE, run.run_id, 1)
    assert AuditRow.objects.filter(action="start").count() == 1


@pytest.mark.parametrize("ended", [False, True])
def test_a_start_has_one_run_though_another_delivery_had_the_same_id_since(
    on_stage: Stage, number: int, monkeypatch: pytest.MonkeyPatch, ended: bool
) -> None:
    delivery = received("/orders", {"order": {"id": number}})
    die_behind(delivery, monkeypatch)
    run = Run.objects.get()
    end(on_stage, run)
    _, outcome = sent("/orders", {"order": {"id": number}})
    other = Run.objects.get(run_id=outcome.value["run_id"])
    assert other.pk != run.pk
    if ended:
        end(on_stage, other)
    done = ticked(delivery)
    assert (done.state, done.run_id, Run.objects.count()) == (State.DONE, run.run_id, 2)
    assert AuditRow.objects.filter(action="start").count() == 2


def end(on_stage: Stage, run: Run) -> None:
    """It is over, and listed by Temporal."""
    decisions.terminate(on_stage.cast.author, run, "enough")
    Run.objects.filter(pk=run.pk).update(status="terminated", closed_at=timezone.now())
    client, query = temporal.client(CLIENT), f"WorkflowId = '{run.workflow_id}' AND ExecutionStatus = 'Terminated'"

    async def listed() -> bool:
        return run.run_id in [each.run_id async for each in client.list_workflows(query)]

    until(lambda: temporal.run(listed()), "Temporal lists the run as ended")


def test_a_start_stays_the_same_start_when_its_webhook_is_changed_between_two_tries(
    on_stage: Stage, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = received("/orders", {"order": {"id": number}})
    die_behind(delivery, monkeypatch)
    decisions.terminate(on_stage.cast.author, Run.objects.get(), "enough")
    Run.objects.update(status="terminated", closed_at=timezone.now())
    publish(webhooks=[{**HOOKS[0], "payload": "$", "workflow_id": "$.other"}])
    assert ticked(delivery).state == State.DONE and Run.objects.count() == 1


@pytest.mark.parametrize("step", ["before it is noted", "before its row"])
def test_whoever_dies_between_a_signal_and_its_row_leaves_one_signal(
    on_stage: Stage, number: int, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    run = ordered(number)
    delivery = received("/paid", {"order_id": number, "amount": 3})
    die_behind(delivery, monkeypatch)
    if step == "before it is noted":
        Decision.objects.update(state="pending", event_id=None)
    done = ticked(delivery)
    assert (done.state, done.run_id) == (State.DONE, run.run_id)
    assert [json.loads(each.input.payloads[0].data) for each in signals(run)] == [{"order_id": number, "amount": 3}]


def test_a_signal_that_was_sent_is_done_though_its_run_has_ended_since(
    on_stage: Stage, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ordered(number)
    delivery = received("/paid", {"order_id": number})
    die_behind(delivery, monkeypatch)
    Run.objects.update(status="completed", closed_at=timezone.now())
    assert ticked(delivery).state == State.DONE and len(signals(run)) == 1


def test_a_signal_finds_its_run_by_the_key_of_the_entry_exactly(on_stage: Stage, number: int) -> None:
    ordered(number * 10)
    run = ordered(number)
    _, outcome = sent("/paid", {"order_id": str(number)})
    assert outcome.value["run_id"] == run.run_id and len(signals(run)) == 1


@pytest.mark.parametrize("key", [None, "", True, [7], {"id": 7}, "x" * 201, "a\nb"])
def test_what_names_no_run_is_refused(on_stage: Stage, key: Any) -> None:
    delivery, outcome = sent("/paid", {"order_id": key})
    assert outcome.status == 422 and delivery.state == State.FAILED
    assert "What stands at $.order_id names no run" in outcome.value["detail"]


def test_a_signal_that_no_run_waits_for_is_listed(on_stage: Stage, number: int) -> None:
    delivery, outcome = sent("/paid", {"order_id": number})
    assert (outcome.status, delivery.state) == (404, State.FAILED)
    assert outcome.value["detail"] == delivery.problem == f"No open run of {FLOW} has id={number}."


def test_a_run_whose_keys_are_not_known_yet_may_be_the_one(on_stage: Stage, number: int) -> None:
    run = ordered(number)
    keys = run.keys
    Run.objects.update(keys=None)
    delivery, outcome = sent("/paid", {"order_id": number})
    late, _ = sent("/paid", {"order_id": number})
    assert (outcome.status, delivery.state) == (202, State.WAITING) and not signals(run)
    Delivery.objects.filter(pk=late.pk).update(received_at=timezone.now() - timedelta(minutes=1))
    assert ticked(late).state == State.FAILED and late.status == 404
    Run.objects.update(keys=keys)
    assert ticked(delivery).state == State.DONE and len(signals(run)) == 1


def test_a_signal_for_two_runs_goes_to_neither(on_stage: Stage, number: int) -> None:
    first = ordered(number)
    _, outcome = sent("/loose", {"id": number})
    second = Run.objects.get(run_id=outcome.value["run_id"])
    delivery, outcome = sent("/paid", {"order_id": number})
    assert (outcome.status, delivery.state) == (409, State.FAILED)
    assert delivery.problem == f"2 open runs of {FLOW} have id={number}."
    assert not signals(first) and not signals(second)


def test_a_signal_waits_for_its_run(on_stage: Stage, number: int) -> None:
    delivery, outcome = sent("/late", {"order_id": number})
    assert outcome == Outcome(202, {"delivery": str(delivery.pk), "state": "waiting"})
    assert delivery.state == State.WAITING and delivery.due_at is not None
    assert delivery.expires_at == delivery.received_at + timedelta(hours=1)
    Delivery.objects.update(due_at=timezone.now() + timedelta(minutes=9))
    run = ordered(number)
    later.tick()  # a run of the entry has just begun: nothing waits for its turn
    delivery.refresh_from_db()
    assert (delivery.state, delivery.run_id) == (State.DONE, run.run_id)
    assert json.loads(bytes(delivery.answer))["run_id"] == run.run_id and len(signals(run)) == 1


def test_a_signal_that_waited_too_long_has_failed(on_stage: Stage, number: int) -> None:
    delivery, _ = sent("/late", {"order_id": number})
    Delivery.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert ticked(delivery).state == State.FAILED
    ordered(number)
    assert ticked(delivery).state == State.FAILED
    assert not Decision.objects.filter(action="signal").exists()


def test_a_signal_goes_to_the_run_that_took_over(on_stage: Stage, number: int) -> None:
    run = ordered(number)
    client = temporal.client(CLIENT)
    request = ResetWorkflowExecutionRequest(
        namespace=client.namespace, workflow_execution=WorkflowExecution(workflow_id=run.workflow_id), reason="again",
        workflow_task_finish_event_id=3, request_id=str(uuid.uuid4()),
    )  # fmt: skip
    temporal.run(client.workflow_service.reset_workflow_execution(request))
    delivery, outcome = sent("/paid", {"order_id": number})
    newest = runs.newest_of(Run.objects.filter(workflow_id=run.workflow_id))
    assert newest is not None and newest.run_id != run.run_id
    assert (outcome.status, delivery.run_id, len(signals(newest))) == (202, newest.run_id, 1)


def test_a_signal_to_a_run_that_has_ended_unnoticed_waits_for_another(on_stage: Stage, number: int) -> None:
    run = ordered(number)
    decisions.terminate(on_stage.cast.author, run, "enough")
    Run.objects.update(status="running", closed_at=None)  # the news is on its way
    delivery, _ = sent("/late", {"order_id": number})
    assert delivery.state == State.WAITING and "has ended" in delivery.problem
    Run.objects.update(status="terminated", closed_at=timezone.now())
    newest = ordered(number)
    assert newest.run_id != run.run_id
    done = ticked(delivery)
    assert (done.state, done.run_id, len(signals(newest))) == (State.DONE, newest.run_id, 1)


def test_the_schema_of_a_declared_signal_holds(on_stage: Stage, number: int) -> None:
    run = ordered(number)
    delivery, outcome = sent("/decided", {"id": number, "answer": {}})
    assert (outcome.status, delivery.state) == (422, State.FAILED)
    assert "comment: This field is required." in delivery.problem
    _, outcome = sent("/decided", {"id": number, "answer": {"comment": "fine"}})
    assert outcome.status == 202 and [each.signal_name for each in signals(run)] == ["decision"]


def test_while_temporal_is_away_deliveries_wait(on_stage: Stage, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run = ordered(number)
    with monkeypatch.context() as away:
        away.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
        update(Entry(CLIENT, "temporal.client", data={"address": "127.0.0.1:1"}))
        temporal.reset()
        start, told = sent("/orders", {"order": {"id": number + 1}})
        signal, also = sent("/paid", {"order_id": number})
        assert told.status == also.status == 202 and told.value["state"] == "waiting"
        assert start.state == signal.state == State.WAITING
        make_due(start)
        make_due(signal)
        later.tick()
    update(Entry(CLIENT, "temporal.client", data={"address": on_stage.address}))
    temporal.reset()
    assert ticked(start).state == State.DONE and ticked(signal).state == State.DONE
    assert Run.objects.count() == 2 and len(signals(run)) == 1


def test_a_temporal_that_is_away_holds_up_none_of_what_goes_to_another(on_stage: Stage, number: int) -> None:
    create(
        Entry("far:client", "temporal.client", data={"address": "127.0.0.1:1"}),
        Entry("far:worker", "temporal.worker", data={"client": "far:client", "task_queue": "far"}),
        Entry("far:flow", "workflow.lua", meta={"webhooks": [{**HOOKS[1], "path": "/far"}]}, data={"source": LUA}),
    )
    temporal.reset()
    far, near = [received("/far", {}) for _ in range(3)], received("/loose", {})
    for each in (*far, near):
        make_due(each)
    later.tick()
    assert [Delivery.objects.get(pk=each.pk).tries for each in far] == [1, 0, 0]
    near.refresh_from_db()
    assert near.state == State.DONE


def test_a_webhook_that_is_gone_does_nothing(on_stage: Stage, number: int) -> None:
    delivery, _ = sent("/late", {"order_id": number})
    publish(webhooks=[])
    assert ticked(delivery).state == State.FAILED
    assert delivery.problem == f"{FLOW} has no webhook POST /hooks/late any more."


def test_a_start_that_its_entry_refuses_is_refused_for_good(on_stage: Stage) -> None:
    schema = {"type": "object", "properties": {"wanted": {"type": "integer"}}}
    publish(webhooks=HOOKS[1:2], input_schema=schema)
    delivery, outcome = sent("/loose", {"wanted": "much"})
    assert (outcome.status, delivery.state, delivery.due_at) == (422, State.FAILED, None)
    assert "wanted: Must be of type integer." in delivery.problem and not Run.objects.exists()


def test_delivered_again_it_is_another_delivery_once(on_stage: Stage, number: int) -> None:
    delivery, _ = sent("/paid", {"order_id": number})
    assert delivery.state == State.FAILED
    run, key, author = ordered(number), uuid.uuid4(), on_stage.cast.author
    again = redelivering.redeliver(author, delivery, key)
    assert (again.state, again.run_id, again.again_of, again.by) == (State.DONE, run.run_id, delivery, author)
    assert redelivering.redeliver(author, delivery, key) == again and len(signals(run)) == 1
    noted = AuditRow.objects.get(action="resend")
    assert (noted.user, noted.label) == ("author", "webhook: POST /hooks/paid")
    assert noted.data == {"delivery": str(again.pk), "again_of": str(delivery.pk)}
    other = redelivering.redeliver(author, delivery, uuid.uuid4())
    assert other != again and len(signals(run)) == 2


def test_whoever_dies_while_it_is_delivered_again_leaves_it_to_the_worker_that_leads(
    on_stage: Stage, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery, _ = sent("/orders", {"order": {"id": number}})
    decisions.terminate(on_stage.cast.author, Run.objects.get(), "enough")
    Run.objects.update(status="terminated", closed_at=timezone.now())
    key = uuid.uuid4()
    with monkeypatch.context() as dying:
        dying.setattr(redelivering, "_do", lambda *_: sys.exit())
        with pytest.raises(SystemExit):
            redelivering.redeliver(on_stage.cast.operator, delivery, key)
    again = redelivering.redeliver(on_stage.cast.operator, delivery, key)
    assert again.state == State.OPEN
    assert ticked(again).state == State.DONE and Run.objects.count() == 2


def test_the_schema_of_the_webhook_holds_for_what_is_delivered_again(on_stage: Stage, number: int) -> None:
    delivery, _ = sent("/paid", {"order_id": number})
    publish(webhooks=[{**HOOKS[2], "schema": {"type": "object", "required": ["amount"]}}])
    again = redelivering.redeliver(on_stage.cast.author, delivery, uuid.uuid4())
    assert (again.state, again.status) == (State.FAILED, 422)
    assert again.problem == "The body is not what the webhook asks for. amount: This field is required."
