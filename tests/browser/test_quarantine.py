"""An operator lifts a quarantine in the browser, and a run that waits for it says so."""

from __future__ import annotations

from playwright.sync_api import expect

from engine.contracts.watcher import Card
from tests.browser.conftest import Enter
from tests.browser.scene import Scene
from wippy_console.models import Quarantine
from wippy_console.services import quarantine


def test_an_operator_reads_why_and_lifts_it(enter: Enter, scene: Scene) -> None:
    run = scene.asking
    quarantine.impose(Card("workflow", run.entry_id, run.program or "a" * 64, run.worker, run.pid), 6.2, "node")
    page = enter("operator")
    page.goto("/workers/")
    row = page.locator("#quarantine")
    expect(row).to_contain_text(run.entry_id)
    expect(row).to_contain_text("6.2 s")
    row.get_by_role("link", name="Lift").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("may run on this host again within a second")
    dialog.get_by_role("button", name="Lift the quarantine").click()
    expect(page.locator("body")).to_contain_text(f"{run.entry_id} may run on {run.worker} again.")
    expect(page.locator("#quarantine")).to_have_count(0)
    assert Quarantine.objects.get().lifted_by == "operator"


def test_a_viewer_sees_it_without_a_way_to_lift_it(enter: Enter, scene: Scene) -> None:
    run = scene.asking
    quarantine.impose(Card("workflow", run.entry_id, run.program or "a" * 64, run.worker, run.pid), 6.2, "node")
    page = enter("viewer")
    page.goto("/workers/")
    expect(page.locator("#quarantine")).to_contain_text(run.entry_id)
    expect(page.locator("#quarantine").get_by_role("link", name="Lift")).to_have_count(0)
