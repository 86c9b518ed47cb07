"""A customer, a chair, a bank on a thread, and `ctx` of a call that nobody made."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from shop.models import Order, Product
from wippy_console.sdk import Context
from wippy_console.testing import context, driver, temporal_server, workflows

__all__ = ["driver", "temporal_server", "workflows"]


@pytest.fixture
def ctx() -> Context:
    return context("shop:charge", key="call-1")


@pytest.fixture
def chair(db: None) -> Product:
    Product.objects.filter(sku="chair").delete()
    return Product.objects.create(sku="chair", name="Office chair", price="95.50", stock=1)


@pytest.fixture
def order(chair: Product) -> Order:
    return Order.objects.create(product=chair, quantity=1, amount=chair.price, customer="Ada Example")


@pytest.fixture
def customer(db: None) -> User:
    return User.objects.create_superuser("ada", password="a password of Ada's")


@pytest.fixture
def bank(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pretended bank, really over HTTP."""
    monkeypatch.setenv("SHOP_BANK", live_server.url + reverse("shop:bank"))
