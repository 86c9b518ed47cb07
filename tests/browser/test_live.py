"""Live without loss."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Enter
from tests.browser.scene import Scene
from tests.patience import at_most
from wippy_console.models import FeedEvent
from wippy_console.services import feed


def ids(page: Page) -> list[int]:
    return [int(each) for each in page.locator(".feed-row").evaluate_all("all => all.map(row => row.dataset.id)")]


def newest() -> int:
    return FeedEvent.objects.order_by("-id").values_list("id", flat=True)[0]


def cut(page: Page) -> None:
    """Cut the page's connection: its socket breaks and no new one can be made."""
    page.context.set_offline(True)
    page.evaluate("window.sockets.forEach((socket) => socket.close())")
    expect(page.locator("#connection")).not_to_have_text("Live")


@pytest.fixture
def page(enter: Enter, scene: Scene) -> Page:
    made = enter("viewer")
    made.add_init_script(
        "window.sockets = []; const Real = WebSocket;"
        "window.WebSocket = class extends Real { constructor(...all) { super(...all); window.sockets.push(this); } };"
    )
    return made


def test_new_events_appear_on_top_without_a_reload(page: Page, scene: Scene) -> None:
    page.goto("/live/")
    expect(page.locator("#connection")).to_have_text("Live")
    feed.append(feed.STUCK, run=scene.asking, data={"reason": "no worker takes it"})
    expect(page.locator(".feed-row").first).to_contain_text("no worker takes it")
    assert ids(page)[0] == newest()


def test_a_cut_socket_misses_nothing_and_shows_nothing_twice(page: Page, scene: Scene) -> None:
    page.goto("/live/")
    expect(page.locator("#connection")).to_have_text("Live")
    cut(page)
    for number in range(500):
        feed.append(feed.STUCK, run=scene.asking, data={"reason": f"number {number}"})
    page.context.set_offline(False)
    expect(page.locator("#connection")).to_have_text("Live")
    expect(page.locator(".feed-row").first).to_contain_text("number 499")
    shown = ids(page)
    assert len(shown) == len(set(shown))
    assert shown == list(range(shown[0], shown[0] - len(shown), -1))
    fresh = page.context.new_page()
    fresh.goto("/live/")
    assert ids(fresh) == shown[:100]


def test_pause_holds_rows_back_and_resume_brings_them(page: Page, scene: Scene) -> None:
    page.goto("/live/")
    expect(page.locator("#connection")).to_have_text("Live")
    page.get_by_role("button", name="Pause").click()
    before = ids(page)
    feed.append(feed.STUCK, run=scene.asking, data={"reason": "while paused"})
    expect(page.get_by_role("button", name="1 new")).to_be_visible()
    assert ids(page) == before
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".feed-row").first).to_contain_text("while paused")


def test_a_resumed_page_equals_a_fresh_one(page: Page, scene: Scene) -> None:
    """Nothing is kept in the page meanwhile: it is fetched from the cursor, in order, and it says how many came."""
    page.goto("/live/")
    expect(page.locator("#connection")).to_have_text("Live")
    page.get_by_role("button", name="Pause").click()
    before = ids(page)
    for number in range(500):
        feed.append(feed.STUCK, run=scene.asking, data={"reason": f"missed {number}"})
    expect(page.get_by_role("button", name="500 new")).to_be_visible()
    assert ids(page) == before
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".feed-row").first).to_contain_text("missed 499")
    expect(page.locator("#feed-told")).to_contain_text("500 events came meanwhile")
    shown = ids(page)
    assert shown == list(range(shown[0], shown[0] - 500, -1))
    fresh = page.context.new_page()
    fresh.goto("/live/")
    assert ids(fresh) == shown[:100]
    page.get_by_role("link", name="Older events").click()
    page.wait_for_url("**before=*")
    assert ids(page)[0] == shown[-1] - 1


def test_a_page_with_a_filter_hears_only_of_what_matches(page: Page, scene: Scene) -> None:
    page.goto("/live/?q=only+this")
    expect(page.locator("#connection")).to_have_text("Live")
    expect(page.get_by_text("No event matches")).to_be_visible()
    feed.append(feed.STUCK, run=scene.asking, data={"reason": "something else"})
    feed.append(feed.STUCK, run=scene.asking, data={"reason": "this and only this"})
    expect(page.locator(".feed-row")).to_have_count(1)
    expect(page.locator(".feed-row")).to_contain_text("this and only this")
    expect(page.get_by_text("No event matches")).to_have_count(0)
    page.get_by_role("button", name="Pause").click()
    for number in range(3):
        feed.append(feed.STUCK, run=scene.asking, data={"reason": f"only this, {number}"})
        feed.append(feed.STUCK, run=scene.asking, data={"reason": "something else"})
    expect(page.get_by_role("button", name="New events")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".feed-row")).to_have_count(4)
    expect(page.locator(".feed-row").first).to_contain_text("only this, 2")


