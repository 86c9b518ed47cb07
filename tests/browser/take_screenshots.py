"""`make screenshots`: every page of the list into docs/screenshots, light and dark, wide and narrow.

Not a test, and so named that the suite leaves it out. ONLY=runs,admin takes those alone.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Enter
from tests.browser.furniture import furnish
from tests.browser.pages import State, pages
from tests.browser.scene import Scene
from tests.browser.visiting import visits

FOLDER = Path(os.environ.get("SCREENSHOTS") or Path(__file__).parents[2] / "docs" / "screenshots")
TALLEST = {1440: 1000, 390: 1300}
"""Pixels of a long page that are shown."""
QUALITY = 25
"""Of WebP; a page has about 20 KB then."""


@pytest.fixture(scope="module")
def states(scene: Scene) -> list[State]:
    """Those that are in pictures, by name if some are asked for."""
    only = [name for name in os.environ.get("ONLY", "").split(",") if name]
    found = [state for state in pages(scene, furnish(scene)) if state.picture or only]
    return [state for state in found if not only or any(state.name.startswith(name) for name in only)]


@pytest.mark.parametrize("width", [1440, 390])
def test_take(enter: Enter, states: list[State], width: int) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for state, page, _ in visits(enter, states, width, color_scheme="light"):
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            take(page, FOLDER / f"{state.name}-{width}-{theme}.webp", width)


def take(page: Page, path: Path, width: int) -> None:
    """A picture of the page from its top, as high as it is but for very long ones."""
    high = int(page.evaluate("Math.max(document.documentElement.scrollHeight, innerHeight)"))
    page.set_viewport_size({"width": width, "height": min(high, TALLEST[width])})
    session = page.context.new_cdp_session(page)
    shot = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY, "optimizeForSpeed": False})
    path.write_bytes(base64.b64decode(shot["data"]))
    session.detach()
    page.set_viewport_size({"width": width, "height": 900})
