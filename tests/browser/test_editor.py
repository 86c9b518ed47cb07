"""The editor of entries."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Enter
from tests.browser.scene import SOURCE, Scene
from wippy_console.services import registry

EDIT = "/registry/edit/app.orders:process/"


def write(page: Page, text: str) -> None:
    page.locator("[data-for=source] .cm-content").click()
    page.keyboard.press("Control+Home")
    page.keyboard.type(text)


def someone_else_publishes(scene: Scene, line: str) -> None:
    entry = registry.entry("app.orders:process")
    registry.save_entry(
        scene.stage.cast.root, entry.id, base=registry.current_number(), kind=entry.kind, meta=entry.meta,
        data={**entry.data, "source": line + entry.data["source"]}, message="mine first",
    )  # fmt: skip


def source() -> str:
    return str(registry.entry("app.orders:process").data["source"])


def test_a_syntax_error_is_marked_at_its_line_and_nothing_is_published(enter: Enter, scene: Scene) -> None:
    before = registry.current_number()
    page = enter("author")
    page.goto(EDIT)
    write(page, "\nlocal x = = 1\n")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("alert")).to_contain_text("line 2")
    expect(page.locator("[data-for=source] .cm-lint-marker-error")).to_be_visible()
    expect(page.locator("[data-for=source] .cm-content")).to_contain_text("local x = = 1")
    assert registry.current_number() == before


def test_bad_fields_are_marked_at_their_line(enter: Enter, scene: Scene) -> None:
    page = enter("author")
    page.goto(EDIT)
    page.locator("[data-for=fields_text] .cm-content").click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("a: [1\n")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("alert")).to_contain_text("line")
    expect(page.locator("[data-for=fields_text] .cm-lint-marker-error")).to_be_visible()


def test_what_is_suggested_follows_the_kind_until_somebody_writes(enter: Enter, scene: Scene) -> None:
    page = enter("author")
    page.goto("/registry/new/")
    code, fields = (page.locator(f"[data-for={name}] .cm-content") for name in ("source", "fields_text"))
    expect(code).to_contain_text("return { main = main }")
    page.get_by_label("Kind").fill("env.variable")
    page.get_by_label("Kind").press("Tab")
    expect(code).to_have_text("")
    expect(fields).to_contain_text("variable: MY_VARIABLE")
    page.get_by_label("Kind").fill("library.lua")
    page.get_by_label("Kind").press("Tab")
    expect(code).to_contain_text("function M.hello(name)")
    write(page, "-- mine\n")
    page.get_by_label("Kind").fill("function.lua")
    page.get_by_label("Kind").press("Tab")
    expect(fields).to_contain_text("method: main")
    expect(code).to_contain_text("-- mine")


def test_a_save_makes_a_version_with_its_author(enter: Enter, scene: Scene) -> None:
    page = enter("author")
    page.goto(EDIT)
    write(page, "-- better\n")
    page.get_by_label("What changes").fill("A comment")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("#messages")).to_contain_text("is published as version")
    version = registry.current_version()
    assert version
    assert (version.author, version.message) == (scene.stage.cast.author, "A comment")
    assert source().startswith("-- better\n")
    page.get_by_role("link", name="Diff").click()
    expect(page.locator(".d-added")).to_contain_text("-- better")


def test_a_stale_base_shows_both_sides_and_keeps_the_draft(enter: Enter, scene: Scene) -> None:
    page = enter("author")
    page.goto(EDIT)
    write(page, "-- my draft\n")
    someone_else_publishes(scene, "-- theirs\n")
    with page.expect_response(lambda response: response.request.method == "POST") as answered:
        page.get_by_role("button", name="Publish").click()
    assert answered.value.status == 409
    conflict = page.get_by_role("alert")
    expect(conflict).to_contain_text("by root")
    expect(conflict.get_by_label("Their changes")).to_contain_text("-- theirs")
    expect(conflict.get_by_label("Your changes")).to_contain_text("-- my draft")
    expect(page.locator("[data-for=source] .cm-content")).to_contain_text("-- my draft")
    assert "-- my draft" not in source()
    write(page, "-- theirs\n")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("#messages")).to_contain_text("is published")
    assert source().startswith("-- theirs\n-- my draft\n")


def test_the_editor_works_without_javascript(enter: Enter, scene: Scene) -> None:
    page = enter("author", java_script_enabled=False)
    page.goto(EDIT)
    page.get_by_label("Lua source").fill("-- plain\n" + SOURCE)
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("#messages")).to_contain_text("is published")
    assert source() == "-- plain\n" + SOURCE


def test_a_new_entry_is_written_and_can_be_started(enter: Enter, scene: Scene) -> None:
    page = enter("author")
    page.goto("/registry/new/")
    page.get_by_label("Id", exact=False).first.fill("app.new:hello/world")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("h1")).to_have_text("app.new:hello/world")
    page.get_by_role("link", name="Start").click()
    expect(page.get_by_role("heading", name="hello/world")).to_be_visible()


def test_an_operator_sees_the_source_but_no_editor(enter: Enter, scene: Scene) -> None:
    page = enter("operator")
    page.goto("/registry/app.orders:process/")
    expect(page.locator(".cm-content")).to_contain_text("local function main")
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)
    response = page.goto(EDIT)
    assert response
    assert response.status == 403
