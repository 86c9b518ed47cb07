"""A run of ten thousand events is watched from its first calls to its end, in a browser against the whole product."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.conftest import Watched
from tests.patience import PATIENCE
from tests.product import Product
from tests.story.test_browser import assert_never_reloaded, chromium, page, product, without_reload

__all__ = ["chromium", "page", "product"]
pytestmark = pytest.mark.story

CALLS = 3_340
MOST_NODES = 120
ENTRIES = """\
version: "1.0"
namespace: long
entries:
  - {name: odd, kind: function.lua, source: "return function(i) return {number = i} end"}
  - {name: even, kind: function.lua, source: "return function(i) return {number = i} end"}
  - name: many
    kind: workflow.lua
    modules: [funcs]
    source: |
      local funcs = require("funcs")
      return function(calls)
        local batch = {}
        for i = 1, calls do
          batch[#batch + 1] = funcs.async(i % 2 == 0 and "long:even" or "long:odd", i)
          if #batch == 20 or i == calls then
            for _, call in ipairs(batch) do call:response():receive() end
            batch = {}
            if i == 20 then process.inbox():receive() end
          end
        end
        return calls
      end
"""
"""Neighbours differ, so that they are rows of their own and no loop."""


class Traffic:
    """What the open page fetched: bytes by the kind of answer."""

    def __init__(self, page: Page) -> None:
        self.documents, self.heads, self.rows = 0, list[int](), list[int]()
        page.on("response", self._count)

    def _count(self, response: Response) -> None:
        size = int(response.headers.get("content-length", 0))
        if "timeline.json" in response.url:
            self.rows.append(size)
        elif response.request.resource_type == "document":
            self.documents += 1
        elif "/runs/" in response.url and response.request.headers.get("hx-request"):
            self.heads.append(size)


def test_ten_thousand_events_come_while_a_row_is_open(page: Page, product: Product, tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_text(ENTRIES)
    product.manage("apply", str(tmp_path))
    pid = str(product.manage("start", "long:many", "--id", "long-1", "--input", str(CALLS))["pid"])
    open_run(page)
    watched, traffic = Watched(page), Traffic(page)
    read = page.locator(".tl-item", has=page.locator(".tl-summary", has_text="7")).first
    read.locator("summary").first.click()
    expect(read.get_by_text("Output")).to_be_visible()
    without_reload(page)
    place = read.evaluate("each => each.getBoundingClientRect().top")
    product.manage("signal", pid, "go")
    expect(page.locator("#run-status").get_by_text("Completed")).to_be_visible(timeout=4 * PATIENCE * 1000)
    assert_in_place(read, place)
    events = page.locator("#history .hint", has_text="events").first
    expect(events).to_contain_text("events")
    assert int("".join(filter(str.isdigit, events.inner_text()))) >= 10_000
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.locator(".tl-item .tl-name").get_by_text("EXIT", exact=True)).to_be_visible()
    assert page.locator(".tl-item").count() <= MOST_NODES
    assert_never_reloaded(page)
    assert traffic.documents == 0
    assert max(traffic.heads) < 60_000, "the head is fetched anew, never the rows with it"
    assert sum(traffic.rows) < 400 * 3 * CALLS, "each row comes a few times, not all rows with each look"
    assert watched.complaints == []


def open_run(page: Page) -> None:
    """Its page, as it waits to go on after the first calls."""
    page.goto("/runs/?q=long-1")
    page.locator("main").get_by_role("link", name="long:many").first.click()
    page.locator(".tl-rows.pooled .tl-item").nth(19).wait_for()


def assert_in_place(row: Any, place: float) -> None:
    """The open row is open, its content there, and it stands where it stood, but for what the head needs."""
    assert row.locator("details").first.evaluate("each => each.open")
    expect(row.get_by_text("Output")).to_be_visible()
    assert row.evaluate("each => each.contains(document.activeElement)"), "the focus is where it was"
    assert abs(row.evaluate("each => each.getBoundingClientRect().top") - place) < 12
