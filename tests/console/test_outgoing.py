"""What Django code starts and signals: sent after the commit alone, once, and never lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.test import Client
from django.utils import timezone

from engine.errors import UnitFailed
from wippy_console import sdk
from wippy_console.models import Outgoing
from wippy_console.services import decisions, outgoing, runs
from wippy_console.services.errors import Conflict, NotFoundError, Unavailable

pytestmark = pytest.mark.django_db(transaction=True)


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
    monkeypatch.setattr(outgoing, "_sent_at_once", lambda key: None)
    sdk.start("shop:fulfil")
    outgoing.tick()
    assert not temporal.started  # whoever wrote it may be sending it
    make_due()
    outgoing.tick()
    assert len(temporal.started) == 1


@pytest.mark.parametrize("refusal", [NotFoundError("There is no entry shop:x."), PermissionDenied("You may not.")])
def test_what_is_refused_says_why_and_keeps_no_other(temporal: Temporal, refusal: Exception) -> None:
    temporal.refuses = refusal
    sdk.start("shop:x")
    temporal.refuses = None
    sdk.start("shop:fulfil")
    assert Outgoing.objects.get().problem == str(refusal)
    assert [each[1] for each in temporal.started] == ["shop:fulfil"]


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
    sdk.start("shop:fulfil", user=User.objects.create_user("ada"))
    assert temporal.started[0][0] == "ada"


def test_what_is_no_plain_data_is_refused_where_it_stands(temporal: Temporal) -> None:
    with pytest.raises(UnitFailed, match=r"arguments\[0\].tags"):
        sdk.start("shop:fulfil", {"tags": {1, 2}})
    assert not Outgoing.objects.exists()


def test_a_signal_waits_for_its_run(temporal: Temporal) -> None:
    sdk.signal("order-1", "decision", {"approved": True})
    kept = Outgoing.objects.get()
    assert kept.problem == "There is no run of the workflow id order-1 yet."


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
    monkeypatch.setattr(decisions, "send", lambda user, run, *args, **given: sent.append((*args, given)))
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
