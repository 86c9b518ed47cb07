"""Every page of the admin for every model: it answers, fits the console, links nowhere in vain, and reads few rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.console.operating import Cast
from wippy_console import models
from wippy_console.admin import frugal
from wippy_console.models import FeedEvent, Run

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MODELS = list(admin.site._registry)
LARGE = [each for each in MODELS if not getattr(admin.site._registry[each], "small", False)]
UNREGISTERED: dict[str, str] = {}
"""Models of ours that the admin does not show, each with the reason."""


def name_of(model: Any) -> str:
    return str(model._meta.label_lower)


def address(model: Any, what: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=args)


@pytest.fixture
def root(cast: Cast) -> Client:
    """An administrator's browser."""
    client = Client()
    client.force_login(cast.root)
    return client


@pytest.fixture
def runs(cast: Cast) -> list[Run]:
    """Runs with what belongs to them, more than a page holds."""
    made = Run.objects.bulk_create(
        Run(
            run_id=f"0199aaaa-0000-7000-8000-{n:012}", workflow_id=f"order/{n}", entry_id=f"app:e{n % 3}",
            namespace="app", client="c", started_at=NOON, started_by=cast.operator,
        )
        for n in range(60)
    )  # fmt: skip
    for run in made[:5]:
        question = models.Question.objects.create(run=run, key=run.pk, number=0, opened_at=NOON, title="Who?")
        question.roles.create(role="approvers")
        question.votes.create(user=cast.operator, index=0, topic="decision", reason="sound")
        question.comments.create(user=cast.operator, text="a word")
        models.Decision.objects.create(run=run, user=cast.operator, topic="decision", reason="sound")
        FeedEvent.objects.create(at=NOON, kind="STARTED", run_id=run.run_id, workflow_id=run.workflow_id)
    return made


def test_every_model_is_registered() -> None:
    ours = {model.__name__ for model in apps.get_app_config("wippy_console").get_models()}
    missing = ours - {model.__name__ for model in MODELS} - set(UNREGISTERED)
    assert not missing


def test_every_model_has_a_room_on_the_index(root: Client) -> None:
    text = root.get("/admin/").content.decode()
    assert "Other</h2>" not in text
    for model in MODELS:
        if admin.site._registry[model].has_module_permission(_request(root)):
            assert address(model, "changelist") in text, model


def _request(client: Client) -> Any:
    request = RequestFactory().get("/")
    request.user = User.objects.get(username="root")
    return request


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_every_page_of_a_model_answers_an_administrator(root: Client, runs: list[Run], model: Any) -> None:
    page = root.get(address(model, "changelist"))
    assert page.status_code == 200
    for query in queries(root, model):
        assert root.get(address(model, "changelist") + query).status_code == 200, query
    request, pages = page.wsgi_request, admin.site._registry[model]
    added = root.get(address(model, "add")).status_code
    assert added == (200 if pages.has_add_permission(request) else 403)
    row = model._default_manager.order_by("pk").first()
    if row is None:
        return
    assert root.get(address(model, "change", row.pk)).status_code == 200
    assert root.get(address(model, "history", row.pk)).status_code == 200
    deleted = root.get(address(model, "delete", row.pk)).status_code
    assert deleted == (200 if pages.has_delete_permission(request, row) else 403)


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_every_link_and_file_of_a_page_is_there(root: Client, runs: list[Run], model: Any) -> None:
    row = model._default_manager.order_by("pk").first()
    pages = [address(model, "changelist"), *([address(model, "change", row.pk)] if row else [])]
    for page in pages:
        head, main = root.get(page).content.decode().split("<main", 1)
        for found in sorted({*links(main), *(each for each in links(head) if each.startswith("/static/"))}):
            if found.startswith("/static/"):
                assert finders.find(found.removeprefix("/static/")), (page, found)
            elif found.startswith("/"):
                assert root.get(found).status_code < 400, (page, found)


