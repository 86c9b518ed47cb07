"""What holds on every page: no violation of the content policy, none of WCAG, nothing wider than the screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from tests.browser.conftest import Enter, Watched
from tests.browser.scene import Scene
from wippy_console.models import Service

AXE = (Path(__file__).parent / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN_TABS = ("timeline", "table", "events", "json", "audit")
ENTRY_TABS = ("source", "fields", "versions", "diff", "used by", "open runs")

PID = "{node-1@app:processes|0x0}"
PROCESS_PAGES = (("process",), ("process_message",), ("process_end", "cancel"), ("process_end", "terminate"))


def inbox_pages(scene: Scene) -> list[str]:
    """What belongs to the inbox."""
    number = scene.question.pk
    return [
        "/inbox/?view=others&label=Approve&q=x", "/inbox/?view=later", f"/inbox/bulk/?chosen={number}",
        f"/inbox/bulk/?chosen={number}&answer=0", "/inbox/bulk/", f"/inbox/{number}/assign/",
        f"/inbox/{number}/postpone/",
    ]  # fmt: skip


def addresses(scene: Scene) -> list[str]:
    """Every page there is, in the state that shows most of it."""
    closed = reverse("run", args=(scene.closed.workflow_id, scene.closed.run_id))
    asking = reverse("run", args=(scene.asking.workflow_id, scene.asking.run_id))
    return [
        "/", "/inbox/", "/inbox/?view=done", f"/inbox/{scene.question.pk}/", *inbox_pages(scene), "/runs/",
        "/runs/?status=none",
        *(f"{closed}?tab={tab}" for tab in RUN_TABS), asking, f"{asking}answer/0/", f"{asking}signal/",
        f"{asking}cancel/", f"{asking}terminate/", f"{closed}events/5/", "/runs/start/",
        "/runs/start/?entry=app.orders:process", "/live/", "/audit/", "/audit/?user=nobody", "/registry/",
        *(f"/registry/app.orders:process/?tab={tab}" for tab in ENTRY_TABS), "/registry/edit/app.orders:process/",
        "/registry/delete/app:client/", "/live/?before=3", "/runs/?entry=app.flows:approval",
        "/registry/new/", "/processes/", "/workers/",
        "/processes/?q=none", "/processes/?under={node-1@app:processes|0x0}", "/processes/spawn/",
        *(reverse(name, args=(*more, PID)) for name, *more in PROCESS_PAGES),
        *(reverse("service_move", args=(service.pk, "stop")) for service in Service.objects.all()[:1]),
    ]  # fmt: skip


def violations(page: Page) -> list[dict[str, Any]]:
    """Serious and critical findings of axe-core."""
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run({ runOnly: rules })", RULES)["violations"]
    return [
        {"rule": each["id"], "impact": each["impact"], "nodes": [node["html"][:200] for node in each["nodes"]][:3]}
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 1440), ("light", 390)])
def test_every_page_is_accessible_fits_and_breaks_no_policy(enter: Enter, scene: Scene, theme: Any, width: int) -> None:
    # Reduced motion, so that no colour is measured half way through a transition.
    page = enter("root", width=width, color_scheme=theme, reduced_motion="reduce")
    watched = Watched(page)
    wrong: dict[str, Any] = {}
    for address in addresses(scene):
        response = page.goto(address, wait_until="networkidle")
        assert response
        assert response.status == 200, address
        # The axe script itself is put in past the policy, so complaints count before it.
        complaints = list(watched.complaints)
        too_wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        found = [*complaints, *(["wider than the screen"] if too_wide else []), *violations(page)]
        watched.complaints.clear()
        if found:
            wrong[address] = found
    assert not wrong


def test_the_log_in_page_is_accessible(enter: Enter) -> None:
    page = enter("")
    page.goto("/login/")
    assert not violations(page)


def test_dialogs_are_accessible(enter: Enter, scene: Scene) -> None:
    page = enter("root", reduced_motion="reduce")
    page.goto(reverse("run", args=(scene.asking.workflow_id, scene.asking.run_id)))
    for name in ("Signal…", "Cancel…", "Terminate…"):
        page.get_by_role("link", name=name).click()
        page.locator("#dialog").wait_for()
        assert not violations(page)
        page.keyboard.press("Escape")


def test_the_keyboard_finds_help_search_palette_and_rows(enter: Enter, scene: Scene) -> None:
    page = enter("root")
    page.goto("/runs/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('tr') !== null")
    page.keyboard.press("?")
    page.locator("#help").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.locator("#palette-text").fill("orders:pro")
    page.locator("#palette-list a", has_text="app.orders:process").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/registry/app.orders:process/")
