"""The main job as an operator does it, in a real browser against the whole product; processes die meanwhile."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, Watched
from tests.patience import PATIENCE
from tests.product import Product, running

pytestmark = pytest.mark.story
expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running(tmp_path_factory.mktemp("browser-story") / "data") as started:
        yield started


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield made
        made.close()


@pytest.fixture
def page(chromium: Browser, product: Product) -> Iterator[Page]:
    """A browser in which the first administrator has logged in."""
    context = chromium.new_context(base_url=product.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto("/runs/")
    page.get_by_label("Username").fill(product.login["username"])
    page.get_by_label("Password").fill(product.login["password"])
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/runs/")
    yield page
    context.close()


def start_order(page: Page, number: str) -> None:
    """Start an order of 250, which waits for approval; ends on its page."""
    page.goto("/runs/start/")
    page.get_by_role("link", name=re.compile("^Order")).click()
    page.get_by_label("Order number").fill(number)
    page.get_by_label("Time that each step takes").fill("500ms")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(re.compile(r"/runs/order_processor-[^/]+/[^/]+/"))


def approve(page: Page) -> None:
    page.get_by_role("button", name="Approve").or_(page.get_by_role("link", name="Approve")).first.click()
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()


def without_reload(page: Page) -> None:
    """Mark the document: a reload would lose the mark."""
    page.evaluate("document.documentElement.dataset.mark = 'same'")


def assert_never_reloaded(page: Page) -> None:
    assert page.evaluate("document.documentElement.dataset.mark") == "same"


def test_an_order_is_started_seen_waiting_approved_and_seen_to_end_without_a_reload(page: Page) -> None:
    watched = Watched(page)
    start_order(page, "story-1")
    without_reload(page)
    expect(page.get_by_text("Waiting for a person").first).to_be_visible()
    expect(page.get_by_role("link", name=re.compile(r"^Inbox\s*1"))).to_be_visible()
    approve(page)
    expect(page.locator("main").get_by_text("app.payments:charge").first).to_be_visible()
    expect(page.locator("main").get_by_text("EXIT", exact=True).first).to_be_visible()
    expect(page.locator("main").get_by_text("Completed").first).to_be_visible()
    expect(page.locator("main").get_by_text("shipped").first).to_be_visible()
    assert_never_reloaded(page)
    assert watched.complaints == []


def test_the_feed_shows_the_exit_as_it_happens(page: Page, product: Product) -> None:
    page.goto("/live/")
    without_reload(page)
    order = '{"order_id": "story-2", "amount": 5, "step_delay": "10ms"}'
    product.manage("start", "app.orders:order_processor", "--id", "story-2", "--input", order)
    expect(
        page.locator("main").get_by_text("story-2 completed").or_(page.get_by_text("completed after")).first
    ).to_be_visible()
    assert_never_reloaded(page)


def test_every_process_dies_while_the_page_is_open_and_the_approval_still_counts_once(
    page: Page, product: Product
) -> None:
    start_order(page, "story-3")
    expect(page.get_by_text("Waiting for a person").first).to_be_visible()
    without_reload(page)
    before = product.children()
    for name in ("worker", "temporal", "web"):
        product.kill(name)
    for name, pid in before.items():
        product.wait_back(name, pid)
    expect(
        page.get_by_role("status").filter(has_text="Live").or_(page.get_by_text("Live", exact=True)).first
    ).to_be_visible()
    approve(page)
    expect(page.locator("main").get_by_text("Completed").first).to_be_visible()
    run = page.url.split("/runs/")[1].split("/")[0]
    history = product.manage("history", f"{{app:temporal_client@app:temporal_worker|{run}}}")
    names = (
        [event["type"] for event in history["events"]] if isinstance(history, dict) else [e["type"] for e in history]
    )
    assert names.count("WorkflowExecutionSignaled") == 1
    assert_never_reloaded(page)


def test_an_edited_workflow_leaves_sleeping_runs_on_their_old_code(
    page: Page, product: Product, tmp_path: Path
) -> None:
    old = start_sleeper(product, tmp_path, "old", "sleeper-1")
    new = start_sleeper(product, tmp_path, "new", "sleeper-2")
    for pid in (old, new):
        product.manage("signal", pid, "wake")
    for run, word in (("sleeper-1", "old"), ("sleeper-2", "new")):
        page.goto(f"/runs/?q={run}")
        page.locator("main").get_by_role("link", name=run).first.click()
        expect(page.locator("main").get_by_text("Completed").first).to_be_visible()
        expect(page.locator("main pre").get_by_text(f"{word} code").first).to_be_visible()


def start_sleeper(product: Product, folder: Path, word: str, workflow_id: str) -> str:
    """Publish a workflow that says `word` after its nap, and start a run of it; returns the pid."""
    source = f"return {{main = function() process.inbox():receive() return '{word} code' end}}"
    head = "namespace: story\nentries:\n  - name: sleeper\n    kind: workflow.lua\n    method: main\n"
    text = f'{head}    source: "{source}"\n'
    (folder / "_index.yaml").write_text(text)
    product.manage("apply", str(folder))
    return str(product.manage("start", "story:sleeper", "--id", workflow_id)["pid"])


@pytest.fixture(autouse=True, scope="module")
def orm_beside_playwright() -> Iterator[None]:
    """Playwright runs an event loop on this thread; Django must not mind."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
