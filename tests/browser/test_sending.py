"""What a browser sends twice starts one run, and what is too large to send stays in the browser."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Enter
from tests.browser.scene import Scene
from tests.browser.visiting import violations
from wippy_console.models import Decision, Run

START = "/runs/start/?entry=app.orders:process"
LARGE = 3_000_000


def paste(field: Locator, size: int) -> None:
    """A text of that many characters, as by the clipboard."""
    field.evaluate("(field, size) => { field.removeAttribute('maxlength'); field.value = 'x'.repeat(size); }", size)


def length(field: Locator) -> int:
    return int(field.evaluate("field => field.value.length"))


@pytest.mark.parametrize("script", [True, False])
def test_a_double_click_on_start_starts_one_run(enter: Enter, scene: Scene, script: bool) -> None:
    page = enter("operator", java_script_enabled=script)
    known = set(Run.objects.values_list("run_id", flat=True))
    page.goto(START)
    page.get_by_label("Order").fill("order-77")
    page.get_by_label("Amount").fill("5")
    page.get_by_label("Email").fill("a@example.org")
    page.locator("form.start-form .btn.primary").dblclick()
    page.wait_for_url("**/runs/process-*/**")
    assert Run.objects.exclude(run_id__in=known).count() == 1
    page.go_back()
    page.locator("form.start-form .btn.primary").click()
    page.wait_for_url("**/runs/process-*/**")
    expect(page.locator("#messages")).to_contain_text("was started by this form before")
    assert Run.objects.exclude(run_id__in=known).count() == 1


def test_an_answer_that_is_too_large_stays_in_its_dialog(enter: Enter, scene: Scene) -> None:
    run = scene.stage.start("app.flows:approval", {"wanted": 1})
    scene.stage.ask(run, "decision", 0)
    page = enter("approver")
    page.goto(reverse("run", args=(run.workflow_id, run.run_id)))
    page.get_by_role("button", name="Approve").click()
    form = page.locator("#dialog form")
    form.get_by_label("Comment").fill("fine")
    paste(form.get_by_label("Reason"), LARGE)
    form.get_by_role("button", name="Approve").click()
    expect(form.get_by_role("alert")).to_contain_text("A form may hold up to 2.5")
    expect(form.get_by_role("alert")).to_contain_text("What you typed still stands here")
    assert length(form.get_by_label("Reason")) == LARGE
    assert not Decision.objects.filter(run=run).exists()
    form.get_by_label("Reason").fill("within budget")
    form.get_by_role("button", name="Approve").click()
    expect(page.locator("#messages")).to_contain_text("was sent to")


def test_the_page_of_a_form_that_is_too_large_leads_back_to_its_text(enter: Enter, scene: Scene) -> None:
    page = enter("operator")
    page.goto(START)
    page.get_by_label("Order").fill("order-78")
    page.get_by_label("Amount").fill("5")
    page.get_by_label("Email").fill("a@example.org")
    paste(page.locator("[name=f-note]"), LARGE)
    page.locator("form.start-form .btn.primary").click()
    expect(page.get_by_role("heading", name="That is too much at once")).to_be_visible()
    expect(page.locator("main")).to_contain_text("A form may hold up to 2.5")
    assert not violations(page)
    page.get_by_role("button", name="Back to the form").click()
    expect(page.get_by_label("Order")).to_have_value("order-78")
    assert length(page.locator("[name=f-note]")) == LARGE
