"""The shop in the browser: an order is placed and followed. Its looks are among tests/browser/pages.py."""

from __future__ import annotations

from playwright.sync_api import expect

from shop.models import Order, Product
from tests.browser.conftest import Enter


def test_who_orders_sees_what_becomes_of_it(enter: Enter, transactional_db: None) -> None:
    Product.objects.create(sku="floor-lamp", name="Floor lamp", price="49.00", stock=3)
    page = enter("root")
    page.goto("/apps/shop/")
    page.get_by_role("combobox", name="Product").select_option(label="Floor lamp")
    page.get_by_label("Customer").fill("Grace Example")
    page.get_by_role("button", name="Place the order").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Order S-1")
    expect(page.get_by_text("about to begin")).to_be_visible()
    Order.objects.filter(customer="Grace Example").update(state="shipped", parcel="parcel-2")
    expect(page.get_by_text("parcel-2")).to_be_visible()  # by itself