def links(text: str) -> Iterator[str]:
    for found in re.findall(r'(?:href|src)="([^"#]+)', text):
        yield found.replace("&amp;", "&")


def queries(root: Client, model: Any) -> list[str]:
    """The queries of all filters of a list, one at a time."""
    text = root.get(address(model, "changelist")).content.decode()
    found = {link for link in links(text) if link.startswith("?")}
    return sorted(found)


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_no_list_reads_the_whole_of_a_table(root: Client, runs: list[Run], model: Any) -> None:
    """Neither DISTINCT nor a COUNT without bounds, for the list, each of its filters, a search and an order."""
    orders = [f"?o={sign}{number}" for number in range(1, 12) for sign in ("", "-")]
    for query in ["", "?q=order", "?q=12", "?p=2", *queries(root, model), *orders]:
        with CaptureQueriesContext(connection) as seen:
            assert root.get(address(model, "changelist") + query).status_code in (200, 302), query
        for each in seen.captured_queries:
            sql = each["sql"]
            assert "DISTINCT" not in sql.upper(), (query, sql)
            assert "COUNT(" not in sql.upper() or " LIMIT " in sql.upper() or _is_counted_for_one(sql), (query, sql)


def _is_counted_for_one(sql: str) -> bool:
    """The badge of the inbox, which every page has; the entries of a version, per row of a page."""
    return "wippy_console_question" in sql or 'U0."version_id" = ' in sql


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plans")
@pytest.mark.parametrize("model", LARGE, ids=name_of)
def test_no_list_of_a_large_table_is_put_in_order_or_looked_through_row_by_row(
    root: Client, runs: list[Run], model: Any
) -> None:
    table = model._meta.db_table
    for query in ["", *queries(root, model)]:
        with CaptureQueriesContext(connection) as seen:
            root.get(address(model, "changelist") + query)
        for each in seen.captured_queries:
            if f'FROM "{table}"' in each["sql"] and " LIMIT " in each["sql"]:
                plan = plan_of(each["sql"])
                is_bounded = any(
                    line.startswith("LIST SUBQUERY") for line in plan
                )  # a list of keys, with a LIMIT of its own
                assert is_bounded or "USE TEMP B-TREE FOR ORDER BY" not in plan, (query, each["sql"], plan)


