"""Runs in the browser: finding, starting, answering, ending them."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.conftest import Enter
from tests.browser.scene import ODD_ID, Scene, archived
from wippy_console.models import Decision, Run


def address(run: Run, name: str = "run", *args: object) -> str:
    return reverse(name, args=(run.workflow_id, run.run_id, *args))


def asking(scene: Scene) -> Run:
    run = scene.stage.start("app.flows:approval", {"wanted": 50})
    scene.stage.ask(run, "decision", 0)
    return run


def post(page: Page, url: str, **fields: str) -> int:
    token = next(each["value"] for each in page.context.cookies() if "csrf" in each.get("name", ""))
    return page.request.post(url, form={**fields, "csrfmiddlewaretoken": token}, max_redirects=0).status


def test_a_run_with_an_odd_id_is_found_and_opened(enter: Enter, scene: Scene) -> None:
    run = archived("canceled", "canceled", workflow_id=ODD_ID)
    page = enter("viewer")
    page.goto("/runs/")
    page.get_by_label("Search by any part").fill("order/7//")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody tr").get_by_role("link").first.click()
    expect(page.locator("h1")).to_have_text("app.flows:canceled")
    expect(page.locator(".run-id")).to_have_text(ODD_ID.strip())
    page.get_by_role("link", name="Table").click()
    expect(page.locator("tr", has_text="EXIT")).to_be_visible()
    copied = page.locator("[data-copy]").evaluate_all("all => all.map(each => each.dataset.copy)")
    assert run.run_id in copied


def test_search_takes_any_id(enter: Enter, scene: Scene) -> None:
    page = enter("viewer")
    for text in (scene.closed.run_id, scene.closed.workflow_id, scene.closed.pid, "app.flows:everything"):
        page.goto("/runs/")
        page.get_by_label("Search by any part").fill(text)
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page.locator("tbody")).to_contain_text("everything-1")


def test_runs_are_narrowed_to_one_workflow_by_its_title_and_the_address_keeps_it(enter: Enter, scene: Scene) -> None:
    page = enter("viewer")
    page.goto("/runs/")
    page.get_by_label("Workflow", exact=True).select_option(label="Approval")
    expect(page.locator("tbody .title").first).to_contain_text("Approval")
    expect(page.locator("tbody")).not_to_contain_text("everything-1")
    page.wait_for_url("**entry=app.flows*")
    page.reload()
    expect(page.get_by_label("Workflow", exact=True)).to_have_value("app.flows:approval")
    expect(page.locator("tbody")).not_to_contain_text("everything-1")


@pytest.mark.parametrize("width", [1280, 1440])
def test_the_list_of_long_ids_fits_without_scrolling(enter: Enter, scene: Scene, width: int) -> None:
    scene.stage.start("app.flows:approval", {"wanted": 50})
    archived("canceled", "canceled", workflow_id="purchase_approval-" + "0123456789abcdef" * 12)
    page = enter("viewer", width=width)
    page.goto("/runs/")
    right = page.locator("#runs").bounding_box()
    for name in ("Started", "Took"):
        box = page.get_by_role("columnheader", name=name).bounding_box()
        assert right
        assert box
        assert box["x"] + box["width"] <= right["x"] + right["width"] + 1


def test_a_timeline_shows_labels_of_usual_length_whole(enter: Enter, scene: Scene) -> None:
    page = enter("viewer", width=1440)
    page.goto(address(scene.closed))
    cut = page.locator(".tl-name").evaluate_all(
        "all => all.filter(each => each.textContent.length < 27 && each.scrollWidth > each.clientWidth)"
        ".map(each => each.textContent)"
    )
    assert cut == []


def test_a_viewer_sees_no_buttons_and_is_refused(enter: Enter, scene: Scene) -> None:
    page = enter("viewer")
    page.goto(address(scene.asking))
    expect(page.get_by_role("heading", name="Summary")).to_be_visible()
    for name in ("Approve", "Reject", "Signal…", "Cancel…", "Terminate…"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
        expect(page.get_by_role("link", name=name)).to_have_count(0)
    key = str(uuid.uuid4())
    assert post(page, address(scene.asking, "run_answer", 1), key=key) == 403
    assert post(page, address(scene.asking, "run_signal"), key=key, topic="x") == 403
    assert post(page, address(scene.asking, "run_end", "cancel"), reason="no") == 403
    assert post(page, "/runs/start/", entry="app.flows:approval") == 403
    assert not Decision.objects.filter(run=scene.asking).exists()


def test_an_operator_outside_the_group_is_told_which_group_is_missing(enter: Enter, scene: Scene) -> None:
    page = enter("operator")
    page.goto(address(scene.asking))
    expect(page.get_by_role("button", name="Approve")).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#answers")).to_contain_text("approvers")


def test_a_bad_answer_is_marked_at_its_field_and_keeps_the_input(enter: Enter, scene: Scene) -> None:
    run = asking(scene)
    page = enter("approver")
    page.goto(address(run))
    page.get_by_role("button", name="Approve").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Amount").fill("0")
    dialog.get_by_label("Comment").fill("far too long a comment for it")
    dialog.get_by_role("button", name="Approve").click()
    expect(dialog.locator("#id_reason_error")).to_contain_text("needs a reason")
    dialog.get_by_label("Reason").fill("because")
    dialog.get_by_role("button", name="Approve").click()
    expect(dialog.locator("#id_f-amount_error")).to_contain_text("less than the minimum")
    expect(dialog.locator("#id_f-comment_error")).to_be_visible()
    expect(dialog.get_by_label("Comment")).to_have_value("far too long a comment for it")
    assert not Decision.objects.filter(run=run).exists()


def test_a_good_answer_shows_its_effect_without_a_reload(enter: Enter, scene: Scene) -> None:
    run = asking(scene)
    page = enter("approver")
    page.goto(address(run))
    page.evaluate("window.sameDocument = true")
    page.get_by_role("button", name="Approve").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Comment").fill("fine")
    dialog.get_by_label("Reason").fill("in the budget")
    dialog.get_by_role("button", name="Approve").dblclick()
    expect(dialog).to_be_hidden()
    expect(page.locator("#messages")).to_contain_text("“Approve” was sent")
    expect(page.locator("#timeline")).to_contain_text("decision")
    assert page.evaluate("window.sameDocument") is True
    decision = Decision.objects.get(run=run)
    assert (decision.payload, decision.reason) == ({"approved": True, "comment": "fine"}, "in the budget")
    page.get_by_role("navigation", name="History").get_by_role("link", name="Audit").click()
    expect(page.locator("tbody")).to_contain_text("in the budget")


def test_the_second_of_two_tabs_is_told_who_was_faster(enter: Enter, scene: Scene) -> None:
    run = asking(scene)
    first, second = enter("approver"), enter("root")
    for page in (first, second):
        page.goto(address(run))
        page.get_by_role("button", name="Reject").click()
        expect(page.locator("#dialog")).to_be_visible()
    first.locator("#dialog").get_by_role("button", name="Reject").click()
    expect(first.locator("#messages")).to_contain_text("was sent")
    expect(second.locator("#dialog")).to_contain_text("approver already answered")
    expect(second.locator("#dialog").get_by_role("button", name="Reject")).to_be_disabled()
    assert Decision.objects.filter(run=run).count() == 1


def test_an_answer_works_without_javascript(enter: Enter, scene: Scene) -> None:
    run = asking(scene)
    page = enter("approver", java_script_enabled=False)
    page.goto(address(run))
    page.get_by_role("button", name="Reject").click()
    page.get_by_role("button", name="Reject").click()
    expect(page.locator("#messages")).to_contain_text("“Reject” was sent")
    assert Decision.objects.get(run=run).label == "Reject"


def test_a_start_form_marks_what_is_wrong_and_loses_nothing(enter: Enter, scene: Scene) -> None:
    page = enter("operator")
    page.goto("/runs/start/?entry=app.orders:process")
    page.get_by_label("Order").fill("A-1")
    page.get_by_label("Amount").fill("0.5")
    page.get_by_label("Tags").fill("red\nblue")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#id_f-amount_error")).to_contain_text("minimum")
    expect(page.get_by_label("Order")).to_have_value("A-1")
    expect(page.get_by_label("Tags")).to_have_value("red\nblue")
    page.get_by_label("Amount").fill("12.5")
    page.get_by_label("Email").fill("ann@example.com")
    page.get_by_text("Worker and id").click()
    page.get_by_label("Workflow id").fill("shop/ü 1")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("h1")).to_have_text("Process an order")
    expect(page.locator(".run-id")).to_have_text("shop/ü 1")
    run = Run.objects.get(workflow_id="shop/ü 1")
    assert run.input == [
        {"order_id": "A-1", "amount": 12.5, "customer": {"email": "ann@example.com"},
         "tags": ["red", "blue"]}
    ]  # fmt: skip


def test_terminating_asks_again_with_the_exact_target(enter: Enter, scene: Scene) -> None:
    run = asking(scene)
    page = enter("author")
    page.goto(address(run))
    page.get_by_role("link", name="Terminate…").click()
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text(run.run_id)
    dialog.get_by_role("button", name="Terminate the run").click()
    expect(dialog.locator(".errors")).to_have_text("Say why.")
    dialog.get_by_label("Reason").fill("a test")
    dialog.get_by_role("button", name="Terminate the run").click()
    expect(page.locator("#messages")).to_contain_text("was terminated")
    assert Decision.objects.get(run=run).action == "terminate"


def test_a_row_of_the_timeline_opens_and_stays_open_over_a_refresh(enter: Enter, scene: Scene) -> None:
    page = enter("viewer")
    page.goto(address(scene.asking))
    row = page.locator(".tl-item").first
    row.locator("summary").click()
    expect(row.locator(".tl-detail")).to_contain_text("Laptop")
    with page.expect_response(lambda response: response.request.headers.get("hx-request") == "true"):
        page.evaluate(f"document.body.dispatchEvent(new Event('feed-run-{scene.asking.run_id}'))")
    expect(row.locator("details")).to_have_attribute("open", "")
    expect(row.locator(".tl-detail")).to_contain_text("Laptop")


def test_a_run_of_a_foreign_client_is_shown_though_no_entry_has_its_type(enter: Enter, scene: Scene) -> None:
    run = archived("terminated", "terminated", workflow_id="foreign")
    Run.objects.filter(pk=run.pk).update(entry_id="Foreign Type/7", worker="", registry_version=None)
    page = enter("viewer")
    page.goto(address(run))
    expect(page.locator("#timeline")).to_contain_text("EXIT")
    response = page.goto(reverse("entry", args=["Foreign Type/7"]))
    assert response
    assert response.status == 404


def test_an_unknown_run_is_a_clear_page(enter: Enter) -> None:
    page = enter("viewer")
    response = page.goto(f"/runs/nobody/{uuid.uuid4()}/")
    assert response
    assert response.status == 404
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
