"""Placing orders, and finding what becomes of them."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from shop.models import Order
from wippy_console import sdk
from wippy_console.models import Run
from wippy_console.services import runs

WORKFLOW = "shop:fulfil"


@transaction.atomic
def place(order: Order, card: str, user: User) -> Order:
    """Save the order and begin its workflow: both, or neither.

    `start` waits for this transaction to commit. It acts in nobody's name: a customer needs the right to order, none of
    the console's.
    """
    order.placed_by = user
    order.save()
    sdk.start(WORKFLOW, order.told(card), id=order.workflow_id)
    return order


def run_of(order: Order, user: User) -> Run | None:
    """The newest run of its workflow, if the user may see it; None also as long as it has not begun."""
    return runs.visible(user).filter(workflow_id=order.workflow_id).order_by("-started_at").first()