def plan_of(sql: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return [row[3] for row in cursor.fetchall()]


def test_a_count_ends_where_pages_end_and_says_about_how_many_there_are(
    root: Client, runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frugal, "MOST", 55)
    page = root.get(address(Run, "changelist"))
    assert "More than 55 runs, about 60 in all" in page.content.decode()
    assert "More than" not in root.get(address(Run, "changelist"), {"q": "order/1"}).content.decode()
    assert root.get(address(Run, "changelist"), {"p": 2}).status_code == 200


def test_what_is_about_people_and_runs_is_found_by_their_names(root: Client, runs: list[Run]) -> None:
    for model in (models.Question, models.Decision, models.Vote, models.Comment, FeedEvent):
        text = root.get(address(model, "changelist"), {"q": "order/3"}).content.decode()
        assert "order/3" in text and "order/4" not in text, model
    for model in (models.Decision, models.Vote, models.Comment):
        assert "order/3" in root.get(address(model, "changelist"), {"q": "opera"}).content.decode()
    assert "order/3" in root.get(address(models.Vote, "changelist"), {"q": "soun"}).content.decode()
    assert "Nothing matches" in root.get(address(models.Vote, "changelist"), {"q": "nobody"}).content.decode()


def test_the_admin_is_a_part_of_the_console(root: Client, runs: list[Run], cast: Cast) -> None:
    text = root.get("/admin/").content.decode()
    assert 'aria-label="Main"' in text and "data-theme-toggle" in text and "admin/css/base.css" not in text
    text = root.get(address(Run, "changelist")).content.decode()
    assert 'class="status t-run"' in text and 'data-time="at"' in text and 'data-label="Started at"' in text


def test_whoever_may_not_enter_is_told_so_and_strangers_log_in_where_all_do(cast: Cast) -> None:
    stranger = Client()
    assert stranger.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/login/")
    cast.viewer.is_staff = False
    cast.viewer.save()
    stranger.force_login(cast.viewer)
    assert stranger.get("/admin/", follow=True).status_code == 403


def test_roles_are_offered_by_the_names_of_groups(root: Client, runs: list[Run]) -> None:
    Group.objects.get_or_create(name="approvers")
    text = root.get(address(models.Question, "changelist"), {"role": "approvers"}).content.decode()
    assert "order/3" in text


def test_pages_of_the_console_lead_to_the_admin_whoever_may_go_there(root: Client, runs: list[Run], cast: Cast) -> None:
    run = runs[0]
    page, there = reverse("run", args=(run.workflow_id, run.run_id)), f'href="{address(Run, "change", run.pk)}"'
    assert there in root.get(page).content.decode()
    cast.viewer.is_staff = False
    cast.viewer.save()
    viewer = Client()
    viewer.force_login(cast.viewer)
    assert there not in viewer.get(page).content.decode()


EXPORTS = {"as_csv", "as_json"}
ON_RUNS = {"operator": {"cancel_runs"}, "author": {"cancel_runs", "terminate_runs"}}
ON_RUNS |= {"administrator": ON_RUNS["author"], "root": ON_RUNS["author"]}
ACTIONS: dict[Any, dict[str, set[str]]] = {
    Run: ON_RUNS,
    models.Outgoing: {"administrator": {"send_again"}, "root": {"send_again"}},
    models.AccessToken: {"administrator": {"revoke"}, "root": {"revoke"}},
    models.FailedLogin: {"administrator": {"lift"}, "root": {"lift"}},
}
"""What each role is offered, besides exports and deletion."""

KEPT = {
    "auditrow",
    "decision",
    "feedevent",
    "historyarchive",
    "program",
    "question",
    "revision",
    "run",
    "version",
    "vote",
}
"""What nobody deletes in the admin, whatever their rights."""


@pytest.mark.parametrize("who", ["viewer", "operator", "author", "administrator", "root"])
@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_each_role_is_offered_the_actions_of_its_rights_on_each_model(
    runs: list[Run], cast: Cast, model: Any, who: str
) -> None:
    request, pages = RequestFactory().get("/"), admin.site._registry[model]
    request.user = getattr(cast, who)
    name, offered = str(model._meta.model_name), set(pages.get_actions(request))
    may_export = pages.has_view_permission(request)
    assert offered - EXPORTS - {"delete_selected"} == ACTIONS.get(model, {}).get(who, set())
    assert may_export or not offered & EXPORTS
    deletes = pages.has_delete_permission(request)
    assert deletes or "delete_selected" not in offered
    assert not deletes or (who in ("administrator", "root") and name not in KEPT)
    assert not pages.has_add_permission(request) or (
        who in ("administrator", "root") and name in ("user", "group", "grant")
    )


def test_a_page_asks_before_it_deletes_and_names_what_goes(root: Client, cast: Cast) -> None:
    group = Group.objects.create(name="shop")
    grant = models.Grant.objects.create(group=group, pattern="shop.*")
    page = address(models.Grant, "delete", grant.pk)
    text = root.get(page).content.decode()
    assert "Delete shop in shop.*?" in text and "does not come back" in text
    assert models.Grant.objects.filter(pk=grant.pk).exists()
    chosen = {"_selected_action": [grant.pk], "action": "delete_selected"}
    asked = root.post(address(models.Grant, "changelist"), chosen).content.decode()
    assert "Delete 1 grant?" in asked or "Delete 1 grants?" in asked
    assert root.post(page, {"post": "yes"}).status_code == 302
    assert not models.Grant.objects.filter(pk=grant.pk).exists()
