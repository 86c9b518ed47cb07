"""Three people at once, two who approve and one who starts, while what they work with is killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import urllib.error
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS
from tests.patience import PATIENCE, at_most
from tests.product import Product, Session, running, until

pytestmark = pytest.mark.story
expect.set_options(timeout=PATIENCE * 1000)

ENTRIES = Path(__file__).with_name("people")
PASSWORD = "a story of three"
CAST = f"""
from django.contrib.auth.models import Group, User
from django.core.management import call_command
for name in ("ann", "ben", "sam"):
    user = User.objects.create_user(name, password={PASSWORD!r})
    user.groups.add(*[Group.objects.get_or_create(name=each)[0] for each in ("operator", "approvers")])
call_command("apply", {str(ENTRIES)!r})
"""
"""All three may approve; sam is the one who starts."""

Enter = Callable[[str], Page]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running(tmp_path_factory.mktemp("people") / "data") as started:
        done = started.command("shell", "-v0", "-c", CAST)
        assert done.returncode == 0, done.stderr
        yield started


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright runs an event loop on this thread
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield made
        made.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def enter(chromium: Browser, product: Product) -> Iterator[Enter]:
    """Log somebody in, in a browser of their own."""
    contexts = []

    def log_in(name: str) -> Page:
        contexts.append(chromium.new_context(base_url=product.url, viewport={"width": 1440, "height": 900}))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.goto("/inbox/")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/inbox/")
        return page

    yield log_in
    for context in contexts:
        context.close()


# -- what they do ----------------------------------------------------------------------------------


def start_expense(page: Page, what: str) -> str:
    """Start an expense, which two others have to approve; ends on its page, and returns the workflow id."""
    page.goto("/runs/start/")
    page.get_by_role("link", name=re.compile("^Expense over the limit")).click()
    page.get_by_label("What for").fill(what)
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(re.compile(r"/runs/expense-[^/]+/[^/]+/"))
    return page.url.split("/runs/")[1].split("/")[0]


def open_question(page: Page, title: str) -> None:
    page.goto("/inbox/")
    page.get_by_role("link", name=re.compile(f"^{re.escape(title)}")).click()
    page.wait_for_url(re.compile(r"/inbox/\d+/"))


def answer(page: Page, label: str) -> None:
    page.get_by_role("button", name=label, exact=True).first.click()
    page.get_by_role("dialog").get_by_role("button", name=label, exact=True).click()


def wait_live(page: Page) -> None:
    expect(page.locator("#connection")).to_have_text("Live")


def form_of(session: Session, address: str) -> dict[str, str]:
    """The hidden fields of an answer's form, as they are drawn now."""
    inputs = re.findall(r"<input[^>]*>", session.get(address))
    fields = [dict(re.findall(r'([\w-]+)="([^"]*)"', each)) for each in inputs if 'type="hidden"' in each]
    return {field["name"]: field.get("value", "") for field in fields if field["name"] != "csrfmiddlewaretoken"}


def refused(session: Session, address: str, form: dict[str, str]) -> tuple[int, str]:
    """The status and the page of an answer that must be refused."""
    with pytest.raises(urllib.error.HTTPError) as refusal:
        session.post(address.partition("?")[0], form)
    return refusal.value.code, refusal.value.read().decode()


# -- what is left of it ----------------------------------------------------------------------------


def rows(product: Product, query: str, *values: object) -> list[Any]:
    """What the console's database finds."""
    with closing(sqlite3.connect(f"file:{product.data / 'console.sqlite3'}?mode=ro", uri=True)) as database:
        return database.execute(query, values).fetchall()


def question_of(product: Product, workflow_id: str, column: str) -> Any:
    """A column of the one question that the run asked; None before it asks."""
    query = f"select {column} from wippy_console_question q join wippy_console_run r on r.run_id = q.run_id"
    found = rows(product, f"{query} where r.workflow_id = ?", workflow_id)
    return found[0][0] if found else None


