"""How pages behave towards whoever uses them: focus, notices, dialogs with typed text, small screens."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.conftest import Enter
from tests.browser.scene import Scene


def run_page(scene: Scene) -> str:
    return reverse("run", args=(scene.asking.workflow_id, scene.asking.run_id))


def open_terminate(page: Page) -> None:
    link = page.get_by_role("link", name="Terminate…")
    if not link.is_visible():
        page.locator("details:has(a[hx-target='#dialog']) > summary").first.click()
    link.click()
    page.locator("#dialog[open]").wait_for()


def test_a_dialog_opens_at_its_first_field(enter: Enter, scene: Scene) -> None:
    page = enter("root")
    page.goto(run_page(scene))
    open_terminate(page)
    expect(page.locator("#dialog textarea, #dialog input:not([type=hidden])").first).to_be_focused()


def test_escape_asks_before_it_discards_what_was_typed(enter: Enter, scene: Scene) -> None:
    page = enter("root")
    answers = [False, True]
    page.on("dialog", lambda dialog: dialog.accept() if answers.pop(0) else dialog.dismiss())
    page.goto(run_page(scene))
    open_terminate(page)
    reason = page.locator("#dialog textarea").first
    reason.press_sequentially("it runs wild")
    page.keyboard.press("Escape")
    expect(reason).to_have_value("it runs wild")
    page.locator("#dialog[open]").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator("#dialog[open]")).to_have_count(0)
    assert not answers


def test_a_notice_that_nobody_answers_goes_with_the_next_answer(enter: Enter, scene: Scene) -> None:
    page = enter("root")
    page.goto("/audit/")
    page.route("**/audit/*user=nobo*", lambda route: route.abort())
    page.locator("#user").fill("nobody")
    expect(page.locator("#messages")).to_contain_text("does not answer")
    page.unroute("**/audit/*user=nobo*")
    page.locator("#user").fill("root")
    expect(page.locator("#messages")).not_to_contain_text("does not answer")


ROWS_OF_EDITOR = """(host) => {
    const top = (element) => Math.round(element.getBoundingClientRect().top);
    const numbers = [...host.shadowRoot.querySelectorAll(".cm-lineNumbers .cm-gutterElement")];
    const shown = numbers.filter((each) => each.style.visibility !== "hidden" && each.offsetHeight);
    return [shown.map(top), [...host.shadowRoot.querySelectorAll(".cm-line")].map(top)];
}"""


def test_the_editor_numbers_each_line_beside_it(enter: Enter, scene: Scene) -> None:
    page = enter("root", width=390)
    page.goto("/registry/edit/app.orders:process/")
    for name in ("source", "fields_text"):
        host = page.locator(f".editor-host[data-for={name}]")
        host.scroll_into_view_if_needed()
        page.wait_for_function(
            f"(host) => {{ const [a, b] = ({ROWS_OF_EDITOR})(host); "
            "return a.length && a.every((top, at) => Math.abs(top - b[at]) < 2); }",
            arg=host.element_handle(),
        )


@pytest.mark.parametrize("address", ["/audit/", "/inbox/", "/runs/"])
def test_filters_leave_room_for_rows_on_a_phone(enter: Enter, scene: Scene, address: str) -> None:
    page = enter("root", width=390)
    page.goto(address)
    box = page.locator("[data-row]").first.bounding_box()
    assert box and box["y"] < 600


def test_the_help_lists_the_keys_that_there_are(enter: Enter, scene: Scene) -> None:
    page = enter("root")
    page.goto("/runs/")
    listed = set(page.locator("#help kbd").evaluate_all("all => all.map((each) => each.textContent.trim())"))
    assert {"/", "?", "j", "k", "Enter", "Esc", "+", "-", "0"} <= listed
    page.goto(run_page(scene))
    axis = page.get_by_label("Time axis", exact=False).first
    axis.focus()
    before = axis.inner_html()
    page.keyboard.press("+")
    assert axis.inner_html() != before
    page.keyboard.press("0")
    page.keyboard.press("?")
    expect(page.locator("#help[open]")).to_be_visible()
