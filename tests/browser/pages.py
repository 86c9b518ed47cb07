"""Every page there is, each in the states that show most of it: one list for accessibility, looks and pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from django.contrib import admin
from django.contrib.admin.utils import quote as admin_quote
from django.urls import reverse
from playwright.sync_api import Page

from tests.browser.acted import Acted
from tests.browser.furniture import Furniture
from tests.browser.scene import Scene
from wippy_console.models import Revision, Service, Version
from wippy_console.services import guests

PID = "{node-1@app:processes|0x0}"
ENTRY_TABS = ("source", "fields", "versions", "diff", "used by", "open runs")


@dataclass(frozen=True, slots=True)
class State:
    """A page by its address, and what is done there first: a dialog opened, a row unfolded.

    `who` is "" for somebody outside; `picture` whether it is in docs/screenshots.
    """

    name: str
    address: str
    act: Callable[[Page], object] | None = None
    who: str = "root"
    status: int = 200
    picture: bool = True


AREAS = ("outside", "work", "runs", "acts", "registry", "operations", "admin", "shop")


def areas(scene: Scene, furniture: Furniture) -> dict[str, list[State]]:
    """All of them, by where they belong."""
    parts = (
        _outside(furniture), _work(scene, furniture), _runs(scene), _acts(scene, furniture.acted),
        _registry(), _operations(furniture), _admin(), _shop(furniture),
    )  # fmt: skip
    return {area: list(part) for area, part in zip(AREAS, parts, strict=True)}


def pages(scene: Scene, furniture: Furniture) -> list[State]:
    """All of them, one after the other."""
    return [state for part in areas(scene, furniture).values() for state in part]


def _outside(furniture: Furniture) -> Iterator[State]:
    yield State("login", "/login/", who="")
    yield State("guest", f"/guest/{guests.token_of(furniture.guest)}/", who="")
    yield State("guest-unknown", "/guest/none/", who="", status=404, picture=False)


def _work(scene: Scene, furniture: Furniture) -> Iterator[State]:
    number = scene.question.pk
    yield State("home", "/")
    yield State("inbox", "/inbox/")
    yield State("inbox-filters", "/inbox/?view=others&label=Approve&q=x", picture=False)
    yield State("inbox-done", "/inbox/?view=done")
    yield State("inbox-later", "/inbox/?view=later", picture=False)
    yield State("question", f"/inbox/{number}/")
    yield State("question-guest", f"/inbox/{furniture.guest.question_id}/", picture=False)
    yield State("question-assign", f"/inbox/{number}/assign/", picture=False)
    yield State("question-postpone", f"/inbox/{number}/postpone/", picture=False)
    yield State("bulk", f"/inbox/bulk/?chosen={number}&answer=0")
    yield State("bulk-choose", f"/inbox/bulk/?chosen={number}", picture=False)
    yield State("bulk-none", "/inbox/bulk/", picture=False)
    yield State("help", "/inbox/", lambda page: page.keyboard.press("?"))
    yield State("palette", "/inbox/", lambda page: page.keyboard.press("Control+k"))
    yield State("missing", "/nothing/here/", status=404)


def _runs(scene: Scene) -> Iterator[State]:
    closed = reverse("run", args=(scene.closed.workflow_id, scene.closed.run_id))
    asking = reverse("run", args=(scene.asking.workflow_id, scene.asking.run_id))
    yield State("runs", "/runs/")
    yield State("runs-none", "/runs/?q=nothing+like+it", picture=False)
    yield State("runs-columns", "/runs/?columns=id,entry,keys,result,by,queue,version&status=failed&status=completed")
    yield State("runs-menu", "/runs/", lambda page: page.locator("#columns summary").click(), picture=False)
    yield State("view-new", "/views/new/runs/?query=q%3Dx", picture=False)
    yield State("runs-refused", "/runs/?status=none", status=422, picture=False)
    yield State("runs-of-entry", "/runs/?entry=app.flows:approval", picture=False)
    for tab in _run_tabs():
        yield State(f"run-{tab}", f"{closed}?tab={tab}")
    yield State("run-asking", asking)
    for tab in ("pending", "state", "queries"):
        yield State(f"run-asking-{tab}", f"{asking}?tab={tab}")
    yield State("run-query", f"{asking}query/?name=echo&args=%5B1%5D", picture=False)
    yield State("run-source", f"{asking}source/app.flows:approval/#L1", picture=False)
    yield State("run-answer", f"{asking}answer/0/")
    yield State("run-answer-dialog", asking, lambda page: page.locator(".answers .btn").first.click(), picture=False)
    for word in ("signal", "cancel", "terminate"):
        yield State(f"run-{word}", f"{asking}{word}/", picture=word == "terminate")
        yield State(f"run-{word}-dialog", asking, _dialog(word.capitalize()), picture=word == "terminate")
    yield State("run-event", f"{closed}events/5/", picture=False)
    yield State("start-choose", "/runs/start/")
    yield State("start", "/runs/start/?entry=app.orders:process")


def _acts(scene: Scene, acted: Acted) -> Iterator[State]:
    asking = reverse("run", args=(scene.asking.workflow_id, scene.asking.run_id))
    more = "#run-more > summary"
    yield State("run-more", asking, lambda page: page.locator(more).click(), picture=False)
    yield State("run-reset", f"{asking}reset/")
    yield State("run-reset-dialog", asking, _reset, picture=False)
    yield State("start-again", f"/runs/start/?again={scene.closed.run_id}", picture=False)
    yield State("runs-picked", "/runs/", lambda page: page.locator("[data-pick]").first.check())
    yield State("batches", "/runs/batches/")
    for name, batch in acted.batches.items():
        yield State(f"batch-{name}", f"/runs/batches/{batch.pk}/", picture=name in ("draft", "running"))
    here = f"/runs/imported/{acted.history.pk}/"
    yield State("import", "/runs/import/")
    for tab in ("timeline", "table", "events", "json"):
        yield State(f"imported-{tab}", f"{here}?tab={tab}", picture=tab == "timeline")
    yield State("imported-event", f"{here}events/1/", picture=False)
    yield State("compare-choose", f"/runs/compare/?a={scene.closed.run_id}")
    yield State("compare-any", "/runs/compare/", picture=False)
    yield State("compare", f"/runs/compare/?a={scene.closed.run_id}&b={scene.asking.run_id}")
    yield State("compare-file", f"/runs/compare/?a={scene.closed.run_id}&b=file:{acted.history.pk}", picture=False)


def _reset(page: Page) -> None:
    page.locator("#run-more > summary").click()
    page.locator("#run-more a[hx-target='#dialog']").click()
    page.locator("#dialog[open]").wait_for()


def _run_tabs() -> list[str]:
    from wippy_console.views import run_page

    return [str(name) for name in run_page.TABS]


def _dialog(word: str) -> Callable[[Page], object]:
    def open_it(page: Page) -> None:
        link = page.locator(f"a[hx-target='#dialog']:has-text('{word}…')").first
        if not link.is_visible():
            page.locator("details:has(a[hx-target='#dialog']) > summary").first.click()
        link.click()
        page.locator("#dialog[open]").wait_for()

    return open_it


def _registry() -> Iterator[State]:
    yield State("registry", "/registry/")
    for tab in ENTRY_TABS:
        yield State(f"entry-{tab.replace(' ', '-')}", f"/registry/app.orders:process/?tab={quote(tab)}")
    yield State("entry-python", "/registry/shop:charge/")
    yield State("entry-python-gone", "/registry/billing:remind/")
    yield State("entry-endpoint", "/registry/shop:charged/", lambda page: page.get_by_text("With curl").click())
    yield State("entry-router", "/registry/shop:hooks/", picture=False)
    yield State("entry-of-code", "/registry/shop:stock/")
    yield State("editor", "/registry/edit/app.orders:process/")
    yield State("entry-try", "/registry/try/app.api:charge/")
    yield State("entry-delete", "/registry/delete/app:client/")
    yield State("entry-new", "/registry/new/")
    yield State("entry-missing", "/registry/app.orders:none/", status=404, picture=False)


def _operations(furniture: Furniture) -> Iterator[State]:
    yield State("live", "/live/")
    yield State("live-before", "/live/?before=3", picture=False)
    yield State("live-filtered", "/live/?kind=EXIT&kind=STARTED&entry=app.flows:approval")
    yield State("live-nothing", "/live/?q=nothing+like+it&user=nobody", picture=False)
    yield State("audit", "/audit/")
    yield State("audit-none", "/audit/?user=nobody", picture=False)
    yield State("deliveries", "/deliveries/")
    yield State("deliveries-none", "/deliveries/?q=none", picture=False)
    for name, delivery in furniture.deliveries.items():
        yield State(f"delivery-{name}", f"/deliveries/{delivery.pk}/", picture=name in ("done", "waiting"))
    yield State("processes", "/processes/")
    yield State("processes-none", "/processes/?q=none", picture=False)
    yield State("processes-under", f"/processes/?under={PID}", picture=False)
    yield State("processes-ended", "/processes/?ended=1")
    for number, how in enumerate(("completed", "failed")):
        over = f"{{node-1@app:processes|0xe{number}}}"
        yield State(f"process-{how}", reverse("process", args=(over,)), picture=how == "failed")
    yield State("spawn", "/processes/spawn/")
    yield State("process", reverse("process", args=(PID,)))
    yield State("process-message", reverse("process_message", args=(PID,)), picture=False)
    for word in ("cancel", "terminate"):
        yield State(f"process-{word}", reverse("process_end", args=(word, PID)), picture=False)
    for service in Service.objects.all()[:1]:
        yield State("service-stop", reverse("service_move", args=(service.pk, "stop")), picture=False)
    yield State("workers", "/workers/")
    yield State("quarantine", reverse("quarantine_lift", args=(furniture.quarantine.pk,)))
    yield State("notifications", "/notifications/")
    yield State("notifications-failed", "/notifications/?state=dead", picture=False)
    yield State("preferences", "/preferences/notifications/")
    yield State("tokens", "/preferences/tokens/")
    yield State("tokens-over", "/preferences/tokens/?state=over", picture=False)
    yield State("token-new", "/preferences/tokens/new/")
    yield State("token-made", "/preferences/tokens/new/", _make_token, picture=False)
    yield State("token-revoke", f"/preferences/tokens/{furniture.token.pk}/revoke/", picture=False)
    here = f"/preferences/subscriptions/{furniture.subscription.pk}/"
    yield State("subscriptions", "/preferences/subscriptions/")
    yield State("subscriptions-none", "/preferences/subscriptions/?owner=nobody", picture=False)
    yield State("subscription", here)
    for word in ("edit", "redeliver", "secret", "delete"):
        yield State(f"subscription-{word}", f"{here}{word}/", picture=False)
    yield State("subscription-redeliver-dialog", here, _dialog("Send again"), picture=False)
    yield State("subscription-new", "/preferences/subscriptions/new/")
    yield State("subscription-made", "/preferences/subscriptions/new/", _subscribe, picture=False)
    yield State("accounts", "/people/services/", picture=False)
    yield State("account-new", "/people/services/new/", picture=False)
    yield State("account", f"/people/services/{furniture.token.owner_id}/", picture=False)
    yield State("rights", "/people/{root}/rights/")
    yield State("api", "/api/docs/")
    yield State("api-operation", "/api/docs/", lambda page: page.locator("#runs_start > summary").click())


def _make_token(page: Page) -> None:
    page.get_by_label("What it is for").fill(f"Reports {time.monotonic_ns()}")
    page.get_by_label("All that the account may, now and later").check()
    page.get_by_role("button", name="Make the token").click()
    page.get_by_role("button", name="Copy").wait_for()


def _subscribe(page: Page) -> None:
    page.get_by_label("What it is for").fill(f"Reports {time.monotonic_ns()}")
    page.get_by_label("Sees what this token may see").select_option(index=1)
    page.get_by_label("Send to").fill("https://example.com/hooks/wippy")
    page.get_by_role("button", name="Subscribe").click()
    page.get_by_role("button", name="Copy").wait_for()


def _shop(furniture: Furniture) -> Iterator[State]:
    order = furniture.order.pk
    yield State("shop", "/apps/shop/")
    yield State("shop-order", f"/apps/shop/orders/{order}/")
    yield State("admin-shop-order", f"/admin/shop/order/{order}/change/")
    yield State("admin-shop-product-add", "/admin/shop/product/add/", picture=False)


def _admin() -> Iterator[State]:
    yield State("admin", "/admin/")
    yield State("admin-password", "/admin/password_change/", picture=False)
    for model in admin.site._registry:
        label, name = model._meta.app_label, model._meta.model_name
        yield State(f"admin-{name}", f"/admin/{label}/{name}/", picture=name in ("run", "decision", "user"))
    yield State(
        "admin-run-filter", "/admin/wippy_console/run/", lambda page: page.locator(".menu > summary").first.click()
    )
    for model in (Version, Revision):
        yield _row(model, picture=model is Revision)
    yield State("admin-user-add", "/admin/auth/user/add/", picture=False)
    yield State("admin-grant-add", "/admin/wippy_console/grant/add/")
    yield State("admin-person", "/admin/auth/user/{root}/change/")
    yield State("admin-person-history", "/admin/auth/user/{root}/history/", picture=False)
    yield State("admin-person-password", "/admin/auth/user/{root}/password/", picture=False)


def _row(model: type[Version | Revision], *, picture: bool) -> State:
    name, key = (
        model._meta.model_name,
        admin_quote(str(model.objects.order_by("pk").values_list("pk", flat=True).last())),
    )
    return State(f"admin-{name}-row", f"/admin/wippy_console/{name}/{key}/change/", picture=picture)
