"""A real site in a real browser: Daphne in a process of its own, Chromium, and a small cast of people."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.scene import Scene, set_scene
from tests.console.operating import stage
from tests.console.serving import running_web
from tests.patience import PATIENCE
from wippy_console.models import Draft

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

expect.set_options(timeout=PATIENCE * 1000)

Enter = Callable[..., Page]


@pytest.fixture(scope="module")
def browser(site: str) -> Iterator[Browser]:
    """Chromium of the machine, or else the one that Playwright installed.

    Per module, since Playwright runs an event loop on this thread meanwhile: asyncio could not be used by tests of
    other folders, nor, without the variable, Django's ORM by these.
    """
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("chromium-browser")
        made = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield made
        made.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """pytest-django's fixture, but emptied after a module instead of after a test: a site takes seconds to start."""
    with django_db_blocker.unblock():
        yield
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(scope="module")
def scene(transactional_db: None, temporal_address: str) -> Iterator[Scene]:
    """The stage with its scene, committed, for all tests of a module."""
    before = settings.TEMPORAL_ADDRESS
    settings.TEMPORAL_ADDRESS = temporal_address
    try:
        with stage(temporal_address) as made:
            yield set_scene(made)
    finally:
        settings.TEMPORAL_ADDRESS = before


@pytest.fixture(scope="module")
def site(scene: Scene, temporal_address: str) -> Iterator[str]:
    """The address of the running site."""
    os.environ["TEMPORAL_ADDRESS"] = temporal_address
    try:
        with running_web() as (port, _):
            yield f"http://127.0.0.1:{port}"
    finally:
        os.environ.pop("TEMPORAL_ADDRESS", None)


class Watched:
    """What a page complained about: console errors, refused content, uncaught exceptions."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@pytest.fixture
def enter(browser: Browser, site: str) -> Iterator[Enter]:
    """Open a browser of one's own and log in: `enter("operator", width=390)`; "" stays outside.

    Nobody finds what was typed in a test before.
    """
    Draft.objects.all().delete()
    contexts: list[BrowserContext] = []

    def log_in(name: str, width: int = 1280, height: int = 900, **options: Any) -> Page:
        context = browser.new_context(base_url=site, viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        if name:
            page.goto("/login/")
            page.get_by_label("Username").fill(name)
            page.get_by_label("Password").fill("secret")
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url("**/")
        return page

    yield log_in
    for context in contexts:
        context.close()
