"""Nothing typed is lost, in a real browser, with and without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from playwright.sync_api import Page, expect

from engine.entry import Entry
from tests.browser.conftest import Enter
from tests.browser.scene import Scene
from tests.browser.visiting import violations
from wippy_console.models import Decision, Draft, Run
from wippy_console.services import registry
from wippy_console.services.registry import Changes

EDIT = "/registry/edit/app.orders:process/"
START = "/runs/start/?entry=app.orders:process"


def write(page: Page, text: str) -> None:
    page.locator("[data-for=source] .cm-content").click()
    page.keyboard.press("Control+Home")
    page.keyboard.type(text)


def log_in_there(page: Page, name: str) -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()


def log_in_elsewhere(page: Page, name: str) -> None:
    Session.objects.all().delete()
    other = page.context.new_page()
    other.goto("/login/")
    log_in_there(other, name)
    other.wait_for_url("**/")
    other.close()


def saved(page: Page) -> Any:
    return page.expect_response(lambda response: response.url.endswith("/drafts/") and response.status == 204)


def source() -> str:
    return str(registry.entry("app.orders:process").data["source"])


@pytest.fixture
def away(scene: Scene) -> Iterator[str]:
    """A client whose Temporal can't be reached."""
    client = Entry("away:client", "temporal.client", data={"address": "127.0.0.1:1", "connection_timeout": 300})
    registry.publish(scene.stage.cast.administrator, Changes(create=(client,)), base=None, message="away")
    yield client.id
    registry.publish(scene.stage.cast.administrator, Changes(delete=(client.id,)), base=None, message="back")


def test_the_editor_s_text_comes_back_after_a_log_in_on_the_spot(enter: Enter, scene: Scene) -> None:
    page = enter("author")
    page.goto(EDIT)
    write(page, "-- a thought\n")
    Session.objects.all().delete()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("alert")).to_contain_text("Your session has ended, so nothing was sent")
    assert not violations(page)
    log_in_there(page, "author")
    expect(page.locator(".restored")).to_contain_text("Nothing was sent")
    expect(page.locator("[data-for=source] .cm-content")).to_contain_text("-- a thought")
    assert not violations(page)
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("#messages")).to_contain_text("is published as version")
    assert source().startswith("-- a thought\n")
    assert not Draft.objects.exists()


@pytest.mark.parametrize("script", [True, False])
def test_an_answer_survives_the_end_of_the_session(enter: Enter, scene: Scene, script: bool) -> None:
    run = scene.stage.start("app.flows:approval", {"wanted": 1})
    scene.stage.ask(run, "decision", 0)
    page = enter("approver", java_script_enabled=script)
    page.goto(reverse("run", args=(run.workflow_id, run.run_id)))
    page.get_by_role("button", name="Approve").click()
    page.get_by_label("Comment").fill("looks fine")
    page.get_by_label("Reason").fill("within budget")
    Session.objects.all().delete()
    page.locator(".dialog-body").get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Your session has ended, so nothing was sent")).to_be_visible()
    log_in_there(page, "approver")
    expect(page.locator(".restored")).to_contain_text("Nothing was sent")
    expect(page.get_by_label("Comment")).to_have_value("looks fine")
    expect(page.get_by_label("Reason")).to_have_value("within budget")
    assert not Decision.objects.filter(run=run).exists()
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#messages")).to_contain_text("was sent to")
    assert Decision.objects.filter(run=run).count() == 1


@pytest.mark.parametrize("script", [True, False])
def test_an_answer_without_temporal_says_so_in_its_form(enter: Enter, scene: Scene, away: str, script: bool) -> None:
    run = scene.stage.start("app.flows:approval", {"wanted": 1})
    scene.stage.ask(run, "decision", 0)
    Run.objects.filter(pk=run.pk).update(client=away)
    page = enter("approver", java_script_enabled=script)
    page.goto(reverse("run", args=(run.workflow_id, run.run_id)))
    page.get_by_role("button", name="Approve").click()
    page.get_by_label("Comment").fill("looks fine")
    page.get_by_label("Reason").fill("within budget")
    form = page.locator("#dialog form" if script else "main form.dialog-body")
    form.get_by_role("button", name="Approve").click()
    expect(form.get_by_role("alert")).to_contain_text("Your answer is kept, and sent as soon")
    expect(form.get_by_label("Comment")).to_have_value("looks fine")
    expect(page.locator("form.dialog-body:has([name=reason])")).to_have_count(1)


