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

    `start` writes a row here and now, and it is sent when this transaction has committed.
    """
    order.placed_by = user
    order.save()
    sdk.start(WORKFLOW, order.told(card), id=order.workflow_id, user=user)
    return order


def run_of(order: Order, user: User) -> Run | None:
    """The newest run of its workflow, if the user may see it; None also as long as it has not begun."""
    return runs.visible(user).filter(workflow_id=order.workflow_id).order_by("-started_at").first()