def test_the_filters_of_the_feed_can_be_kept(page: Page, scene: Scene) -> None:
    page.goto("/live/?kind=STUCK")
    page.get_by_role("link", name="Save view…").click()
    page.get_by_role("dialog").get_by_label("Name").fill("What is stuck")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="What is stuck")).to_have_attribute("aria-current", "page")
    expect(page.locator("summary", has_text="Kinds: STUCK")).to_be_visible()


def test_home_answers_within_one_screen(enter: Enter, scene: Scene) -> None:
    page = enter("operator", width=1440)
    expect(page.locator("#health")).to_contain_text("Temporal")
    for number in range(8):
        data = {"status": "completed", "result": f"a result of {number}" * 9, "user": "operator"}
        feed.append(feed.OPERATION, data={"action": "spawn"})
        feed.append(feed.PUBLISHED, data={"version": number, "author": "ada", "message": str(data)})
    page.goto("/")
    box = page.locator("#home").bounding_box()
    assert box is not None and box["y"] + box["height"] <= 900
    wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]


def test_the_feed_can_be_resumed_from_a_cursor_and_filtered(page: Page, scene: Scene) -> None:
    cursor = newest()
    feed.append(feed.STUCK, run=scene.asking, data={"reason": "after the cursor"})
    page.goto(f"/live/?since={cursor}")
    assert ids(page) == [newest()]
    page.goto("/live/?kind=EXIT")
    assert set(page.locator(".feed-row").evaluate_all("all => all.map(row => row.dataset.kind)")) == {"EXIT"}


def test_older_events_are_paged_and_stay_as_they_are(page: Page, scene: Scene) -> None:
    for number in range(120):
        feed.append(feed.STUCK, run=scene.asking, data={"reason": f"old {number}"})
    page.goto("/live/?kind=STUCK")
    shown = ids(page)
    assert len(shown) == 100
    page.get_by_role("link", name="Older events").click()
    page.wait_for_url("**before=*")
    older = ids(page)
    assert older[0] == shown[-1] - 1
    assert set(page.locator(".feed-row").evaluate_all("all => all.map(row => row.dataset.kind)")) == {"STUCK"}
    expect(page.locator("#connection")).to_have_text("Live")
    feed.append(feed.STUCK, run=scene.asking, data={"reason": "brand new"})
    expect(page.locator("#announce")).to_contain_text("1 new event")
    assert ids(page) == older
    page.get_by_role("link", name="Newest", exact=True).click()
    expect(page.locator(".feed-row").first).to_contain_text("brand new")


def test_a_live_row_names_the_entry_by_its_title(page: Page, scene: Scene) -> None:
    page.goto("/live/")
    expect(page.locator("#connection")).to_have_text("Live")
    feed.append(feed.STUCK, run=scene.asking, data={"reason": "titled"})
    row = page.locator(".feed-row", has_text="titled").first
    expect(row.get_by_role("link")).to_have_text("Approval")


def test_the_runs_list_and_the_badge_change_within_a_second(enter: Enter, page: Page, scene: Scene) -> None:
    approver = enter("approver")
    approver.goto("/inbox/")
    page.goto("/runs/")
    expect(approver.locator("#connection")).to_have_text("Live")
    expect(page.locator("#connection")).to_have_text("Live")
    count = int(approver.locator("#inbox-count").inner_text().split()[0])
    run = scene.stage.start("app.flows:approval", {"wanted": 50})
    expect(page.locator("tbody tr").first).to_contain_text(run.workflow_id[:8])
    expect(page.locator(f"[id='run-{run.run_id}']")).to_contain_text("Running")
    scene.stage.ask(run, "decision", 0)
    expect(page.locator(f"[id='run-{run.run_id}']")).to_contain_text("Waiting for a person", timeout=at_most(2) * 1000)
    expect(approver.locator("#inbox-count")).to_contain_text(str(count + 1), timeout=at_most(2) * 1000)
    expect(approver.locator("#inbox .item")).to_have_count(count + 1)
