"""Deliveries in a browser: found, looked at while they change, delivered again."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Enter
from tests.browser.hooked import hooked
from tests.browser.scene import Scene
from wippy_console.models import Delivery
from wippy_console.services import temporal


def test_a_delivery_is_found_and_delivered_again_once(enter: Enter, scene: Scene) -> None:
    made = hooked(scene)
    temporal.reset()
    page = enter("author")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Deliveries").click()
    rows = page.locator("#deliveries tbody tr")
    expect(rows).to_have_count(7)
    page.get_by_label("State").select_option("failed")
    expect(rows).to_have_count(3)
    assert "state=failed" in page.url
    page.get_by_label("Search by an id").fill("evt_79")
    expect(rows).to_have_count(1)
    page.get_by_role("link", name="POST /hooks/shop/paid").click()
    expect(page.get_by_text("No open run of shop:fulfilment has order_id=A-4799.")).to_be_visible()
    expect(page.get_by_role("heading", name="Delivered again")).to_be_visible()

    before = Delivery.objects.filter(again_of=made["failed"]).count()
    page.get_by_role("button", name="Deliver again").dblclick()
    expect(page.get_by_text("It was delivered again")).to_be_visible()
    expect(page.get_by_text("It waits until")).to_be_visible()
    assert Delivery.objects.filter(again_of=made["failed"]).count() == before + 1

    # The page follows what becomes of it.
    again = Delivery.objects.filter(again_of=made["failed"]).latest("received_at")
    Delivery.objects.filter(pk=again.pk).update(state="failed", problem="Nobody came.", status=404, due_at=None)
    expect(page.get_by_text("Nobody came.")).to_be_visible()
    expect(page.get_by_role("button", name="Deliver again")).to_be_visible()


def test_who_may_only_look_finds_no_button(enter: Enter, scene: Scene) -> None:
    delivery = Delivery.objects.create(
        endpoint="app.flows:approval", namespace="app.flows", route="POST /hooks/x", act="start", method="POST",
        path="/hooks/x", state="failed", problem="It failed.",
    )  # fmt: skip
    page = enter("viewer")
    page.goto(f"/deliveries/{delivery.pk}/")
    expect(page.get_by_text("It failed.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("again"))).to_have_count(0)
