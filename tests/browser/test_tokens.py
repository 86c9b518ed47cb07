"""An access token's life in a browser: made, copied, used by another system, revoked."""

from __future__ import annotations

import httpx
from playwright.sync_api import expect

from tests.browser.conftest import Enter
from tests.browser.scene import Scene
from tests.patience import PATIENCE
from wippy_console.models import AccessToken


def test_a_token_is_made_copied_used_and_revoked(enter: Enter, scene: Scene, site: str) -> None:
    page = enter("operator", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="API tokens").click()
    page.get_by_role("link", name="Make a token").first.click()
    page.get_by_label("What it is for").fill("Nightly report")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_text("Choose what it may do, or all of it.")).to_be_visible()
    expect(page.get_by_label("What it is for")).to_have_value("Nightly report")
    page.get_by_label("See runs").check()
    page.get_by_label("Namespaces").fill("app.*")
    page.get_by_role("button", name="Make the token").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#announce")).to_have_text("Copied")
    text = page.evaluate("navigator.clipboard.readText()")
    assert text == page.locator(".once code").inner_text()

    # What is loaded again is the list; the token is nowhere any more.
    assert page.url.endswith("/preferences/tokens/")
    page.goto("/")
    page.go_back()
    expect(page.get_by_text("Nightly report")).to_be_visible()
    assert text not in page.content()
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, history.state])")
    assert text not in kept

    credentials = {"Authorization": f"Bearer {text}"}
    with httpx.Client(base_url=f"{site}/api/v1", headers=credentials, timeout=PATIENCE, trust_env=False) as api:
        assert api.get("/runs").status_code == 200
        assert api.post("/runs", json={"entry": "app.flows:approval"}).status_code == 403
        page.goto("/preferences/tokens/")
        expect(page.get_by_text("127.0.0.1")).to_be_visible()

        page.get_by_role("link", name="Revoke Nightly report").click()
        dialog = page.locator("#dialog[open]")
        dialog.get_by_role("link", name="Back").click()
        assert api.get("/runs").status_code == 200
        page.get_by_role("link", name="Revoke Nightly report").click()
        dialog.get_by_role("button", name="Revoke it").click()
        expect(page.get_by_text("counts no more")).to_be_visible()
        expect(page.get_by_text("No token counts")).to_be_visible()
        assert api.get("/runs").status_code == 401
        assert AccessToken.objects.get(owner=scene.stage.cast.operator).state == "revoked"
