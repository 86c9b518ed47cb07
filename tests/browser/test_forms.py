"""Forms drawn from a schema, in a browser: lists, alternatives, groups, times; with and without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from engine.entry import Entry
from tests.browser.conftest import Enter, Watched
from tests.browser.scene import Scene
from tests.browser.visiting import violations
from tests.console.operating import CLIENT, LUA
from tests.console.registry_cast import create
from wippy_console.models import Decision, Run
from wippy_console.services import registry, runs

WORKER = "case:worker"
ITEM: dict[str, Any] = {
    "title": "Line", "type": "object", "required": ["sku"],
    "properties": {
        "sku": {"type": "string", "title": "Article"},
        "count": {"type": "integer", "title": "Count", "default": 1, "minimum": 1},
        "gift": {"type": "boolean", "title": "As a gift"},
    },
}  # fmt: skip
ORDER: dict[str, Any] = {
    "$defs": {
        "Card": {
            "title": "Card", "description": "Charged at once.", "required": ["kind", "number"],
            "properties": {
                "kind": {"const": "card"}, "number": {"type": "string", "title": "Card number"},
                "cvc": {"type": "string", "title": "CVC", "writeOnly": True},
            },
        },
        "Bank": {
            "title": "Bank transfer", "required": ["kind", "iban"],
            "properties": {"kind": {"const": "bank"}, "iban": {"type": "string", "title": "IBAN"}},
        },
        "Address": {
            "title": "Address", "type": "object", "required": ["street"],
            "properties": {
                "street": {"type": "string"},
                "country": {"enum": ["de", "at"], "x-labels": {"de": "Germany", "at": "Austria"}, "default": "de"},
            },
        },
    },
    "type": "object",
    "required": ["order_id", "payment"],
    "properties": {
        "order_id": {"type": "string", "title": "Order", "description": "As the shop names it."},
        "amount": {"type": "number", "title": "Amount"},
        "at": {"type": "string", "format": "date-time", "title": "Deliver at", "default": "2026-12-01T08:30:00Z"},
        "due": {"type": "string", "format": "date", "title": "Due"},
        "tell": {"type": "array", "title": "Tell by", "items": {"enum": ["mail", "sms"]}, "default": ["mail"]},
        "coupon": {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Coupon"},
        "lines": {"type": "array", "title": "Lines", "items": ITEM, "default": [{"sku": "A-1"}]},
        "payment": {"title": "Payment", "oneOf": [{"$ref": "#/$defs/Card"}, {"$ref": "#/$defs/Bank"}]},
        "billing": {"title": "Billing address", "$ref": "#/$defs/Address"},
        "contract": {"type": "string", "title": "Contract", "contentEncoding": "base64"},
        "source": {"type": "string", "title": "Source", "readOnly": True, "default": "console"},
        "extra": {"title": "Extra", "type": "object"},
    },
}  # fmt: skip
ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {"lines": ORDER["properties"]["lines"], "pin": {"type": "string", "title": "Pin", "writeOnly": True}},
}
ENTRY = "case:order"


@pytest.fixture(autouse=True)
def entries(scene: Scene) -> None:
    if ENTRY in registry.titles() or any(each.id == ENTRY for each in runs.startable(scene.stage.cast.root)):
        return
    signals = [{"topic": "decision", "label": "Answer", "schema": ANSWER, "reason": "none"}]
    meta = {
        "title": "Take an order", "input_schema": ORDER, "signals": signals,
        "temporal": {"workflow": {"worker": WORKER}},
    }  # fmt: skip
    create(
        Entry(WORKER, "temporal.worker", {}, {"client": CLIENT, "task_queue": "nobody"}),
        Entry(ENTRY, "workflow.lua", meta, {"source": LUA}),
    )


def fill_in(page: Page) -> None:
    """Everything once, with a mistake, and the mistake mended."""
    page.goto(f"/runs/start/?entry={ENTRY}")
    page.get_by_role("button", name="Add to Lines").click()
    expect(page.get_by_label("Article")).to_have_count(2)
    expect(page.get_by_label("Article").nth(1)).to_be_focused()
    page.get_by_label("Article").nth(1).fill("B-7")
    page.get_by_label("Count").nth(1).fill("many")
    page.get_by_label("Order", exact=False).first.fill(" O-1 ")
    page.get_by_label("Amount").fill("3544790567247868102")
    page.get_by_role("button", name="Add to Lines").click()
    expect(page.get_by_label("Article")).to_have_count(3)
    page.get_by_label("Article").nth(2).fill("C-3")
    page.get_by_role("button", name="Move up 2").click()
    expect(page.get_by_label("Article").first).to_have_value("B-7")
    page.get_by_role("button", name="Remove 2").click()
    expect(page.get_by_label("Article")).to_have_count(2)
    expect(page.get_by_label("Order", exact=False).first).to_have_value(" O-1 ")
    page.get_by_label("Card number").wait_for(state="hidden")
    page.get_by_label("Bank transfer").check()
    page.get_by_label("IBAN").fill("DE1")
    page.get_by_label("Street").fill("Main 1")
    page.get_by_label("Contract").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"hello"})
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".errors")).to_have_text("Write a number, like 12 or 12.5.")
    page.get_by_label("Count").first.fill("7")
    page.get_by_label("Contract").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"hello"})
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("h1")).to_have_text("Take an order")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_rich_form_is_filled_in_and_arrives(enter: Enter, scene: Scene, scripts: bool) -> None:
    page = enter("operator", java_script_enabled=scripts, timezone_id="Europe/Berlin")
    watched = Watched(page)
    fill_in(page)
    run = Run.objects.filter(entry_id=ENTRY).latest("started_at")
    assert run.input == [
        {
            "order_id": " O-1 ", "amount": 3544790567247868102, "at": "2026-12-01T08:30:00Z", "tell": ["mail"],
            "lines": [{"sku": "B-7", "count": 7}, {"sku": "C-3", "count": 1}],
            "payment": {"kind": "bank", "iban": "DE1"}, "billing": {"street": "Main 1", "country": "de"},
            "contract": "aGVsbG8=", "source": "console",
        }
    ]  # fmt: skip
    assert not [each for each in watched.complaints if "422" not in each]


ODD: dict[str, Any] = {
    "text": [" a ", "a\tb", "a\nb", "\n\na\n", "a\r\nb\r\n", "a\rb\nc", "\f\v\x7f\x85\u2028\ufeff",
             "<b>&amp;\"'", "🎈é"],
    "number": [3544790567247868102, 0.1, 1e300, -7, 5e-324],
    "date-time": ["2026-03-29T08:30:00.5+02:00", "2026-10-25T02:30:00+01:00", "2026-03-29T08:30:00.123456789Z",
                  "2016-12-31T23:59:60Z", "0999-01-01T00:00:01.250-05:00", "2026-03-29t08:30:00z"],
    "time": ["08:30:00Z", "08:30:00.250+05:45", "23:59:60Z", "00:00:00-00:00"],
    "date": ["2026-02-28", "0001-01-01"],
}  # fmt: skip


def odd(kind: str, value: Any) -> dict[str, Any]:
    if kind == "number":
        return {"type": "number", "default": value}
    return {"type": "string", **({} if kind == "text" else {"format": kind}), "default": value}


@pytest.mark.parametrize("scripts", [True, False])
def test_values_that_nobody_touched_come_through_a_real_browser(enter: Enter, scene: Scene, scripts: bool) -> None:
    values = {f"{kind} {index}": value for kind, listed in ODD.items() for index, value in enumerate(listed)}
    parts = {name: odd(name.partition(" ")[0], value) for name, value in values.items()}
    parts |= {'it\'s "a.b"/ü': {"type": "object", "default": {"x": [1, None, "\r\n"]}}}
    entry_id = f"case:odd_{scripts}".lower()
    meta = {"title": "Odd", "input_schema": {"type": "object", "properties": parts}}
    meta |= {"temporal": {"workflow": {"worker": WORKER}}}
    create(Entry(entry_id, "workflow.lua", meta, {"source": LUA}))
    page = enter("operator", java_script_enabled=scripts, timezone_id="Europe/Berlin")
    page.goto(f"/runs/start/?entry={entry_id}")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("h1")).to_have_text("Odd")
    assert Run.objects.get(entry_id=entry_id).input == [{**values, 'it\'s "a.b"/ü': {"x": [1, None, "\r\n"]}}]


def test_times_are_in_the_viewer_s_zone(enter: Enter, scene: Scene) -> None:
    page = enter("operator", timezone_id="America/New_York")
    page.goto(f"/runs/start/?entry={ENTRY}")
    expect(page.get_by_label("Deliver at", exact=True)).to_have_value("2026-12-01T03:30")
    expect(page.get_by_label("Zone of Deliver at")).to_have_value("America/New_York")


def test_a_group_is_ticked_by_typing_and_left_out_by_unticking(enter: Enter, scene: Scene) -> None:
    page = enter("operator")
    page.goto(f"/runs/start/?entry={ENTRY}")
    before = Run.objects.filter(entry_id=ENTRY, input__0__has_key="billing").count()
    box = page.get_by_label("Billing address")
    expect(box).not_to_be_checked()
    page.get_by_label("Street").fill("Main 1")
    expect(box).to_be_checked()
    box.uncheck()
    page.get_by_label("Order", exact=False).first.fill("O-2")
    page.get_by_label("Bank transfer").check()
    page.get_by_label("IBAN").fill("DE1")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("h1")).to_have_text("Take an order")
    assert Run.objects.filter(entry_id=ENTRY, input__0__has_key="billing").count() == before


def test_a_list_in_a_dialog_changes_and_the_dialog_stays(enter: Enter, scene: Scene) -> None:
    order = {"order_id": "O-3", "payment": {"kind": "bank", "iban": "DE1"}}
    started = runs.start(scene.stage.cast.root, ENTRY, WORKER, [order])
    run = Run.objects.get(run_id=started.run_id)
    scene.stage.ask(run, "decision")
    page = enter("approver")
    page.goto(reverse("run", args=(run.workflow_id, run.run_id)))
    page.get_by_role("button", name="Answer", exact=True).click()  # its question's heading is a link of that name
    dialog = page.locator("#dialog")
    dialog.get_by_label("Pin").fill("4711")
    refreshed_under_the_form(page, f"feed-run-{run.run_id}")
    dialog.get_by_role("button", name="Add to Lines").click()
    expect(dialog.get_by_label("Article")).to_have_count(2)
    expect(dialog.get_by_label("Pin")).to_have_value("4711")
    dialog.get_by_role("button", name="Answer").click()
    expect(dialog.locator(".errors")).to_have_text("This field is required.")
    expect(dialog.get_by_label("Pin")).to_have_value("")
    dialog.get_by_label("Pin").fill("4711")
    dialog.get_by_label("Article").nth(1).fill("B-7")
    dialog.get_by_role("button", name="Answer").click()
    expect(page.locator("#messages")).to_contain_text("“Answer” was sent")
    made = Decision.objects.get(run=run)
    assert made.payload == {"lines": [{"sku": "A-1"}, {"sku": "B-7", "count": 1}], "pin": "••••••"}


def refreshed_under_the_form(page: Page, event: str) -> None:
    """How the run stands comes anew; the button stays the very same, or a click that is under way would be lost."""
    page.evaluate(
        "document.getElementById('standing').dataset.old = document.getElementById('send-answer').old = 'yes'"
    )
    page.evaluate("event => document.body.dispatchEvent(new CustomEvent(event))", event)
    expect(page.locator("#standing[data-old]")).to_have_count(0)
    assert page.evaluate("document.getElementById('send-answer').old")


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_a_rich_form_is_accessible_and_fits(enter: Enter, scene: Scene, theme: Any, width: int) -> None:
    page = enter("operator", width=width, color_scheme=theme, reduced_motion="reduce")
    page.goto(f"/runs/start/?entry={ENTRY}")
    page.get_by_label("Bank transfer").check()
    for _ in range(2):
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not violations(page)
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.locator(".errors").first).to_be_visible()