def audited(product: Product, workflow_id: str) -> list[tuple[str, str]]:
    """Who did what to the run, in order, as the audit says, which nobody changed."""
    assert product.manage("audit", "--verify")["breaks"] == []
    query = "select action, user from wippy_console_auditrow where workflow_id = ? order by id"
    return rows(product, query, workflow_id)


def signals_in(product: Product, workflow_id: str) -> int:
    """How many signals the history of the run holds."""
    history = product.manage("history", f"{{app:temporal_client@app:temporal_worker|{workflow_id}}}")
    events = history["events"] if isinstance(history, dict) else history
    return [event["type"] for event in events].count("WorkflowExecutionSignaled")


def session_of(product: Product, name: str) -> Session:
    session = Session(product.url)
    session.log_in(name, PASSWORD)
    return session


# -- the story -------------------------------------------------------------------------------------


def test_two_approve_while_worker_and_web_die_between_their_votes(enter: Enter, product: Product) -> None:
    sam, ann, ben = enter("sam"), enter("ann"), enter("ben")
    run = start_expense(sam, "A quieter chair")
    title = "Spend 1200 euros on A quieter chair?"
    for page in (ann, ben):
        open_question(page, title)
    ann.get_by_role("button", name=re.compile("^Take")).click()
    expect(ann.locator("#question")).to_contain_text("You have taken it")
    answer(ann, "Approve")
    expect(ann.locator("#messages")).to_contain_text("Your vote “Approve” was counted")
    expect(ben.locator("#question")).to_contain_text("1 of 2")

    address = f"/runs/{sam.url.split('/runs/')[1]}answer/0/?question={question_of(product, run, 'q.id')}"
    starter, late = session_of(product, "sam"), product.session()
    status, words = refused(starter, address, form_of(starter, address))
    assert (status, "You started this run" in words) == (403, True)
    form = form_of(late, address)

    for name, pid in {name: product.kill(name) for name in ("worker", "web")}.items():
        product.wait_back(name, pid)
    for page in (sam, ben):
        wait_live(page)
    expect(ben.locator("#question")).to_contain_text("ann")
    answer(ben, "Approve")
    expect(sam.locator("main").get_by_text("Completed").first).to_be_visible()
    expect(sam.locator("main").get_by_text("ben: Approve").first).to_be_visible()

    status, words = refused(late, address, form)
    assert (status, "ben already answered: Approve" in words) == (409, True)
    assert signals_in(product, run) == 1
    assert question_of(product, run, "count(*)") == 1
    assert audited(product, run) == [
        ("start", "sam"), ("claim", "ann"), ("vote", "ann"), ("vote", "ben"), ("answer", "ben")
    ]  # fmt: skip


def test_a_question_escalates_though_nothing_ran_when_its_time_came(enter: Enter, product: Product) -> None:
    ben = enter("ben")
    wait_live(ben)
    ben.evaluate("document.documentElement.dataset.mark = 'same'")
    patience = json.dumps({"patience": f"{at_most(3):.0f}s"})
    words = ("start", "people:handover", "--as", "sam", "--id", "handover", "--input", patience)
    with ThreadPoolExecutor() as aside:  # a command takes as long to end as to begin
        aside.submit(product.command, *words)
        until(lambda: question_of(product, "handover", "q.id"), "the run asks")
        product.kill_everything()
    assert question_of(product, "handover", "escalated_at") is None
    moment = datetime.fromisoformat(question_of(product, "handover", "escalates_at")).replace(tzinfo=UTC)
    until(lambda: datetime.now(UTC) > moment, "the time has come")
    product.start()

    ben.get_by_role("link", name=re.compile("^Who takes over")).click()
    answer(ben, "I do")
    ben.wait_for_url(re.compile(r"/inbox/(\d+/)?#"))
    until(lambda: question_of(product, "handover", "r.status") == "completed", "the run completed")
    assert signals_in(product, "handover") == 1
    assert question_of(product, "handover", "q.outcome") == "answered"
    assert audited(product, "handover") == [("start", "cli:root/sam"), ("escalate", "auto:clock"), ("answer", "ben")]
