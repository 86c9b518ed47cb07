"""The timeline in the browser: a pool of rows over thousands of events, patched in place while the run goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Enter
from tests.browser.long import a_long_run
from tests.browser.scene import Scene, archived
from tests.browser.visiting import violations
from wippy_console.models import Run

CALLS = 3_333
MOST = 120
BEGAN = 1_800_000_000_000
STEP = 1_000
ORDER = """() => [...document.querySelectorAll(".tl-item")].map(each => Number(each.getAttribute("aria-posinset")))"""
OVERLAPS = """() => {
    const boxes = [...document.querySelectorAll(".tl-scale text")].map(each => each.getBoundingClientRect())
        .sort((a, b) => a.left - b.left);
    return boxes.filter((box, place) => place && box.left < boxes[place - 1].right).length;
}"""


@pytest.fixture(scope="module")
def long(scene: Scene) -> Run:
    """A run of ten thousand events that has ended."""
    return a_long_run(CALLS)


def address(run: Run, name: str = "run", *args: object) -> str:
    return reverse(name, args=(run.workflow_id, run.run_id, *args))


def pooled(page: Page) -> None:
    page.locator(".tl-rows.pooled .tl-item").first.wait_for()


def row(page: Page, key: object) -> Locator:
    return page.locator(f'[id="row-{key}"]')


def top(page: Page, key: object) -> float:
    """Where a row is on the screen."""
    return float(row(page, key).evaluate("each => each.getBoundingClientRect().top"))


def settle(page: Page) -> None:
    """Wait for two frames: what a scroll asked for is drawn."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


class Server:
    """Stands for the server's `timeline.json` and a row's details: a run of calls, one a second, that grows as told."""

    def __init__(self, page: Page, run: Run, calls: int) -> None:
        self.page, self.run = page, run
        self.rows: dict[Any, Any] = {1: self.head()}
        self.is_open, self.is_well, self.asked, self.bytes, self.details = True, True, 0, [0], 0
        self.version, self.changed, self.gone = 0, dict[Any, int](), list[int]()
        self.state = {"key": "running", "word": "", "text": ""}
        for number in range(calls):
            self.add(2 + 3 * number)
        page.route("**/timeline.json*", self.answer)
        page.route("**/rows/*/", self.detail)

    def head(self, **more: Any) -> dict[str, Any]:
        return {"id": 1, "kind": "workflow", "label": "Long", "state": "running", "word": "Running", "tone": "run",
                "icon": "workflow", "start": BEGAN, "started": BEGAN, "order": BEGAN, **more}  # fmt: skip

    def add(self, number: int, **more: Any) -> None:
        at = BEGAN + number * STEP // 3
        self.put({"id": number, "kind": "activity", "label": f"call {number}", "state": "completed",
                  "word": "Completed", "tone": "ok", "icon": "square-function", "start": at, "started": at,
                  "end": at + 500, "order": at, **more})  # fmt: skip

    def put(self, row: dict[str, Any]) -> None:
        self.version += 1
        self.rows[row["id"]] = row
        self.changed[row["id"]] = self.version

    def grow(self, rows: int) -> list[int]:
        first = self.last + 3
        added = [first + 3 * number for number in range(rows)]
        for number in added:
            self.add(number)
        self.hint()
        return added

    def end(self) -> None:
        self.is_open = False
        self.put(self.head(state="completed", word="Completed", tone="ok", end=self.now))
        self.hint()

    def hint(self) -> None:
        self.page.evaluate(f"document.body.dispatchEvent(new CustomEvent('feed-run-{self.run.run_id}'))")

    @property
    def last(self) -> int:
        """The newest row's id."""
        return max(key for key in self.rows if isinstance(key, int))

    @property
    def now(self) -> int:
        return BEGAN + self.last * STEP // 3 + STEP

    def answer(self, route: Route) -> None:
        self.asked += 1
        if not self.is_well:
            route.fulfill(status=503, body="down")
            return
        since = int(route.request.url.partition("after=")[2] or -1)
        rows = [each for key, each in self.rows.items() if self.changed.get(key, 0) > since]
        body = json.dumps({
            "cursor": str(self.version), "whole": since < 0, "events": len(self.rows) * 3, "open": self.is_open,
            "began": BEGAN, "ended": None if self.is_open else self.now, "now": self.now,
            "state": self.state if self.is_open else {"key": "completed", "word": "", "text": ""},
            "knots": [[0, 0], [self.now - BEGAN, 100]], "gaps": [], "rows": rows, "gone": self.gone,
        })  # fmt: skip
        self.bytes.append(len(body))
        route.fulfill(content_type="application/json", body=body)

    def detail(self, route: Route) -> None:
        self.details += 1
        number = route.request.url.rstrip("/").rpartition("/")[2]
        lines = "\n".join(f"line {each} of {number}" for each in range(60))
        route.fulfill(
            content_type="text/html",
            body=f'<dl class="kv"><dt>Fetched</dt><dd>{self.details}</dd></dl><pre class="json short" tabindex="0">'
            f'<code>{lines}</code></pre><p><a href="#inside">inside {number}</a></p>',
        )


