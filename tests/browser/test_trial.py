"""A function tried from its page, on a node that runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from engine.entry import Entry
from tests.browser.conftest import Enter
from tests.console.test_worker import publish, running_node, until
from wippy_console.models import Run, Service

SCHEMA = {
    "type": "object",
    "properties": {"price": {"type": "integer", "title": "Price", "minimum": 1}},
    "required": ["price"],
}
DOUBLES = "return {main = function(order) return {total = order.price * 2, big = 9007199254740993} end}"
ADDS = "return {main = function(a, b) if not b then error('no second number') end return a + b end}"
SLEEPS = "local time = require('time') return {main = function() time.sleep('1m') end}"


@pytest.fixture(scope="module")
def node(site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A node, with what may be tried."""
    publish(
        Entry("app:doubles", "function.lua", {"title": "Doubler", "input_schema": SCHEMA}, {"source": DOUBLES}),
        Entry("app:adds", "function.lua", {}, {"source": ADDS}),
        Entry("app:sleeps", "function.lua", {}, {"source": SLEEPS, "modules": ["time"]}),
    )
    with running_node(tmp_path_factory.mktemp("node") / "node.log"):
        until(lambda: Service.objects.filter(entry_id="app:client", state="running").exists())
        yield


def test_a_function_is_tried_by_the_form_of_its_schema(enter: Enter, node: None) -> None:
    page, before = enter("author"), Run.objects.count()
    page.goto("/registry/app:doubles/")
    page.get_by_role("link", name="Try", exact=True).click()
    page.get_by_role("button", name="Call").click()
    expect(page.locator(".errors").first).to_contain_text("required")
    page.get_by_label("Price").fill("21")
    page.get_by_role("button", name="Call").click()
    came = page.get_by_role("region", name="What came of it")
    expect(came).to_contain_text("It returned")
    expect(came).to_contain_text('"total": 42')
    expect(came).to_contain_text("9007199254740993")
    expect(page.get_by_label("Price")).to_have_value("21")
    assert Run.objects.count() == before


def test_a_failure_is_told_with_its_line_and_a_slow_one_with_its_time(enter: Enter, node: None) -> None:
    page = enter("author")
    page.goto("/registry/try/app:adds/")
    page.get_by_label("Arguments").fill("{}")
    page.get_by_role("button", name="Call").click()
    expect(page.locator(".errors").first).to_contain_text("Write a JSON list")
    page.get_by_label("Arguments").fill("[1]")
    page.get_by_role("button", name="Call").click()
    came = page.get_by_role("region", name="What came of it")
    expect(came).to_contain_text("no second number")
    expect(came).to_contain_text("app:adds:1")
    page.get_by_label("Arguments").fill("[1, 2]")
    page.get_by_role("button", name="Call").click()
    expect(came.locator("pre")).to_have_text("3")

    page.goto("/registry/try/app:sleeps/")
    page.get_by_label("Seconds").fill("1")
    page.get_by_role("button", name="Call").click()
    expect(came).to_contain_text("Timeout")


@pytest.mark.parametrize("who", ["viewer", "operator"])
def test_who_may_not_call_is_not_offered_it(enter: Enter, node: None, who: str) -> None:
    page = enter(who)
    page.goto("/registry/app:doubles/")
    expect(page.get_by_role("link", name="Try", exact=True)).to_have_count(0)
    answered = page.goto("/registry/try/app:doubles/")
    assert answered is not None and answered.status == 404
