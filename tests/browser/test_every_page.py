"""What holds on every page: no violation of the content policy, none of WCAG, nothing wider than the screen."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.browser.conftest import Enter
from tests.browser.furniture import furnish
from tests.browser.pages import AREAS, State, areas
from tests.browser.scene import Scene
from tests.browser.visiting import address, too_wide, violations, visits

ZOOMED = (
    "home",
    "inbox",
    "question",
    "runs",
    "run-timeline",
    "start",
    "registry",
    "editor",
    "live",
    "audit",
    "admin-run",
)
"""States that are tried at 400% of a small laptop's screen."""


@pytest.fixture(scope="module")
def parts(scene: Scene) -> dict[str, list[State]]:
    """All of them by area, in a scene that looks lived in."""
    return areas(scene, furnish(scene))


@pytest.fixture
def states(parts: dict[str, list[State]]) -> list[State]:
    """The same, one after the other."""
    return [state for part in parts.values() for state in part]


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("area", AREAS)
def test_every_page_is_accessible_fits_and_breaks_no_policy(
    enter: Enter, parts: dict[str, list[State]], area: str, width: int
) -> None:
    wrong: dict[str, Any] = {}
    for state, page, watched in visits(enter, parts[area], width, color_scheme="light"):
        # The axe script itself is put in past the policy, so complaints count before it.
        found: list[Any] = [each for each in watched.complaints if str(state.status) not in each]
        found += ["wider than the screen"] if too_wide(page) else []
        found += violations(page)
        page.emulate_media(color_scheme="dark")
        found += [{"theme": "dark", **each} for each in violations(page, "color-contrast")]
        page.emulate_media(color_scheme="light")
        if found:
            wrong[state.name] = found
    assert not wrong


def test_at_four_hundred_percent_no_page_scrolls_sideways(enter: Enter, states: list[State]) -> None:
    chosen = [state for state in states if state.name in ZOOMED]
    assert len(chosen) == len(ZOOMED)
    wide = [state.name for state, page, _ in visits(enter, chosen, 360, height=225) if too_wide(page)]
    assert not wide


def test_without_javascript_no_page_waits_for_it(states: list[State]) -> None:
    """What the server sends is whole: what only a script would fill is shown by scripts only."""
    browser = Client()
    browser.force_login(User.objects.get(username="root"))
    for state in states:
        if state.act is None and state.who:
            text = browser.get(address(state)).content.decode()
            assert "Loading" not in text.replace('class="jsonly">Loading', ""), state.name


def test_the_keyboard_finds_help_search_palette_and_rows(enter: Enter, scene: Scene) -> None:
    page = enter("root")
    page.goto("/runs/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('tr') !== null")
    page.keyboard.press("?")
    page.locator("#help").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.locator("#palette-text").fill("orders:pro")
    page.locator("#palette-list a", has_text="app.orders:process").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/registry/app.orders:process/")
