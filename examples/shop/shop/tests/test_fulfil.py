"""The workflow on the step driver: its own Python functions on the test's database, time moved by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.testing import Driver
from shop.models import BankCharge, Order, Payment, Product
from wippy_console import sdk

FOLDER = Path(__file__).parents[2]
Drive = Callable[..., Driver]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bank")]


def begin(driver: Drive, order: Order, card: str = "tok_visa") -> Driver:
    return driver(FOLDER, "shop:fulfil", order.told(card))


def test_an_order_is_charged_once_and_shipped(driver: Drive, order: Order) -> None:
    assert begin(driver, order).value == {"status": "shipped", "number": order.number}
    order.refresh_from_db()
    assert (order.state, order.parcel) == (Order.State.SHIPPED, f"parcel-{order.pk}")
    assert Payment.objects.get().state == Payment.State.CHARGED


def test_what_was_done_is_undone_when_the_card_is_declined(driver: Drive, order: Order, chair: Product) -> None:
    assert begin(driver, order, "tok_declined").value["reason"] == "the bank declined the card"
    chair.refresh_from_db()
    assert chair.stock == 1
    assert not BankCharge.objects.filter(booked=True).exists()


def test_a_large_order_waits_a_day_for_somebody(driver: Drive, order: Order, chair: Product) -> None:
    Order.objects.update(amount=480)
    order.refresh_from_db()
    run = begin(driver, order)
    assert run.waiting and not Payment.objects.exists()
    run.advance(hours=24)
    assert run.value["reason"] == "nobody approved it within 24h"
    chair.refresh_from_db()
    assert chair.stock == 1


def test_a_charge_that_failed_is_refunded_for_it_may_have_been_booked(driver: Drive, order: Order) -> None:
    def lost(order_id: int, card: str) -> None:
        raise sdk.Unavailable("nobody knows")

    refunded: list[int] = []
    stand_ins = {"shop:charge": lost, "shop:refund": refunded.append}
    run = driver(FOLDER, "shop:fulfil", order.told("tok_visa"), functions=stand_ins)
    assert run.value["reason"] == "nobody knows"
    assert refunded == [order.pk]