@pytest.fixture
def page(enter: Enter) -> Page:
    return enter("viewer", width=1440)


def test_ten_thousand_events_take_no_more_than_a_hundred_and_twenty_rows(page: Page, long: Run) -> None:
    page.goto(address(long))
    pooled(page)
    total = int(page.locator(".tl-item").first.get_attribute("aria-setsize") or 0)
    assert total == CALLS + 2
    height = page.evaluate("document.documentElement.scrollHeight")
    for part in range(11):
        page.evaluate(f"scrollTo(0, {height * part / 10})")
        settle(page)
        places = page.evaluate(ORDER)
        assert 0 < len(places) <= MOST
        assert places == sorted(set(places))
    expect(page.locator(".tl-item").last).to_contain_text("EXIT")
    assert page.evaluate("document.querySelectorAll('*').length") < 2_500


def test_an_open_row_keeps_its_content_focus_selection_and_scroll_while_the_run_grows_and_ends(
    page: Page, long: Run
) -> None:
    server = Server(page, long, 3_000)
    page.goto(address(long))
    pooled(page)
    sent = len(server.bytes)
    row(page, 11).locator("summary").click()
    inside = row(page, 11).locator(".tl-detail")
    inside.locator("a").focus()
    inside.locator("pre").evaluate("each => each.scrollTo(0, 137)")
    inside.locator("dd").evaluate("each => getSelection().selectAllChildren(each)")
    page.evaluate("document.querySelector('#row-11').scrollIntoView()")
    settle(page)
    before = top(page, 11)
    for _ in range(5):
        server.grow(100)
        expect(page.locator("#tl-count")).to_have_text(f"{len(server.rows) * 3} events")
    server.end()
    expect(page.locator("#tl-count")).to_have_text(f"{len(server.rows) * 3} events")
    expect(page.locator("#timeline")).not_to_have_attribute("data-open", "")
    expect(row(page, 11).locator("details")).to_have_attribute("open", "")
    assert page.evaluate("document.activeElement.textContent") == "inside 11"
    assert page.evaluate("getSelection().toString()") == "1"
    assert inside.locator("pre").evaluate("each => each.scrollTop") == 137
    assert abs(top(page, 11) - before) < 1
    assert server.details == 1
    assert max(server.bytes[sent:]) < 40_000
    assert page.locator(".tl-item").count() <= MOST


