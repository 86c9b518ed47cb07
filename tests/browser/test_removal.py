"""Deleting an entry from its page."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from engine.entry import Entry
from tests.browser.conftest import Enter
from tests.browser.scene import SOURCE, Scene
from wippy_console.management.operations import operator
from wippy_console.services import registry
from wippy_console.services.errors import NotFoundError
from wippy_console.services.registry import Changes


def spare(name: str, **data: object) -> str:
    """An entry that nobody uses."""
    entry = Entry(f"app.spare:{name}", "library.lua", {"title": f"Spare {name}"}, {"source": SOURCE, **data})
    registry.publish(operator(), Changes(create=(entry,)), base=None, message="spare")
    return entry.id


def is_there(entry_id: str) -> bool:
    try:
        return bool(registry.entry(entry_id))
    except NotFoundError:
        return False


def open_dialog(page: Page, entry_id: str) -> None:
    page.goto(reverse("entry", args=[entry_id]))
    page.get_by_role("link", name="Delete…").click()
    expect(page.locator("#dialog")).to_contain_text(entry_id)


def test_an_entry_is_deleted_in_a_version_of_its_own(enter: Enter, scene: Scene) -> None:
    entry_id = spare("one/two")
    page = enter("author")
    open_dialog(page, entry_id)
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("No other entry names it")
    dialog.get_by_label("Why").fill("not needed")
    dialog.get_by_role("button", name="Delete the entry").click()
    page.wait_for_url("**/registry/")
    expect(page.locator("#messages")).to_contain_text(f"{entry_id} is deleted in version")
    version = registry.current_version()
    assert version
    assert (version.author, version.message) == (scene.stage.cast.author, "not needed")
    assert not is_there(entry_id)
    page.goto(f"{reverse('entry', args=[entry_id])}?at={version.number - 1}")
    expect(page.locator("h1")).to_have_text(entry_id)
    expect(page.get_by_role("link", name="Delete…")).to_have_count(0)


def test_an_entry_in_use_names_its_users_and_stays(enter: Enter, scene: Scene) -> None:
    page = enter("root")
    open_dialog(page, "app:client")
    dialog = page.locator("#dialog")
    expect(dialog.locator(".note.warn")).to_contain_text("app:worker")
    dialog.get_by_role("button", name="Delete the entry").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Nothing was deleted")
    expect(dialog.get_by_role("alert")).to_contain_text("app:worker")
    assert is_there("app:client")


def test_a_stale_base_shows_what_changed_and_asks_again(enter: Enter, scene: Scene) -> None:
    entry_id = spare("stale")
    page = enter("author")
    open_dialog(page, entry_id)
    entry = registry.entry(entry_id)
    registry.save_entry(
        scene.stage.cast.root, entry_id, base=registry.current_number(), kind=entry.kind, meta=entry.meta,
        data={**entry.data, "source": "-- needed again\n" + SOURCE}, message="keep it",
    )  # fmt: skip
    dialog = page.locator("#dialog")
    with page.expect_response(lambda response: response.request.method == "POST") as answered:
        dialog.get_by_role("button", name="Delete the entry").click()
    assert answered.value.status == 409
    expect(dialog.get_by_role("alert")).to_contain_text("by root")
    expect(dialog.get_by_label("What changed")).to_contain_text("-- needed again")
    assert is_there(entry_id)
    dialog.get_by_role("button", name="Delete the entry").click()
    page.wait_for_url("**/registry/")
    assert not is_there(entry_id)


def test_an_author_is_told_that_clients_are_not_theirs_to_delete(enter: Enter, scene: Scene) -> None:
    page = enter("author")
    page.goto(reverse("entry", args=["app:client"]))
    expect(page.get_by_role("link", name="Delete…")).to_have_count(0)
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)
    page.goto(reverse("entry_delete", args=["app:client"]))
    page.get_by_role("button", name="Delete the entry").click()
    expect(page.locator("body")).to_contain_text("You may not")
    assert is_there("app:client")


@pytest.mark.parametrize("name", ["viewer", "operator"])
def test_who_may_not_publish_may_not_delete(enter: Enter, scene: Scene, name: str) -> None:
    page = enter(name)
    page.goto("/registry/app.orders:process/")
    expect(page.get_by_role("link", name="Delete…")).to_have_count(0)
    response = page.goto("/registry/delete/app.orders:process/")
    assert response
    assert response.status == 403


def test_deleting_works_without_javascript(enter: Enter, scene: Scene) -> None:
    entry_id = spare("plain")
    page = enter("author", java_script_enabled=False)
    page.goto(reverse("entry", args=[entry_id]))
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete the entry").click()
    expect(page.locator("#messages")).to_contain_text("is deleted")
    assert not is_there(entry_id)
