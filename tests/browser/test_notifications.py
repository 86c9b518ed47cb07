"""Notifications in the browser: choosing, the outbox, and notices of an open page."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.conftest import Enter, Watched
from tests.browser.scene import Scene
from tests.browser.visiting import violations
from wippy_console.models import Notification, NotificationPreference
from wippy_console.services import notifications

PAGES = ("/preferences/notifications/", "/notifications/", "/notifications/?state=dead", "/notifications/?state=sent")


@pytest.fixture
def outbox(scene: Scene) -> None:
    """Some rows of each state."""
    Notification.objects.all().delete()
    now, cast = timezone.now(), scene.stage.cast
    for state, error in (
        ("queued", "SMTPRecipientsRefused: 451 not now"),
        ("dead", "The receiver answered 500."),
        ("sent", ""),
    ):
        for method, address in (
            ("email", "ann@example.org"),
            ("webhook", "https://example.org/x"),
            ("chat", "slack://a/b/c"),
        ):
            Notification.objects.create(
                kind="due_soon", fact=f"{state} {method}", user=cast.approver, method=method, address=address,
                state=state,
                question=scene.question, run=scene.asking, error=error, attempts=2, next_at=now, sent_at=now,
            )  # fmt: skip


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)])
def test_the_pages_are_accessible_fit_and_break_no_policy(enter: Enter, outbox: None, theme: Any, width: int) -> None:
    page = enter("root", width=width, color_scheme=theme, reduced_motion="reduce")
    watched = Watched(page)
    for address in PAGES:
        page.goto(address, wait_until="networkidle")
        assert not watched.complaints
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), address
        assert not violations(page), address
        watched.complaints.clear()


def test_a_choice_is_kept_and_the_secret_is_shown_once(enter: Enter, scene: Scene) -> None:
    page = enter("viewer")
    page.goto("/")
    page.get_by_role("link", name="What I am told of").click()
    page.get_by_label("E-mail: A run that I started failed").check()
    page.get_by_label("Never: A run that I started ended").check()
    page.get_by_label("Webhook", exact=True).fill("https://example.org/in")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The secret of your webhook")).to_be_visible()
    page.goto("/preferences/notifications/")
    expect(page.get_by_text("The secret of your webhook")).to_have_count(0)
    expect(page.get_by_label("E-mail: A run that I started failed")).to_be_checked()
    chosen = NotificationPreference.objects.get(user=scene.stage.cast.viewer).chosen
    assert chosen["failed"] == ["email"] and chosen["muted"] == ["exit"]


def test_what_failed_is_sent_again_by_a_click(enter: Enter, outbox: None) -> None:
    page = enter("root")
    page.goto("/notifications/?state=dead")
    page.get_by_role("button", name="Send again:").first.click()
    expect(page.get_by_text("It is sent again.")).to_be_visible()
    assert Notification.objects.filter(state="queued").count() == 4


def test_an_open_page_shows_a_notice_when_something_is_asked(enter: Enter, scene: Scene) -> None:
    NotificationPreference.objects.create(user=scene.stage.cast.approver, chosen={"asked": ["browser"]})
    page = enter("approver")
    page.add_init_script(
        """window.shown = []; window.Notification = class {
          static permission = "granted";
          constructor(title, options) { window.shown.push([title, options.tag]); }
          addEventListener() {}
        };"""
    )
    page.goto("/inbox/")
    # Another console of this host, on another port; browsers list a cookie of a longer path first.
    page.evaluate("document.cookie = 'wippy_csrf_1=other; path=/inbox'")
    expect(page.locator("#connection")).to_have_text("Live")
    notifications.tell("asked", question=scene.question, fact="notice")
    scene.stage.ask(scene.asking, "decision", 1)  # the feed tells of a question
    seen = "new Promise((done) => setInterval(() => { if (window.shown.length) done(window.shown); }, 20))"
    titles = [title for title, _ in page.evaluate(seen)]
    assert any("Approval" in title for title in titles)
    row = Notification.objects.get(fact="notice", method="browser")
    assert row.state == "sent"
