"""The inbox in a browser: taking questions, choosing several, and open forms that follow their run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.conftest import Enter
from tests.browser.scene import Scene
from tests.browser.visiting import violations
from wippy_console.models import Question
from wippy_console.services import decisions


@pytest.fixture
def asked(scene: Scene) -> Iterator[Question]:
    """A question of a new run, which nobody has."""
    run = scene.stage.start("app.flows:approval", {"wanted": 50, "item": "Chair"})
    made = scene.stage.ask(run, "decision")
    yield made
    Question.objects.filter(pk=made.pk).update(closed_at=timezone.now(), outcome="withdrawn")


def test_who_takes_a_question_keeps_the_focus_and_others_see_it_at_once(enter: Enter, asked: Question) -> None:
    approver, root = enter("approver"), enter("root")
    for page in (approver, root):
        page.goto("/inbox/")
        expect(page.locator("#connection")).to_have_text("Live")
    row = approver.locator(f"#question-{asked.pk}")
    row.get_by_role("button", name="Take").click()
    expect(row).to_contain_text("You")
    expect(row.get_by_role("button", name="Put back")).to_be_focused()
    expect(root.locator(f"#question-{asked.pk}")).to_have_count(0)
    root.goto("/inbox/?view=others")
    expect(root.locator(f"#question-{asked.pk}")).to_contain_text("approver")


def test_the_second_of_two_is_told_who_was_faster(enter: Enter, scene: Scene, asked: Question) -> None:
    page = enter("root")
    page.goto(f"/inbox/{asked.pk}/")
    page.route("**/ws/**", lambda route: route.abort())
    Question.objects.filter(pk=asked.pk).update(assignee=scene.stage.cast.approver, assigned_at=timezone.now())
    page.get_by_role("button", name="Take", exact=False).click()
    expect(page.locator("#messages")).to_contain_text("approver has taken it.")


def test_an_open_form_is_told_that_its_question_is_over_and_keeps_what_is_typed(
    enter: Enter, scene: Scene, asked: Question
) -> None:
    page = enter("approver", reduced_motion="reduce")
    page.goto(f"/inbox/{asked.pk}/")
    expect(page.locator("#connection")).to_have_text("Live")
    page.get_by_role("button", name="Approve").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("comment").fill("typed before it ended")
    decisions.decide(scene.stage.cast.root, asked.run, 1, {}, question_id=asked.pk)
    expect(dialog.get_by_role("alert")).to_contain_text("root already answered: Reject")
    expect(dialog.locator("#send-answer")).to_be_disabled()
    expect(dialog.get_by_label("comment")).to_have_value("typed before it ended")
    assert not violations(page)
    page.on("dialog", lambda question: question.accept())
    page.keyboard.press("Escape")
    expect(page.locator("#question")).to_contain_text("root")


def test_an_answer_leads_to_the_next_question_with_the_focus_on_it(enter: Enter, scene: Scene, asked: Question) -> None:
    page = enter("approver")
    page.goto(f"/inbox/{asked.pk}/")
    page.get_by_role("button", name="Approve").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("comment").fill("yes")
    dialog.get_by_label("Reason").fill("it is fine")
    dialog.get_by_role("button", name="Approve").click()
    page.wait_for_url(f"**/inbox/{scene.question.pk}/#question-title")
    expect(page.locator("#question-title")).to_be_focused()
    expect(page.locator("#messages")).to_contain_text("“Approve” was sent")


def test_what_is_chosen_stays_chosen_while_the_list_changes(enter: Enter, scene: Scene, asked: Question) -> None:
    page = enter("approver")
    page.goto("/inbox/")
    expect(page.locator("#connection")).to_have_text("Live")
    page.locator(f"#pick-{asked.pk}").check()
    expect(page.locator("[data-picked]")).to_have_text("1 chosen")
    run = scene.stage.start("app.flows:approval", {"wanted": 50})
    other = scene.stage.ask(run, "decision")
    expect(page.locator(f"#question-{other.pk}")).to_be_visible()
    expect(page.locator(f"#pick-{asked.pk}")).to_be_checked()
    page.locator(f"#pick-{other.pk}").check()
    page.get_by_role("button", name="Answer the chosen").click()
    expect(page.locator("h1")).to_have_text("Answer 2 questions")
    page.get_by_role("button", name="Reject").click()
    page.get_by_role("button", name="Reject").click()
    expect(page.locator("h1")).to_have_text("2 of 2 answered")


def test_answers_come_before_the_timeline_for_the_tab_key(enter: Enter, scene: Scene, asked: Question) -> None:
    page = enter("approver")
    for address in (f"/inbox/{asked.pk}/", f"/runs/{asked.run.workflow_id}/{asked.run_id}/"):
        page.goto(address)
        assert _reached(page, ".answer a", ".tl-item summary, .steps")


def _reached(page: Page, first: str, second: str) -> bool:
    """Whether the first stands before the second in the document."""
    script = """([first, second]) => {
        const [a, b] = [first, second].map((each) => document.querySelector(each));
        return !!(a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING);
    }"""
    return bool(page.evaluate(script, [first, second]))


def test_the_view_that_one_is_in_is_in_sight_where_the_tabs_do_not_fit(enter: Enter, scene: Scene) -> None:
    page = enter("approver", width=390)
    page.goto("/inbox/?view=done")
    expect(page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=1)
    page.goto("/inbox/")
    expect(page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=1)
    page.locator(".tabs").get_by_role("link", name="Others").click()
    expect(page.locator(".tabs [aria-current]")).to_contain_text("Others")
    expect(page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=1)


def test_the_filters_of_the_audit_leave_room_for_its_rows(enter: Enter, scene: Scene) -> None:
    page = enter("root")
    page.goto("/audit/")
    box = page.locator("form.filters").bounding_box()
    assert box is not None and box["height"] < 150
