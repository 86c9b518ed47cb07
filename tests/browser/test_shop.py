"""The shop in the browser: an order is placed and followed, and its pages keep to what holds for the console's."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from shop.models import Order, Payment, Product
from tests.browser.conftest import Enter
from tests.browser.pages import State
from tests.browser.visiting import too_wide, violations, visits


@pytest.fixture(scope="module")
def order(transactional_db: None) -> Order:
    """A refused order with a payment that was given back."""
    lamp = Product.objects.create(sku="floor-lamp", name="Floor lamp", price="49.00", stock=3)
    made = Order.objects.create(
        product=lamp, quantity=2, amount="98.00", customer="Ada Example", state="refused", reason="the parcel was lost"
    )
    Payment.objects.create(key="k", order=made, amount="98.00", state="refunded", reference="bank-1", attempts=2)
    return made


def test_who_orders_sees_what_becomes_of_it(enter: Enter, order: Order) -> None:
    page = enter("root")
    page.goto("/apps/shop/")
    page.get_by_role("combobox", name="Product").select_option(label="Floor lamp")
    page.get_by_label("Customer").fill("Grace Example")
    page.get_by_role("button", name="Place the order").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Order S-2")
    expect(page.get_by_text("about to begin")).to_be_visible()
    Order.objects.filter(customer="Grace Example").update(state="shipped", parcel="parcel-2")
    expect(page.get_by_text("parcel-2")).to_be_visible()  # by itself


@pytest.mark.parametrize("width", [1440, 390])
def test_its_pages_are_accessible_fit_and_break_no_policy(enter: Enter, order: Order, width: int) -> None:
    states = [
        State("shop", "/apps/shop/"),
        State("shop-order", f"/apps/shop/orders/{order.pk}/"),
        State("admin-shop-order", f"/admin/shop/order/{order.pk}/change/"),
        State("admin-shop-products", "/admin/shop/product/"),
    ]
    wrong: dict[str, Any] = {}
    for state, page, watched in visits(enter, states, width, color_scheme="light"):
        found: list[Any] = [*watched.complaints, *(["wider than the screen"] if too_wide(page) else [])]
        found += violations(page)
        page.emulate_media(color_scheme="dark")
        found += violations(page, "color-contrast")
        page.emulate_media(color_scheme="light")
        if found:
            wrong[state.name] = found
    assert not wrong, wrong
