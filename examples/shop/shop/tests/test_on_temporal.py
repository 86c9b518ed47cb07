"""The whole way on a real Temporal: from the form, by a worker, to the parcel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from shop.models import Order, Payment, Product

FOLDER = Path(__file__).parents[2]


@pytest.mark.usefixtures("bank")
def test_an_order_of_the_form_is_shipped_though_the_bank_was_down(
    workflows: Any, client: Client, customer: User, chair: Product
) -> None:
    workflows.publish(FOLDER)
    client.force_login(customer)
    form = {"product": chair.pk, "quantity": "1", "customer": "Ada Example", "card": "tok_down"}
    client.post(reverse("shop:index"), form)
    order = Order.objects.get()
    assert workflows.run_of(order.workflow_id).result() == {"status": "shipped", "number": order.number}
    assert Payment.objects.get().attempts == 3