@pytest.mark.parametrize("script", [True, False])
def test_a_form_older_than_the_log_in_says_so_and_can_be_sent_again(enter: Enter, scene: Scene, script: bool) -> None:
    run = scene.stage.start("app.flows:approval", {"wanted": 1})
    scene.stage.ask(run, "decision", 0)
    page = enter("approver", java_script_enabled=script)
    page.goto(reverse("run", args=(run.workflow_id, run.run_id)))
    page.get_by_role("button", name="Approve").click()
    page.get_by_label("Comment").fill("looks fine")
    page.get_by_label("Reason").fill("within budget")
    log_in_elsewhere(page, "approver")
    page.locator(".dialog-body").get_by_role("button", name="Approve").click()
    expect(page.locator(".restored")).to_contain_text("This page was old, so nothing was sent")
    expect(page.get_by_label("Comment")).to_have_value("looks fine")
    assert not Decision.objects.filter(run=run).exists()
    page.locator(".dialog-body").get_by_role("button", name="Approve").click()
    expect(page.get_by_label("Comment")).not_to_be_visible()
    assert Decision.objects.filter(run=run).count() == 1


def test_what_one_typed_is_not_shown_to_another_who_logs_in(enter: Enter, scene: Scene) -> None:
    page = enter("author")
    page.goto(EDIT)
    write(page, "-- private\n")
    Session.objects.all().delete()
    page.get_by_role("button", name="Publish").click()
    log_in_there(page, "root")
    expect(page.locator("#messages")).to_contain_text("belongs to somebody else")
    assert "-- private" not in page.content()
    page.goto(EDIT)
    expect(page.locator("[data-for=source] .cm-content")).not_to_contain_text("-- private")


def test_the_editor_s_draft_outlives_the_tab(enter: Enter, scene: Scene) -> None:
    page = enter("author")
    page.goto(EDIT)
    with saved(page):
        write(page, "-- half a thought\n")
    page.close(run_before_unload=False)
    page = enter("author", width=390)
    page.goto(EDIT)
    expect(page.locator(".restored")).to_contain_text("Restored what you typed at")
    expect(page.locator("[data-for=source] .cm-content")).to_contain_text("-- half a thought")
    page.locator(".restored").get_by_role("button", name="Discard").click()
    expect(page.locator(".restored")).to_have_count(0)
    expect(page.locator("[data-for=source] .cm-content")).not_to_contain_text("-- half a thought")
    assert not Draft.objects.exists()


def test_a_draft_is_not_left_behind_by_what_was_sent_at_once(enter: Enter, scene: Scene) -> None:
    page = enter("author")
    page.goto(EDIT)
    for number in range(3):
        with saved(page):
            write(page, f"-- line {number}\n")
    write(page, "-- and sent\n")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("#messages")).to_contain_text("is published as version")
    page.goto(EDIT)
    expect(page.locator("[data-for=source] .cm-content")).to_contain_text("-- and sent")
    expect(page.locator(".restored")).to_have_count(0)


def test_a_start_form_is_kept_when_the_page_is_left_and_after_back(enter: Enter, scene: Scene) -> None:
    page = enter("operator")
    page.goto(START)
    page.locator("[name=f-order_id]").fill("order 77")
    page.goto("/runs/")
    while not Draft.objects.exists():  # what is sent while a page is left, no page hears of
        page.goto("/runs/")
    page.goto(START)
    expect(page.locator(".restored")).to_contain_text("Restored what you typed at")
    expect(page.locator("[name=f-order_id]")).to_have_value("order 77")


def test_a_dialog_that_was_discarded_does_not_come_back(enter: Enter, scene: Scene) -> None:
    page = enter("approver")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(reverse("run", args=(scene.asking.workflow_id, scene.asking.run_id)))
    page.get_by_role("button", name="Approve").click()
    with saved(page):
        page.get_by_label("Reason").fill("never mind")
    with page.expect_response(lambda response: response.url.endswith("/drafts/discard/")):
        page.locator("#dialog").get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_label("Reason")).to_have_value("")
    expect(page.locator(".restored")).to_have_count(0)
