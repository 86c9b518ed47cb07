"""What Django code can't give to `sdk`: refused by name, before the caller's transaction is touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction

from wippy_console import sdk
from wippy_console.models import Outgoing

NUL, HALF, LONG = "a\0b", "a\ud800b", "x" * 1001
MANY = "x" * 2_100_000


def start(**given: Any) -> None:
    sdk.start(given.pop("entry", "shop:fulfil"), *given.pop("args", ()), **given)


def signal(**given: Any) -> None:
    sdk.signal(given.pop("workflow_id", "order-1"), given.pop("topic", "paid"), *given.pop("payload", ()), **given)


def answer(**given: Any) -> None:
    sdk.answer(given.pop("workflow_id", "order-1"), given.pop("topic", "paid"), *given.pop("payload", ()), **given)


def result(**given: Any) -> None:
    sdk.result(**{"workflow_id": "order-1", **given})


TEXTS = [
    *((start, name, bad) for name in ("entry", "id") for bad in (NUL, HALF, LONG, 7, b"x")),
    *((signal, name, bad) for name in ("workflow_id", "topic") for bad in (NUL, HALF, LONG, 7, "")),
    *((answer, name, bad) for name in ("workflow_id", "topic", "label") for bad in (NUL, HALF, LONG, 7)),
    *((answer, "reason", bad) for bad in (NUL, HALF, 7)),
    (start, "id", " x"),
    (signal, "topic", "__temporal_x"),
    (result, "workflow_id", NUL),
    (result, "timeout", -1),
    (result, "timeout", float("nan")),
    (start, "user", AnonymousUser()),
    (start, "user", User(username="new")),
    (start, "user", "ada"),
]
VALUES = [
    (NUL, r"\[0\]: .*NUL"),
    ({"a": [HALF]}, r"\[0\]\.a\[0\]: .*surrogate"),
    ({NUL: 1}, r"\[0\]: .*NUL"),
    (object(), r"\[0\]: a object can't cross"),
    ({"tags": {1, 2}}, r"\[0\]\.tags: a set can't cross"),
    (float("nan"), r"\[0\]: "),
    (2**70, r"\[0\]: "),
    ({1: 2}, r"\[0\]: a key"),
    (b"bytes", r": bytes can't cross"),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("call", "name", "bad"), TEXTS)
def test_a_bad_parameter_is_named_and_the_transaction_goes_on(call: Callable[..., None], name: str, bad: Any) -> None:
    with transaction.atomic():
        with pytest.raises(sdk.Invalid, match=f"^{name}: "):
            call(**{name: bad})
        assert User.objects.create(username="after").pk
    assert not Outgoing.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("call", "name"), [(start, "args"), (signal, "payload"), (answer, "payload")])
@pytest.mark.parametrize(("bad", "says"), VALUES)
def test_a_value_that_can_not_cross_is_named_by_its_place(
    call: Callable[..., None], name: str, bad: Any, says: str
) -> None:
    with transaction.atomic():
        with pytest.raises(sdk.Invalid, match=f"^{name}{says}"):
            call(**{name: [bad]})
        assert User.objects.create(username="after").pk
    assert not Outgoing.objects.exists()


@pytest.mark.parametrize(("call", "name"), [(start, "args"), (signal, "payload")])
@pytest.mark.parametrize("bad", [MANY, "\N{EURO SIGN}" * 900_000])
def test_too_much_is_refused(call: Callable[..., None], name: str, bad: str) -> None:
    with pytest.raises(sdk.LimitExceeded, match=f"^{name}"):
        call(**{name: [bad]})


def test_an_answer_is_one_value() -> None:
    with pytest.raises(sdk.Invalid, match=r"^payload: an answer is one value"):
        answer(payload=[1, 2])


def test_all_that_crosses_is_kept_as_it_is(transactional_db: None) -> None:
    sdk.signal("order-1", "paid", 1, None, {"a": "\N{EURO SIGN}"}, [True, 1.5])
    assert Outgoing.objects.get().args == [1, None, {"a": "\N{EURO SIGN}"}, [True, 1.5]]
