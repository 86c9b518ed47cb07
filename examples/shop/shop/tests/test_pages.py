"""The pages: who may see them, and that an order and its workflow begin together."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from shop.models import Order, Product
from wippy_console import sdk

FORM = {"quantity": "1", "customer": "Ada Example", "card": "tok_visa"}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was started."""
    found: list[tuple[Any, ...]] = []
    monkeypatch.setattr(sdk, "start", lambda *args, **options: found.append((*args, options)))
    return found


def test_strangers_are_led_to_the_login(client: Client, order: Order) -> None:
    for url in (reverse("shop:index"), reverse("shop:order", args=[order.pk])):
        assert client.get(url).headers["Location"].startswith("/login/")


def test_who_has_no_right_is_refused(client: Client, order: Order) -> None:
    client.force_login(User.objects.create_user("nobody"))
    assert client.get(reverse("shop:index")).status_code == 403


def test_who_may_look_may_not_order(client: Client, chair: Product, started: list[Any]) -> None:
    looker = User.objects.create_user("looker")
    looker.user_permissions.add(Permission.objects.get(codename="view_order"))
    client.force_login(looker)
    assert b"Place the order" not in client.get(reverse("shop:index")).content
    assert client.post(reverse("shop:index"), {**FORM, "product": chair.pk}).status_code == 403
    assert not started and not Order.objects.exists()


def test_an_order_begins_its_workflow(client: Client, customer: User, chair: Product, started: list[Any]) -> None:
    client.force_login(customer)
    answer = client.post(reverse("shop:index"), {**FORM, "product": chair.pk})
    order = Order.objects.get()
    assert answer.headers["Location"] == reverse("shop:order", args=[order.pk])
    ((entry, given, options),) = started
    assert (entry, given["amount"], options) == ("shop:fulfil", "95.50", {"id": order.workflow_id})


def test_an_order_whose_workflow_is_refused_is_not_kept(
    client: Client, customer: User, chair: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("refused")

    monkeypatch.setattr(sdk, "start", refuse)
    client.force_login(customer)
    with pytest.raises(RuntimeError):
        client.post(reverse("shop:index"), {**FORM, "product": chair.pk})
    assert not Order.objects.exists()


def test_a_form_that_is_wrong_says_so(client: Client, customer: User, chair: Product, started: list[Any]) -> None:
    client.force_login(customer)
    answer = client.post(reverse("shop:index"), {**FORM, "product": chair.pk, "quantity": "0"})
    assert answer.status_code == 422
    assert "greater than or equal to 1" in answer.content.decode()
    assert not started


def test_an_order_shows_its_state_and_payments(client: Client, customer: User, order: Order) -> None:
    order.payments.create(key="k", amount="95.50", state="charged", reference="bank-7", attempts=2)
    client.force_login(customer)
    page = client.get(reverse("shop:order", args=[order.pk])).content.decode()
    assert "bank-7" in page and "about to begin" in page


def test_the_bank_answers_its_customer_alone(client: Client, db: None) -> None:
    assert client.post(reverse("shop:bank"), "{}", content_type="application/json").status_code == 403


def test_the_admin_lists_what_the_shop_has(client: Client, customer: User, order: Order) -> None:
    client.force_login(customer)
    for name in ("product", "order", "payment", "bankcharge"):
        assert client.get(reverse(f"admin:shop_{name}_changelist")).status_code == 200
    assert client.get(reverse("admin:shop_order_change", args=[order.pk])).status_code == 200
