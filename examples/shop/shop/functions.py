"""What the workflow of an order calls. Each function may be tried again, and is written so that this does no harm."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F

from shop import bank
from shop.models import Order, Payment, Product
from wippy_console import sdk

State = Order.State


@transaction.atomic
def reserve(ctx: sdk.Context, order_id: int) -> dict[str, Any]:
    """Take the pieces from the stock, or raise Conflict: another try finds no more of them."""
    order = _locked(order_id)
    if not order.reserved:
        product = Product.objects.select_for_update().get(pk=order.product_id)
        if product.stock < order.quantity:
            details = {"sku": product.sku, "stock": product.stock}
            raise sdk.Conflict(f"only {product.stock} of {product.name} left", retryable=False, details=details)
        product.stock -= order.quantity
        product.save(update_fields=["stock"])
        _move(order, State.RESERVED, reserved=order.quantity)
        ctx.logger.info("reserved %s for %s", order.quantity, order)
    return {"pieces": order.reserved}


@transaction.atomic
def release(ctx: sdk.Context, order_id: int) -> None:
    """Give the pieces back."""
    order = _locked(order_id)
    Product.objects.filter(pk=order.product_id).update(stock=F("stock") + order.reserved)
    order.reserved = 0
    order.save(update_fields=["reserved"])


def charge(ctx: sdk.Context, order_id: int, card: str) -> dict[str, Any]:
    """Charge the card once, however often this is called for one call of the workflow.

    The row stands before the bank is asked. Whoever dies between the two asks again under the same key, and the bank
    knows the key: it books nothing twice. No transaction is open while we wait for it.
    """
    order = Order.objects.get(pk=order_id)
    payment, _ = Payment.objects.get_or_create(
        key=ctx.idempotency_key, defaults={"order": order, "amount": order.amount}
    )
    if payment.state == Payment.State.ASKED:
        _ask(payment, card)
    Order.objects.filter(pk=order_id, state=State.RESERVED).update(state=State.PAID)
    return {"payment": payment.pk, "reference": payment.reference, "amount": str(payment.amount)}


def _ask(payment: Payment, card: str) -> None:
    Payment.objects.filter(pk=payment.pk).update(attempts=F("attempts") + 1)
    try:
        payment.reference = bank.charge(payment.key, payment.amount, card)
    except bank.Declined:
        Payment.objects.filter(pk=payment.pk).update(state=Payment.State.DECLINED)
        raise
    payment.state = Payment.State.CHARGED
    payment.save(update_fields=["state", "reference"])


def refund(ctx: sdk.Context, order_id: int) -> None:
    """Give back whatever was paid for the order, also what a call asked for of which nobody heard again."""
    for payment in Payment.objects.filter(order_id=order_id, state__in=[Payment.State.ASKED, Payment.State.CHARGED]):
        bank.refund(payment.key)
        payment.state = Payment.State.REFUNDED
        payment.save(update_fields=["state"])


async def ship(ctx: sdk.Context, order_id: int) -> dict[str, Any]:
    """Book a parcel; with Django's async ORM, on the loop of async functions."""
    order = await Order.objects.aget(pk=order_id)
    order.parcel = order.parcel or f"parcel-{order.pk}"
    order.state = State.SHIPPED
    await order.asave(update_fields=["parcel", "state"])
    return {"parcel": order.parcel}


@transaction.atomic
def refuse(ctx: sdk.Context, order_id: int, reason: str) -> None:
    """Close the order and say why."""
    _move(_locked(order_id), State.REFUSED, reason=reason[:500])


def _locked(order_id: int) -> Order:
    """The order, ours until the transaction ends. One that is not there is NotFound to Lua."""
    return Order.objects.select_for_update().get(pk=order_id)


def _move(order: Order, state: Order.State, **values: Any) -> None:
    order.state = state
    for name, value in values.items():
        setattr(order, name, value)
    order.save(update_fields=["state", *values])


@sdk.function("shop:stock", options={"timeout": "10s"}, meta={"title": "Stock", "description": "Pieces by SKU."})
def stock(ctx: sdk.Context, below: int = 1_000_000) -> dict[str, int]:
    """What there is less of than that. It has no entry in the registry: this declaration is one."""
    return dict(Product.objects.filter(stock__lt=below).values_list("sku", "stock"))
