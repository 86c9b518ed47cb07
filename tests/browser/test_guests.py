"""A guest's page in a browser, and the thread of a question: mentions by keys, one's own text kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Enter, Watched
from tests.browser.scene import Scene
from tests.browser.visiting import violations
from wippy_console.models import Comment, Decision, GuestLink, Question
from wippy_console.services import guests

TEXT = "The desk comes on **Tuesday at nine**.\n\n- It takes an hour.\n- Somebody has to be there."


@pytest.fixture
def link(scene: Scene) -> Iterator[GuestLink]:
    """A question of a new run that asks somebody outside; two answers are theirs."""
    run = scene.stage.start("app.flows:approval", {"wanted": 50, "item": "Secret desk"})
    made = scene.stage.ask(run, "decision")
    signals = [dict(each) for each in made.signals]
    schema = {"type": "object", "required": ["day"], "properties": {"day": {"type": "string", "title": "Which day"}}}
    signals[1] |= {"label": "Yes", "tone": "positive"}
    signals.append({**signals[1], "index": 3, "label": "Another day", "tone": "neutral", "schema": schema})
    about = {"title": "Does Tuesday suit you, Ada?", "text": TEXT, "signals": signals}
    Question.objects.filter(pk=made.pk).update(options={"guest": "ada@example.com"}, **about)
    made.refresh_from_db()
    guests.invite(made)
    yield GuestLink.objects.select_related("question__run").get(question=made)
    Question.objects.filter(pk=made.pk).update(closed_at=timezone.now(), outcome="withdrawn")


def address(link: GuestLink) -> str:
    return f"/guest/{guests.token_of(link)}/"


def test_a_guest_answers_by_the_link_once(enter: Enter, link: GuestLink) -> None:
    page = enter("")
    watched = Watched(page)
    page.goto(address(link))
    expect(page.get_by_role("heading", name="Does Tuesday suit you, Ada?")).to_be_visible()
    assert "Secret desk" not in page.content() and link.question.run.run_id not in page.content()
    page.get_by_role("link", name="Another day").click()
    page.get_by_role("button", name="Another day").click()
    expect(page.locator(".errors")).to_be_visible()
    page.get_by_label("Which day").fill("Friday")
    page.get_by_role("button", name="Another day").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    made = Decision.objects.get(question=link.question)
    assert (made.guest, made.payload) == ("ada@example.com", {"approved": False, "day": "Friday"})
    page.goto(address(link))
    expect(page.locator("main")).to_contain_text("You answered “Another day”")
    assert not [each for each in watched.complaints if "410" not in str(each) and "422" not in str(each)]


def test_a_guest_needs_no_scripts(browser: Browser, site: str, link: GuestLink) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=site)
    page = context.new_page()
    page.goto(address(link))
    page.get_by_role("link", name="Yes").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_pages_of_guests_and_comments_are_accessible_and_fit(
    enter: Enter, scene: Scene, link: GuestLink, theme: Any, width: int
) -> None:
    Comment.objects.create(question=link.question, user=scene.stage.cast.root, text="I *called* her, @approver.")
    page = enter("root", width=width, color_scheme=theme, reduced_motion="reduce")
    number = link.question.pk
    for path in (
        address(link),
        f"{address(link)}?answer=3",
        "/guest/none/",
        f"/inbox/{number}/comments/",
        f"/inbox/{number}/",
    ):
        page.goto(path, wait_until="networkidle")
        assert not violations(page), path
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"), path


def test_names_are_offered_while_a_comment_is_typed(enter: Enter, link: GuestLink) -> None:
    page = enter("root")
    page.goto(f"/inbox/{link.question.pk}/")
    box = page.locator(".comments textarea")
    box.press_sequentially("Look, @appr")
    expect(page.get_by_role("option", name="approver")).to_be_visible()
    assert not violations(page)
    box.press("Enter")
    expect(box).to_have_value("Look, @approver ")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator(".thread")).to_contain_text("Look, @approver")
    expect(box).to_have_value("")


def test_a_link_is_sent_anew_and_withdrawn(enter: Enter, link: GuestLink) -> None:
    page: Page = enter("root")
    page.goto(f"/inbox/{link.question.pk}/")
    card = page.locator("section", has=page.locator("#guest-title"))
    expect(card).to_contain_text("ada@example.com")
    card.get_by_role("button", name="Send anew").click()
    expect(page.locator("#messages")).to_contain_text("A new link is on its way")
    card.get_by_role("button", name="Withdraw").click()
    expect(card).to_contain_text("The link was withdrawn")
