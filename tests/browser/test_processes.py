"""Processes in the browser, with a node that runs: spawn, message, cancel, terminate, and services."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from engine.entry import Entry
from tests.browser.conftest import Enter
from tests.console.test_processes import LISTENS, SCHEMA, WAITS
from tests.console.test_worker import publish, running_node, until
from wippy_console.models import FeedEvent, Service


@pytest.fixture(scope="module")
def node(site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A node, with what it may run."""
    life = {"lifecycle": {"auto_start": True}}
    publish(
        Entry("app:processes", "process.host", {}, {"host": {"queue_size": 3}}),
        Entry("app:listens", "process.lua", {"title": "Listener", "input_schema": SCHEMA}, {"source": LISTENS}),
        Entry("app:waits", "process.lua", {"title": "Waiter"}, {"source": WAITS}),
        Entry("app:keeper", "process.service", {}, {"process": "waits", "host": "processes", **life}),
    )
    with running_node(tmp_path_factory.mktemp("node") / "node.log"):
        until(lambda: Service.objects.filter(entry_id="app:client", state="running").exists())
        yield


def spawn(page: Page, city: str) -> str:
    """Spawn a listener by the form; its pid."""
    page.goto("/processes/spawn/?entry=app:listens")
    page.get_by_label("City").fill(city)
    page.get_by_role("button", name="Spawn").click()
    expect(page.locator("h1")).to_have_text("Listener")
    return page.locator(".run-id").inner_text()


def test_a_process_is_spawned_messaged_cancelled_and_terminated(enter: Enter, node: None) -> None:
    page = enter("root")
    page.goto("/processes/")
    page.get_by_role("link", name="Spawn a process").click()
    page.get_by_role("link", name="Listener").click()
    page.get_by_role("button", name="Spawn").click()
    expect(page.locator(".errors")).to_contain_text("required")
    pid = spawn(page, "Zürich")
    expect(page.locator("#process")).to_contain_text("for Zürich")

    page.get_by_role("link", name="Message…").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Topic").fill("note")
    dialog.get_by_label("Payload").fill("{broken")
    dialog.get_by_role("button", name="Send").click()
    expect(dialog.locator(".errors")).to_contain_text("no JSON")
    expect(dialog.get_by_label("Payload")).to_have_value("{broken")
    dialog.get_by_label("Payload").fill('{"text": "hello"}')
    dialog.get_by_role("button", name="Send").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#messages")).to_contain_text("was put into the mailbox")
    expect(page.locator("#process")).to_contain_text("user:root noted hello 1")

    page.get_by_role("link", name="Cancel…").click()
    expect(dialog).to_contain_text(pid)
    dialog.get_by_label("Reason").fill("lunch")
    dialog.get_by_role("button", name="Cancel the process").click()
    expect(page.locator("#process")).to_contain_text("stopping since lunch")

    page.get_by_role("link", name="Terminate…").click()
    dialog.get_by_role("button", name="Terminate the process").click()
    expect(dialog.locator(".errors")).to_contain_text("Say why")
    dialog.get_by_label("Reason").fill("enough")
    dialog.get_by_role("button", name="Terminate the process").click()
    expect(page.locator("#process")).to_contain_text("The process has ended")
    rows = FeedEvent.objects.filter(kind="OPERATION", pid=pid).order_by("id")
    assert [(row.data["action"], row.data["user"]) for row in rows] == [
        (action, "root") for action in ("spawn", "message", "cancel", "terminate")
    ]


def test_the_list_finds_a_process_by_its_pid(enter: Enter, node: None) -> None:
    page = enter("root")
    pid = spawn(page, f"Oslo {uuid.uuid4().hex[:6]}")
    page.goto("/processes/")
    page.get_by_label("Search by pid").fill(pid[5:])
    expect(page.locator("#processes tbody tr")).to_have_count(1)
    page.wait_for_url("**q=*")
    page.locator("#processes tbody a.title").click()
    expect(page.locator(".run-id")).to_have_text(pid)


def test_a_full_mailbox_is_said_in_the_dialog_and_on_the_page(enter: Enter, node: None) -> None:
    page = enter("root")
    page.goto("/processes/spawn/?entry=app:waits")
    page.get_by_role("button", name="Spawn").click()
    dialog = page.locator("#dialog")
    for number in range(4):
        page.get_by_role("link", name="Message…").click()
        dialog.get_by_label("Topic").fill(f"note {number}")
        dialog.get_by_role("button", name="Send").click()
        if number < 3:
            expect(dialog).to_be_hidden()
    expect(dialog.get_by_role("alert")).to_contain_text("is full (3 messages)")
    expect(dialog.get_by_label("Topic")).to_have_value("note 3")
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("#process")).to_contain_text("Mailbox full")


def test_a_service_is_stopped_and_started_without_leaving_the_page(enter: Enter, node: None) -> None:
    page = enter("operator")
    page.goto("/processes/")
    row = page.locator("#fleet tr", has_text="app:keeper")
    expect(row).to_contain_text("Running")
    row.get_by_role("link", name="Stop app:keeper").click()
    page.locator("#dialog").get_by_role("button", name="Stop the service").click()
    expect(row).to_contain_text("Stopped")
    row.get_by_role("link", name="Start app:keeper").click()
    page.locator("#dialog").get_by_role("button", name="Start the service").click()
    expect(row).to_contain_text("Running")


def test_the_page_is_whole_without_javascript(enter: Enter, node: None) -> None:
    page = enter("root", java_script_enabled=False)
    page.goto("/processes/?q=waits")
    page.locator("#processes a.title").first.click()
    page.get_by_role("link", name="Cancel…").click()
    page.get_by_label("Reason").fill("no script")
    page.get_by_role("button", name="Cancel the process").click()
    expect(page.locator("#messages")).to_contain_text("was asked to stop")
