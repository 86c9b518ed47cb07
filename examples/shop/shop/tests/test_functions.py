"""What each function promises, also when it is called twice."""

from __future__ import annotations

import asyncio

import pytest
from django.core.exceptions import ObjectDoesNotExist

from shop import functions
from shop.models import BankCharge, Order, Payment, Product
from wippy_console import sdk


def test_reserving_twice_takes_the_pieces_once(ctx: sdk.Context, order: Order, chair: Product) -> None:
    assert functions.reserve(ctx, order.pk) == functions.reserve(ctx, order.pk) == {"pieces": 1}
    chair.refresh_from_db()
    assert chair.stock == 0


def test_what_is_out_of_stock_is_refused_for_good(ctx: sdk.Context, order: Order, chair: Product) -> None:
    Product.objects.filter(pk=chair.pk).update(stock=0)
    with pytest.raises(sdk.Conflict, match="only 0 of Office chair left") as refused:
        functions.reserve(ctx, order.pk)
    assert refused.value.retryable is False
    assert Order.objects.get(pk=order.pk).state == Order.State.PLACED


def test_releasing_twice_gives_the_pieces_back_once(ctx: sdk.Context, order: Order, chair: Product) -> None:
    functions.reserve(ctx, order.pk)
    functions.release(ctx, order.pk)
    functions.release(ctx, order.pk)
    chair.refresh_from_db()
    assert chair.stock == 1


def test_an_order_that_is_not_there_is_not_found(ctx: sdk.Context, order: Order) -> None:
    with pytest.raises(ObjectDoesNotExist):
        functions.reserve(ctx, order.pk + 1)


@pytest.mark.usefixtures("bank")
def test_the_next_try_of_a_charge_pays_nothing_more(ctx: sdk.Context, order: Order) -> None:
    first, second = (functions.charge(ctx, order.pk, "tok_visa") for _ in range(2))
    assert first == second
    assert Payment.objects.get().state == Payment.State.CHARGED
    assert BankCharge.objects.get().requests == 1


@pytest.mark.usefixtures("bank")
def test_a_try_that_died_after_the_bank_booked_is_completed(ctx: sdk.Context, order: Order) -> None:
    functions.charge(ctx, order.pk, "tok_visa")
    Payment.objects.update(state=Payment.State.ASKED, reference="")
    functions.charge(ctx, order.pk, "tok_visa")
    assert Payment.objects.get().reference == BankCharge.objects.get().reference
    assert BankCharge.objects.get().requests == 2


@pytest.mark.usefixtures("bank")
def test_a_bank_that_is_down_is_worth_another_try(ctx: sdk.Context, order: Order) -> None:
    for _ in range(2):
        with pytest.raises(sdk.Unavailable, match="the bank answered 503") as down:
            functions.charge(ctx, order.pk, "tok_down")
        assert down.value.retryable
    assert functions.charge(ctx, order.pk, "tok_down")["amount"] == "95.50"


@pytest.mark.usefixtures("bank")
def test_a_declined_card_is_not(ctx: sdk.Context, order: Order) -> None:
    with pytest.raises(sdk.Error, match="declined") as declined:
        functions.charge(ctx, order.pk, "tok_declined")
    assert declined.value.retryable is False
    assert Payment.objects.get().state == Payment.State.DECLINED


@pytest.mark.usefixtures("bank")
def test_a_refund_reaches_what_was_asked_for_and_never_answered(ctx: sdk.Context, order: Order) -> None:
    functions.charge(ctx, order.pk, "tok_visa")
    Payment.objects.update(state=Payment.State.ASKED)
    functions.refund(ctx, order.pk)
    functions.refund(ctx, order.pk)
    assert Payment.objects.get().state == Payment.State.REFUNDED
    assert BankCharge.objects.get().refunded


@pytest.mark.django_db(transaction=True)
def test_shipping_twice_books_one_parcel(ctx: sdk.Context, order: Order) -> None:
    first, second = (asyncio.run(functions.ship(ctx, order.pk)) for _ in range(2))
    assert first == second == {"parcel": f"parcel-{order.pk}"}
