"""Go to the states of the list of pages, one after the other, as whoever sees each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from django.contrib.auth.models import User
from playwright.sync_api import Page

from tests.browser.conftest import Enter, Watched
from tests.browser.pages import State

AXE = (Path(__file__).parent / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
Theme = Literal["light", "dark"]


def violations(page: Page, *rules: str) -> list[dict[str, Any]]:
    """Serious and critical findings of axe-core; of certain rules alone if some are named."""
    page.evaluate(AXE)
    options = {"runOnly": {"type": "rule", "values": rules}} if rules else {"runOnly": RULES}
    found = page.evaluate("options => axe.run(options)", options)["violations"]
    return [
        {"rule": each["id"], "impact": each["impact"], "nodes": [node["html"][:200] for node in each["nodes"]][:3]}
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def too_wide(page: Page) -> bool:
    """Whether the page is wider than the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def visits(enter: Enter, states: list[State], width: int, **options: Any) -> Iterator[tuple[State, Page, Watched]]:
    """Each state, arrived at; reduced motion, so that no colour is measured half way through a transition."""
    people: dict[str, tuple[Page, Watched]] = {}
    for state in states:
        if state.who not in people:
            page = enter(state.who, width=width, reduced_motion="reduce", **options)
            people[state.who] = page, Watched(page)
        page, watched = people[state.who]
        watched.complaints.clear()
        status = arrive(page, state)
        if status != state.status:
            watched.complaints.append(f"answered {status}")
        yield state, page, watched


def arrive(page: Page, state: State) -> int:
    """Open it, and do what it needs; the status of the answer."""
    response = page.goto(address(state), wait_until="networkidle")
    assert response
    if state.act:
        state.act(page)
        page.wait_for_load_state("networkidle")
    return response.status


def address(state: State) -> str:
    """Where it is: the number of whoever visits is known only now."""
    if "{root}" not in state.address:
        return state.address
    return state.address.replace("{root}", str(User.objects.get(username="root").pk))
