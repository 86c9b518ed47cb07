"""The list of runs in the browser: columns, saved views, and rows that come while somebody reads."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.conftest import Enter, Watched
from tests.browser.scene import Scene
from tests.console.operating import CLIENT
from wippy_console.models import ListSettings, Run, SavedView
from wippy_console.models.runs import lines


def many(count: int, word: str = "listed") -> list[Run]:
    """Closed runs, the newest last."""
    now = timezone.now()
    return Run.objects.bulk_create(
        Run(run_id=str(uuid.uuid4()), workflow_id=f"{word}-{n}", entry_id="app.orders:process", namespace="app.orders",
            client=CLIENT, status="completed", started_at=now - timedelta(seconds=count - n), closed_at=now,
            keys={"order.id": str(n)}, summary=f"number {n}", result={"total": n},
            search=lines([f"{word}-{n}", f"order.id={n}"]))
        for n in range(count)
    )  # fmt: skip


def refresh(page: Page) -> None:
    """What an event of the feed makes a page do, and its end."""
    with page.expect_response(lambda answer: "/runs/" in answer.url):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('feed-runs'))")


def test_columns_are_chosen_and_remembered_and_dense_rows_fit_many(enter: Enter, scene: Scene) -> None:
    many(60)
    page = enter("operator", width=1440)
    watched = Watched(page)
    page.goto("/runs/?q=listed")
    page.locator("#columns summary").click()
    for name in ("Keys", "Result or error", "Dense rows"):
        page.get_by_label(name, exact=True).check()
    page.get_by_label("Took", exact=True).uncheck()
    page.get_by_role("button", name="Show these").click()
    heads = page.locator("#runs thead th")
    expect(heads.filter(has_text="Result or error")).to_be_visible()
    expect(heads.filter(has_text="Took")).to_have_count(0)
    expect(page.locator("#runs tbody tr").first).to_contain_text('{"total": 59}')
    assert page.url.endswith("/runs/?q=listed")
    rows = "[...document.querySelectorAll('#runs tr[data-row]')]"
    assert page.evaluate(f"{rows}.filter(row => row.getBoundingClientRect().bottom <= innerHeight).length") >= 25
    page.goto("/runs/")
    expect(heads.filter(has_text="Keys")).to_be_visible()
    assert not watched.complaints
    ListSettings.objects.all().delete()


def test_filters_become_a_shared_view_and_its_link_shows_them(enter: Enter, scene: Scene) -> None:
    many(3, "viewed")
    page = enter("operator")
    page.goto("/runs/")
    page.get_by_label("Search by any part").fill("viewed")
    expect(page.locator("#runs tbody tr")).to_have_count(3)
    page.locator("[data-choices] summary").click()
    page.get_by_label("Completed", exact=True).check()
    expect(page.locator("[data-chosen]")).to_have_text("Completed")
    page.get_by_role("link", name="Save view…").click()
    page.get_by_label("Name").fill("Seen")
    page.get_by_label("Share it").check()
    page.locator("#dialog").get_by_role("button", name="Save").click()
    chosen = page.locator(".views .view[aria-current=page]")
    expect(chosen).to_contain_text("Seen")
    other = enter("viewer")
    other.goto("/runs/")
    other.get_by_role("link", name="Seen").click()
    expect(other.locator("#runs tbody tr")).to_have_count(3)
    expect(other.get_by_label("Search by any part")).to_have_value("viewed")
    page.get_by_role("link", name="Edit view…").click()
    page.locator("#dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".views .view")).to_have_text(["All"])
    assert not SavedView.objects.exists()


def test_a_reader_is_not_moved_and_hears_how_many_are_new(enter: Enter, scene: Scene) -> None:
    many(45, "moving")
    page = enter("viewer")
    page.goto("/runs/?q=moving")
    last = page.locator("#runs tbody tr").last
    last.scroll_into_view_if_needed()
    last.get_by_role("link").first.focus()
    name = last.get_attribute("id")
    at = last.bounding_box()
    fresh = many(10, "moving-new")
    Run.objects.filter(workflow_id="moving-20").update(status="failed")
    refresh(page)
    news = page.locator("#runs-news button")
    expect(news).to_have_text("10 new")
    assert (last.get_attribute("id"), last.bounding_box()) == (name, at), "though it is on the next page by now"
    expect(page.locator("#runs tbody tr", has_text="number 20")).to_contain_text("Failed")
    assert page.evaluate("document.activeElement.closest('tr') !== null")
    news.click()
    expect(page.locator("#runs tbody tr").first).to_contain_text(fresh[-1].workflow_id)
    expect(news).to_be_hidden()
    assert page.evaluate("scrollY") == 0


def test_a_filter_that_can_not_be_used_leaves_the_rows_and_says_so(enter: Enter, scene: Scene) -> None:
    many(2, "usable")
    page = enter("viewer")
    page.goto("/runs/?q=usable")
    page.locator(".more-filters summary").click()
    page.locator("input[name=key]").fill("no value")
    page.locator("input[name=key]").press("Enter")
    expect(page.locator("#messages")).to_contain_text("key")
    expect(page.locator("#runs tbody tr")).to_have_count(2)
    page.locator("input[name=key]").fill("order.id=1")
    page.locator("input[name=key]").press("Enter")
    expect(page.locator("#runs tbody tr")).to_have_count(1)
    expect(page.locator("#messages .note")).to_have_count(0)