def test_a_row_that_was_opened_before_the_rows_came_is_open_and_has_the_focus(page: Page, long: Run) -> None:
    server = Server(page, long, 20)
    held: list[Route] = []
    page.unroute("**/timeline.json*")
    page.route("**/timeline.json*", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks its handlers
    with page.expect_request("**/timeline.json*"):
        page.goto(address(long))
    row(page, 2).locator("summary").click()
    expect(row(page, 2).locator("details")).to_have_attribute("open", "")
    server.answer(held[0])
    pooled(page)
    expect(row(page, 2).locator("dd")).to_have_text("1")
    assert page.evaluate("document.activeElement.closest('.tl-item').id") == "row-2"


def test_a_row_that_is_scrolled_away_comes_back_open_and_scrolled(page: Page, long: Run) -> None:
    Server(page, long, 2_000)
    page.goto(address(long))
    pooled(page)
    row(page, 5).locator("summary").click()
    row(page, 5).locator("pre").evaluate("each => each.scrollTo(0, 90)")
    page.locator("h1").click()
    page.evaluate("scrollTo(0, 40000)")
    settle(page)
    expect(row(page, 5)).to_have_count(0)
    page.evaluate("scrollTo(0, 0)")
    expect(row(page, 5).locator("dd")).to_have_text("1")
    assert row(page, 5).locator("pre").evaluate("each => each.scrollTop") == 90


def test_who_scrolled_away_is_told_how_many_are_new_and_not_moved_and_who_is_at_the_end_follows(
    page: Page, long: Run
) -> None:
    server = Server(page, long, 400)
    page.goto(address(long))
    pooled(page)
    page.evaluate("scrollTo(0, 4000)")
    settle(page)
    held = page.evaluate(
        "[...document.querySelectorAll('.tl-item')].find(each => each.getBoundingClientRect().top > 200).id"
    ).removeprefix("row-")
    before = top(page, held)
    server.grow(12)
    expect(page.locator("#tl-new")).to_have_text("12 new")
    assert abs(top(page, held) - before) < 1
    page.locator("#tl-new").click()
    newest = server.last
    expect(row(page, newest)).to_be_in_viewport()
    expect(page.locator("#tl-new")).to_be_hidden()
    added = server.grow(30)
    expect(row(page, added[-1])).to_be_in_viewport()
    expect(page.locator("#tl-new")).to_be_hidden()


def test_rows_above_come_and_grow_without_moving_what_is_read(page: Page, long: Run) -> None:
    server = Server(page, long, 400)
    page.goto(f"{address(long)}?order=desc")
    pooled(page)
    page.evaluate("scrollTo(0, 5000)")
    settle(page)
    held = page.evaluate(
        "[...document.querySelectorAll('.tl-item')].find(each => each.getBoundingClientRect().top > 200).id"
    ).removeprefix("row-")
    before = top(page, held)
    server.grow(25)
    expect(page.locator("#tl-new")).to_have_text("25 new")
    assert abs(top(page, held) - before) < 1
    page.locator(".about > summary").evaluate("each => each.click()")
    settle(page)
    assert abs(top(page, held) - before) < 1


def test_a_call_that_is_tried_again_tells_each_attempt_by_itself_and_its_open_detail_follows(
    page: Page, long: Run
) -> None:
    server = Server(page, long, 3)
    failing: dict[str, Any] = {"state": "scheduled", "word": "Retrying", "tone": "warn", "end": None, "started": None}
    server.add(11, **failing, attempt=14, failure="gateway says 503", deadline=server.now - 5_000)
    page.goto(address(long))
    pooled(page)
    expect(row(page, 11)).to_contain_text("gateway says 503")
    expect(row(page, 11)).not_to_contain_text("overdue")
    row(page, 11).locator("summary").click()
    expect(row(page, 11).locator("dd")).to_have_text("1")
    server.add(11, **failing, attempt=19, failure="gateway says 504", deadline=server.now + 3_000)
    expect(row(page, 11)).to_contain_text("gateway says 504")
    expect(row(page, 11).locator(".tag").first).to_have_text("19")
    expect(row(page, 11).locator("dd")).to_have_text("2")


@pytest.mark.parametrize("scrolled", [0, 60], ids=["from the top", "scrolled"])
def test_the_overview_comes_without_moving_the_rows(page: Page, long: Run, scrolled: int) -> None:
    server = Server(page, long, 450)
    page.goto(address(long))
    pooled(page)
    page.set_viewport_size({"width": 1440, "height": 1400})
    page.evaluate(f"scrollTo(0, {scrolled})")
    row(page, 8).locator("summary").click()
    row(page, 8).locator("pre").wait_for()
    assert page.locator(".tl-map").is_hidden()
    before = top(page, 8)
    server.grow(100)
    expect(page.locator(".tl-map")).to_be_visible()
    settle(page)
    assert abs(top(page, 8) - before) < 1


def test_the_row_of_the_run_says_how_the_run_stands(page: Page, long: Run) -> None:
    server = Server(page, long, 30)
    server.state = {"key": "retrying", "word": "Retrying", "icon": "rotate-ccw", "tone": "warn", "text": "attempt 4"}
    page.goto(address(long))
    pooled(page)
    expect(row(page, 1).locator(".status")).to_have_text("Retrying")
    server.state = {"key": "waiting", "word": "Waiting for a person", "icon": "hourglass", "tone": "wait", "text": ""}
    server.hint()
    expect(row(page, 1).locator(".status")).to_have_text("Waiting for a person")
    server.end()
    expect(row(page, 1).locator(".status")).to_have_text("Completed")


def test_a_server_that_fails_is_told_and_asked_again(page: Page, long: Run) -> None:
    server = Server(page, long, 5)
    page.goto(address(long))
    pooled(page)
    server.is_well = False
    server.hint()
    expect(page.locator("#tl-live")).to_have_text("Not live")
    server.is_well = True
    expect(page.locator("#tl-live")).to_be_hidden()


def test_filters_act_at_once_stay_in_the_address_and_show_what_the_server_shows(
    page: Page, enter: Enter, long: Run
) -> None:
    page.goto(address(long))
    pooled(page)
    page.locator("#tl-only").select_option("failed")
    page.wait_for_url("**only=failed*")
    expect(page.locator(".tl-item").first).to_have_attribute("aria-setsize", str(CALLS // 100))
    page.locator("#tl-find").fill("SHIP")
    page.wait_for_url("**find=SHIP*")
    shown = set(page.locator(".tl-item").evaluate_all("all => all.map(each => each.id)"))
    plain = enter("viewer", java_script_enabled=False)
    plain.goto(page.url)
    assert "Loading" not in (plain.locator("#timeline").text_content() or "")
    served = {each.get_attribute("id") for each in plain.locator(".tl-item").all()}
    assert shown
    assert shown <= served
    page.locator("#tl-find").fill("nothing like this")
    expect(page.locator("#tl-none")).to_be_visible()


def test_a_tab_and_back_finds_the_same_rows_open_at_the_same_place(page: Page, long: Run) -> None:
    page.goto(address(long))
    pooled(page)
    page.evaluate("scrollTo(0, 6000)")
    settle(page)
    key = page.evaluate("document.querySelectorAll('.tl-item')[14].id").removeprefix("row-")
    row(page, key).locator("summary").click()
    expect(row(page, key).locator(".tl-detail dl")).to_be_visible()
    page.evaluate("scrollTo(0, 6100)")
    settle(page)
    before = top(page, key)
    for name in ("Audit", "Timeline"):  # not by the mouse, which would scroll up to the tabs
        tab = page.get_by_role("navigation", name="History").get_by_role("link", name=name)
        with page.expect_navigation():
            tab.evaluate("each => each.click()")
    expect(row(page, key).locator(".tl-detail dl")).to_be_visible()
    assert abs(top(page, key) - before) < 2


def test_keys_walk_and_open_rows_beyond_the_pool(page: Page, long: Run) -> None:
    page.goto(address(long))
    pooled(page)
    for _ in range(150):
        page.keyboard.press("j")
    focused = "document.activeElement.closest('.tl-item')"
    assert page.evaluate(f"{focused}.getAttribute('aria-posinset')") == "150"
    assert page.evaluate(f"{focused}.getBoundingClientRect().bottom < innerHeight")
    page.keyboard.press("Enter")
    expect(page.locator("details.here .tl-detail dl")).to_be_visible()
    page.keyboard.press("k")
    assert page.evaluate(f"{focused}.getAttribute('aria-posinset')") == "149"


def test_the_axis_zooms_by_keys_and_its_labels_never_overlap(page: Page, long: Run) -> None:
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(address(long))
        pooled(page)
        page.locator("#tl-scale").focus()
        for key in ("+", "+", "ArrowRight", "+", "+", "+", "+", "-", "ArrowLeft", "+", "+", "+", "End", "Home"):
            page.keyboard.press(key)
            assert page.evaluate(OVERLAPS) == 0
        assert page.locator(".tl-scale text").count() >= 2
        expect(page.locator("#timeline")).to_have_attribute("data-zoomed", "")
        page.keyboard.press("0")
        expect(page.locator("#timeline")).not_to_have_attribute("data-zoomed", "")


def test_the_axis_zooms_by_dragging_and_by_the_wheel_with_control(page: Page, long: Run) -> None:
    page.goto(address(long))
    pooled(page)
    axis = page.locator("#tl-scale")
    axis.scroll_into_view_if_needed()
    box = axis.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 100, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, middle, steps=4)
    page.mouse.up()
    expect(page.locator("#timeline")).to_have_attribute("data-zoomed", "")
    axis.dblclick()
    expect(page.locator("#timeline")).not_to_have_attribute("data-zoomed", "")
    wheel = """(each, ctrlKey) => each.dispatchEvent(
        new WheelEvent("wheel", { deltaY: -100, ctrlKey, cancelable: true, bubbles: true }))"""
    assert axis.evaluate(wheel, False) is True  # it scrolls
    assert axis.evaluate(wheel, True) is False
    expect(page.locator("#timeline")).to_have_attribute("data-zoomed", "")


def test_rows_that_become_a_loop_while_one_is_open_go_on_being_seen(page: Page, long: Run) -> None:
    server = Server(page, long, 4)
    page.goto(address(long))
    pooled(page)
    row(page, 5).locator("summary").click()
    expect(row(page, 5).locator("dd")).to_be_visible()
    for number in (2, 5, 8, 11):
        server.add(number, loop="L2")
    server.put({"id": "L2", "kind": "loop", "label": "call", "state": "completed", "word": "Completed", "tone": "ok",
                "icon": "repeat", "start": BEGAN, "end": server.now, "count": 4,
                "order": server.rows[2]["order"]})  # fmt: skip
    server.hint()
    expect(row(page, "L2")).to_be_visible()
    expect(row(page, 5).locator("details")).to_have_attribute("open", "")


def test_the_overview_of_a_long_run_moves_the_view(page: Page, long: Run) -> None:
    page.goto(address(long))
    pooled(page)
    overview = page.get_by_role("slider", name="Overview of all rows")
    overview.focus()
    page.keyboard.press("End")
    expect(page.locator(".tl-item").last).to_contain_text("EXIT")
    page.keyboard.press("Home")
    expect(row(page, 1)).to_be_in_viewport()
    overview.click()
    settle(page)
    now = int(overview.get_attribute("aria-valuenow") or 0)
    assert CALLS / 3 < now < CALLS * 2 / 3


def test_a_loop_is_one_row_until_it_is_opened(page: Page, long: Run) -> None:
    server = Server(page, long, 2)
    for number in range(11, 71, 3):
        server.add(number, loop="L11")
    server.put({"id": "L11", "kind": "loop", "label": "charge", "state": "completed", "word": "Completed", "tone": "ok",
                "icon": "repeat", "start": server.rows[11]["start"], "end": server.rows[68]["end"], "count": 20,
                "order": server.rows[11]["order"]})  # fmt: skip
    page.goto(address(long))
    pooled(page)
    expect(page.locator(".tl-item")).to_have_count(4)
    opener = row(page, "L11").get_by_role("button", name="The 20 rows of charge")
    opener.click()
    expect(row(page, "L11")).to_have_attribute("aria-setsize", "24")
    expect(row(page, 11)).to_be_visible()
    opener.click()
    expect(page.locator(".tl-item")).to_have_count(4)


def test_a_child_opens_in_place(page: Page, long: Run) -> None:
    child = archived("everything", "completed", workflow_id="a child to open")
    server = Server(page, long, 2)
    page.unroute("**/timeline.json*")
    page.route(f"**{address(long)}timeline.json*", server.answer)
    server.add(11, kind="child", child=[child.workflow_id, child.run_id], href=address(child))
    page.goto(address(long))
    pooled(page)
    row(page, 11).get_by_role("button", name="The rows of child").click()
    expect(row(page, "11/1")).to_be_visible()
    total = int(row(page, 11).get_attribute("aria-setsize") or 0)
    assert total > 8
    page.unroute("**/rows/*/")
    row(page, "11/1").locator("summary").click()
    expect(row(page, "11/1").locator(".tl-detail dl")).to_be_visible()


def test_lanes_pack_rows_and_lead_back_to_the_list(page: Page, scene: Scene) -> None:
    page.goto(f"{address(scene.asking)}?lane=1")
    pooled(page)
    expect(page.locator(".tl-lane").first).to_contain_text("People")
    page.locator(".tl-lane a").first.click()
    expect(page.locator(".tl-lane")).to_have_count(0)
    expect(page.locator("details.here")).to_have_attribute("open", "")


def test_a_real_run_that_ends_while_one_reads_leaves_the_row_open_and_the_reader_in_place(
    enter: Enter, scene: Scene
) -> None:
    run = scene.stage.start("app.flows:approval", {"wanted": 50, "item": "Laptop"})
    scene.stage.ask(run, "decision", 0)
    page = enter("approver", width=1440)
    page.goto(address(run))
    pooled(page)
    row(page, 1).locator("summary").click()
    detail = row(page, 1).locator(".tl-detail")
    expect(detail).to_contain_text("Laptop")
    detail.locator("dd").first.evaluate("each => getSelection().selectAllChildren(each)")
    page.evaluate("window.sameDocument = true")
    page.get_by_role("button", name="Reject").click()
    page.locator("#dialog").get_by_role("button", name="Reject").click()
    expect(page.locator("#timeline")).to_contain_text("decision")
    expect(row(page, 1).locator("details")).to_have_attribute("open", "")
    expect(detail).to_contain_text("Laptop")
    assert page.evaluate("window.sameDocument") is True


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_pool_with_open_rows_its_overview_and_lanes_are_accessible(
    enter: Enter, scene: Scene, long: Run, theme: Any
) -> None:
    page = enter("viewer", color_scheme=theme, reduced_motion="reduce")
    page.goto(f"{address(long)}?only=failed")
    pooled(page)
    page.locator(".tl-item summary").first.click()
    page.locator(".tl-detail dl").wait_for()
    assert not violations(page)
    page.goto(address(long))
    pooled(page)
    page.locator(".tl-map").wait_for()
    assert not violations(page)
    page.goto(f"{address(scene.asking)}?lane=1")
    page.locator(".tl-lane").first.wait_for()
    assert not violations(page)
