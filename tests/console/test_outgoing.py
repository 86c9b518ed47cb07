"""What Django code starts and signals: sent after the commit alone, once, and never lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import connections, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from engine.errors import UnitFailed, invalid
from wippy_console import sdk
from wippy_console.models import Outgoing
from wippy_console.models.masks import MASK
from wippy_console.services import decisions, outgoing, runs
from wippy_console.services.errors import Conflict, NotFoundError, Refused, Unavailable

pytestmark = pytest.mark.django_db(transaction=True)

State = Outgoing.State


class Temporal:
    """Takes starts as `services.runs` does, and notes them."""

    def __init__(self) -> None:
        self.started: list[tuple[Any, ...]] = []
        self.refuses: Exception | None = None

    def start(self, user: User, entry: str, worker: str, args: list[Any], workflow_id: str, *, key: object) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.started.append((user.get_username(), entry, args, workflow_id, key))


@pytest.fixture
def temporal(monkeypatch: pytest.MonkeyPatch) -> Temporal:
    made = Temporal()
    monkeypatch.setattr(runs, "start", made.start)
    return made


def make_due() -> None:
    past = timezone.now() - timedelta(minutes=1)
    Outgoing.objects.update(due_at=past, created_at=past)


def test_nothing_is_sent_before_the_commit(temporal: Temporal) -> None:
    with transaction.atomic():
        sdk.start("shop:fulfil", {"id": 1}, id="order-1")
        assert not temporal.started and Outgoing.objects.count() == 1
    assert [each[:4] for each in temporal.started] == [("auto:code", "shop:fulfil", [{"id": 1}], "order-1")]
    assert not Outgoing.objects.exists()


def test_what_is_rolled_back_is_never_sent(temporal: Temporal) -> None:
    with transaction.atomic():
        sdk.start("shop:fulfil")
        transaction.set_rollback(True)
    outgoing.tick()
    assert not temporal.started and not Outgoing.objects.exists()


def test_outside_of_a_transaction_it_is_sent_at_once(temporal: Temporal) -> None:
    sdk.start("shop:fulfil")
    assert len(temporal.started) == 1


def test_what_could_not_be_sent_is_sent_later_under_the_same_key(temporal: Temporal) -> None:
    temporal.refuses = Unavailable("Temporal does not answer.")
    sdk.start("shop:fulfil", id="order-1")  # does not raise: what was committed stands
    kept = Outgoing.objects.get()
    assert (kept.problem, kept.tries) == ("Temporal does not answer.", 1)
    temporal.refuses = None
    make_due()
    outgoing.tick()
    assert [each[4] for each in temporal.started] == [kept.key]
    assert not Outgoing.objects.exists()


def test_what_died_between_commit_and_sending_is_sent(temporal: Temporal, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as dead:
        dead.setattr(outgoing, "send", lambda key: True)
        sdk.start("shop:fulfil")
    outgoing.tick()
    assert not temporal.started  # whoever wrote it may be sending it
    make_due()
    outgoing.tick()
    assert len(temporal.started) == 1


@pytest.mark.parametrize(
    ("refusal", "state"),
    [
        (NotFoundError("There is no entry shop:x."), State.LACKING),
        (PermissionDenied("You may not."), State.REFUSED),
        (Refused("The input is not what the entry asks for."), State.REFUSED),
        (ValueError("a defect"), State.REFUSED),
    ],
)
def test_what_is_refused_says_why_and_keeps_no_other(temporal: Temporal, refusal: Exception, state: State) -> None:
    temporal.refuses = refusal
    sdk.start("shop:x", id="order-1")
    temporal.refuses = None
    sdk.start("shop:fulfil", id="order-1")
    kept = Outgoing.objects.get()
    assert kept.state == state
    assert kept.problem == str(refusal) or kept.problem == "Unexpected ValueError: the log says where."
    assert [each[1] for each in temporal.started] == ["shop:fulfil"]


def test_what_lacks_its_entry_is_refused_in_the_end(temporal: Temporal) -> None:
    temporal.refuses = NotFoundError("There is no entry shop:x.")
    sdk.start("shop:x")
    for tries, state in ((outgoing.MOST_TRIES - 1, State.LACKING), (outgoing.MOST_TRIES, State.REFUSED)):
        Outgoing.objects.update(tries=tries)
        make_due()
        outgoing.tick()
        assert Outgoing.objects.get().state == state


def test_what_was_refused_is_sent_when_somebody_says_so(temporal: Temporal, client: Client) -> None:
    temporal.refuses = Refused("The input is not what the entry asks for.")
    sdk.start("shop:fulfil")
    temporal.refuses = None
    make_due()
    outgoing.tick()
    assert not temporal.started
    key = Outgoing.objects.get().key
    client.force_login(User.objects.create_superuser("root"))
    page = reverse("admin:wippy_console_outgoing_changelist")
    assert "Refused for good" in client.get(page).content.decode()
    client.post(page, {"action": "send_again", "_selected_action": [str(key)]})
    outgoing.tick()
    assert [each[4] for each in temporal.started] == [key] and not Outgoing.objects.exists()


SECRET = "4242-4242-4242-4242"


@pytest.mark.parametrize(
    "refusal",
    [Refused("It is wrong.", {"card": [f"{SECRET} is no card."]}), UnitFailed(invalid(f"bad {SECRET}, 123456789"))],
)
def test_no_refusal_repeats_what_was_to_be_sent(
    temporal: Temporal, refusal: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    temporal.refuses = refusal
    sdk.start("shop:fulfil", {"cards": [{"number": SECRET}], "code": 123456789}, id="order-1")
    problem = Outgoing.objects.get().problem
    assert MASK in problem
    assert "start shop:fulfil order-1 is not sent" in caplog.text
    for text in (problem, caplog.text):
        assert SECRET not in text and "123456789" not in text


def test_no_unexpected_error_repeats_it_either(temporal: Temporal, caplog: pytest.LogCaptureFixture) -> None:
    temporal.refuses = ValueError(SECRET)
    sdk.start("shop:fulfil", SECRET)
    assert "ValueError" in caplog.text and SECRET not in caplog.text + Outgoing.objects.get().problem


def test_whoever_commits_a_thousand_starts_sends_the_first_and_leaves_the_rest(temporal: Temporal) -> None:
    with transaction.atomic():
        for number in range(1000):
            with transaction.atomic():
                sdk.start("shop:fulfil", id=f"order-{number}")
    sent = [each[3] for each in temporal.started]
    assert sent == [f"order-{number}" for number in range(outgoing.OF_A_COMMIT)]
    while Outgoing.objects.exists():
        make_due()
        outgoing.tick()
    assert [each[3] for each in temporal.started] == [f"order-{number}" for number in range(1000)]


def test_each_transaction_has_its_own_share(temporal: Temporal) -> None:
    for number in range(outgoing.OF_A_COMMIT + 1):
        with transaction.atomic():
            sdk.start("shop:fulfil", id=f"order-{number}")
    assert not Outgoing.objects.exists()


def test_no_more_is_tried_at_once_when_temporal_is_away(temporal: Temporal) -> None:
    temporal.refuses = Unavailable("Temporal is down.")
    with transaction.atomic():
        for number in range(3):
            sdk.start("shop:fulfil", id=f"order-{number}")
    assert [each.tries for each in Outgoing.objects.all()] == [1, 0, 0]


def test_a_handle_is_the_id_and_does_what_is_done_by_it(temporal: Temporal) -> None:
    named, made_up = sdk.start("shop:fulfil", id="order-1"), sdk.start("shop:fulfil")
    assert named == "order-1" and type(named.id) is str
    assert [each[3] for each in temporal.started] == ["order-1", made_up.id]
    assert made_up.startswith("fulfil-")
    named.signal("paid", 1, 2)
    with transaction.atomic():
        named.answer("decision", {"approved": True}, reason="why", label="Approve")
    kept = list(Outgoing.objects.values_list("workflow_id", "topic", "args"))
    assert kept == [("order-1", "paid", [1, 2]), ("order-1", "decision", [{"approved": True}])]


async def test_async_forms(temporal: Temporal) -> None:
    handle = await sdk.astart("shop:fulfil", id="order-1")
    await handle.asignal("paid")
    with pytest.raises(sdk.NotFound):
        await handle.aanswer("decision")
    with pytest.raises(sdk.NotFound, match="no run"):
        await handle.aresult()
    assert await sync_to_async(Outgoing.objects.get)(topic="paid")
    await sync_to_async(connections.close_all)()  # of the thread that all these ran on


def test_a_result_waits_for_a_start_that_was_not_sent_yet(temporal: Temporal) -> None:
    temporal.refuses = Unavailable("Temporal is down.")
    handle = sdk.start("shop:fulfil")
    with pytest.raises(sdk.Timeout, match="did not begin within 0 seconds: Temporal is down"):
        handle.result(timeout=0)
    temporal.refuses = Refused("It is wrong.")
    make_due()
    outgoing.tick()
    with pytest.raises(sdk.NotFound, match=r"start of .* was refused: It is wrong"):
        handle.result()


def test_home_says_what_waits_without_a_refusal(temporal: Temporal, client: Client) -> None:
    with transaction.atomic():
        for _ in range(outgoing.OF_A_COMMIT + 1):
            sdk.start("shop:fulfil")
    client.force_login(User.objects.create_superuser("root"))
    assert "not sent" not in client.get("/health/").content.decode()
    make_due()
    assert "sent by the worker that leads" in client.get("/health/").content.decode()


def test_home_says_what_is_not_sent_to_administrators_alone(temporal: Temporal, client: Client) -> None:
    temporal.refuses = NotFoundError("There is no entry shop:x.")
    sdk.start("shop:x")
    for name, tells in (("root", True), ("viewer", False)):
        person = User.objects.create_user(name, is_superuser=tells)
        person.groups.set(Group.objects.filter(name="viewer"))
        client.force_login(person)
        assert ("There is no entry shop:x." in client.get("/health/").content.decode()) is tells


def test_an_id_that_runs_already_is_left_to_run(temporal: Temporal) -> None:
    temporal.refuses = Conflict("It runs already.")
    sdk.start("shop:fulfil", id="order-1")
    assert not Outgoing.objects.exists()


def test_a_user_starts_by_their_own_rights(temporal: Temporal) -> None:
    sdk.start("shop:fulfil", user=User.objects.create_superuser("ada"))
    assert temporal.started[0][0] == "ada"


def test_who_may_not_is_refused_at_once() -> None:
    nobody = User.objects.create_user("nobody")
    with transaction.atomic():
        with pytest.raises(sdk.PermissionDenied, match="may not start"):
            sdk.start("shop:fulfil", user=nobody)
        with pytest.raises(sdk.PermissionDenied, match="may not"):
            sdk.signal("order-1", "paid", user=nobody)
        with pytest.raises(sdk.PermissionDenied, match="may not"):
            sdk.answer("order-1", "decision", user=nobody)
    assert not Outgoing.objects.exists()


def test_a_right_that_went_before_it_was_sent_is_missed_for_good() -> None:
    ada = User.objects.create_superuser("ada")
    with transaction.atomic():
        sdk.start("shop:fulfil", user=ada)
        User.objects.update(is_superuser=False)
    assert Outgoing.objects.get().state == State.REFUSED
    assert "may not start" in Outgoing.objects.get().problem


def test_a_signal_waits_for_its_run(temporal: Temporal) -> None:
    sdk.signal("order-1", "decision", {"approved": True})
    kept = Outgoing.objects.get()
    assert kept.problem == "There is no run of the workflow id order-1 yet."


def test_a_start_does_not_wait_for_signals_that_lack_its_run(temporal: Temporal) -> None:
    sdk.signal("order-1", "paid")
    sdk.start("shop:fulfil", id="order-1")
    assert [each[3] for each in temporal.started] == ["order-1"]


def test_what_is_for_one_workflow_keeps_its_order(temporal: Temporal, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(outgoing, "_run", lambda row, user: None)
    monkeypatch.setattr(decisions, "send_raw", lambda user, run, topic, *_, **__: sent.append(topic))
    temporal.refuses = Unavailable("Temporal is down.")
    sdk.start("shop:fulfil", id="order-1")
    sdk.signal("order-1", "paid")
    sdk.signal("order-2", "other")
    assert sent == ["other"]
    assert Outgoing.objects.get(topic="paid").problem == outgoing.BEHIND
    temporal.refuses = None
    make_due()
    outgoing.tick()
    assert len(temporal.started) == 1 and sent == ["other", "paid"]


def test_an_answer_is_refused_where_it_is_given() -> None:
    with pytest.raises(sdk.NotFound, match="no run"):
        sdk.answer("order-1", "decision", {"approved": True})
    assert not Outgoing.objects.exists()


def test_an_answer_in_a_transaction_is_sent_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(outgoing, "_run", lambda row, user: "run")
    monkeypatch.setattr(decisions, "answer_by_topic", lambda user, run, *args, **given: sent.append((*args, given)))
    with transaction.atomic():
        sdk.answer("order-1", "decision", {"approved": True}, reason="by the shop", label="Approve")
        assert not sent
    ((topic, value, given),) = sent
    assert (topic, value) == ("decision", {"approved": True})
    assert (given["reason"], given["label"]) == ("by the shop", "Approve") and given["key"]
    assert not Outgoing.objects.exists()


def test_no_result_is_awaited_within_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="no transaction may be open"):
        sdk.result("order-1")


def test_a_result_of_what_never_began_is_not_found() -> None:
    with pytest.raises(sdk.NotFound, match="no run of the workflow id order-1"):
        sdk.result("order-1")
