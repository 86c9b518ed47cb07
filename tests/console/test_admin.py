"""The Django admin: who sees, exports and does what; rows that services wrote stay as they are."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.console.operating import Cast, Stage
from wippy_console import models, permissions
from wippy_console.models import (
    AuditRow,
    Decision,
    Delivery,
    FeedEvent,
    HistoryArchive,
    Node,
    Program,
    Quarantine,
    Question,
    Revision,
    Run,
    Token,
    Version,
)  # fmt: skip
from wippy_console.services import accounts, histories

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
RUN_ID = "0199aaaa-0000-7000-8000-000000000001"
OURS = [getattr(models, name) for name in models.__all__ if name.lower() not in permissions.PERSONAL]
ROLES = ["viewer", "operator", "author", "administrator", "root"]


@pytest.fixture
def rows(cast: Cast) -> Run:
    """One row of everything."""
    run = Run.objects.create(
        run_id=RUN_ID, workflow_id="order/7 \"ä\"", entry_id="app:order", client="app:client", worker="app:worker",
        started_at=NOON, input=[{"amount": 7}], started_by=cast.operator,
    )  # fmt: skip
    question = Question.objects.create(run=run, channel="", number=0, opened_at=NOON)
    question.roles.create(role="approvers")
    question.votes.create(user=cast.operator, index=0, topic="decision", label="Approve")
    question.comments.create(user=cast.operator, text="<b>Why?</b>")
    AuditRow.objects.create(at=NOON, user="operator", action="answer", hash="0" * 64)
    Decision.objects.create(
        run=run, user=cast.operator, question=question, topic="decision", label="Approve", reason="=1+1"
    )
    HistoryArchive.objects.create(run=run, content=b"x", events=3)
    FeedEvent.objects.create(at=NOON, kind="STARTED", run_id=run.run_id, data={"a": 1})
    node = Node.objects.create(id="n1", hostname="h", os_pid=1, started_at=NOON, heartbeat_at=NOON)
    node.services.create(entry_id="app:service", state="Running", since=NOON)
    node.processes.create(pid="{n1@app:h|<b>}", entry_id="app:p", host_id="app:h", state="idle", started_at=NOON)
    node.claims.create(kind="service", key="app:service")
    batch = models.Batch.objects.create(user=cast.operator, action="cancel", total=1)
    batch.items.create(run=run, position=0)
    version = Version.objects.create(number=1, message="first")
    Revision.objects.create(
        version=version, entry_id="app:order", kind="workflow.lua", data={"source": "<b>return</b>"}
    )
    Program.objects.create(digest="d" * 64, entry_id="app:order", content={"chunks": {}}, version=version)
    Quarantine.objects.create(
        entry_id="app:order", kind="workflow", digest="d" * 64, host="app:worker", seconds=5, at=NOON
    )
    Token.objects.create(store="app:tokens", digest="d" * 64, actor={"id": "a"}, scope=[], expires_ns=1)
    Delivery.objects.create(
        endpoint="app:order", route="POST /hooks/orders", act="start", method="POST", path="/hooks/orders", body=b"h",
        headers=[["x-a", "hooks-secret"]], sender_id="order",
    )  # fmt: skip
    return run


def client(person: User) -> Client:
    browser = Client()
    browser.force_login(person)
    return browser


def address(model: Any, what: str, *args: Any) -> str:
    return reverse(f"admin:wippy_console_{model._meta.model_name}_{what}", args=args)


@pytest.mark.parametrize("who", ROLES)
@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_role_sees_every_list_and_row_and_changes_none(rows: Run, cast: Cast, model: Any, who: str) -> None:
    browser = client(getattr(cast, who))
    row = model.objects.first()
    assert browser.get(address(model, "changelist")).status_code == 200
    page = browser.get(address(model, "change", row.pk))
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert browser.get(address(model, "add")).status_code == 403
    assert browser.post(address(model, "change", row.pk), {}).status_code == 403
    assert browser.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_who_has_no_rights_sees_nothing(rows: Run, cast: Cast, model: Any) -> None:
    browser = client(cast.stranger)
    assert browser.get(address(model, "changelist")).status_code == 403
    assert browser.get(address(model, "change", model.objects.first().pk)).status_code == 403


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_list_can_be_searched_and_exported(rows: Run, cast: Cast, model: Any) -> None:
    browser = client(cast.viewer)
    assert browser.get(address(model, "changelist"), {"q": "order"}).status_code == 200
    chosen = {"_selected_action": [model.objects.first().pk], "action": "as_json"}
    answer = browser.post(address(model, "changelist"), chosen)
    assert len(json.loads(b"".join(answer))) == 1


def test_what_no_page_shows_is_in_no_export_and_narrows_no_list(rows: Run, cast: Cast) -> None:
    """A list that may be narrowed by a secret tells it letter by letter."""
    person, secret = cast.operator, "hooks-secret"
    models.NotificationPreference.objects.create(user=person, chat=secret, webhook=f"https://{secret}/", secret=secret)
    models.Notification.objects.create(
        user=person, kind="asked", fact="f", method="webhook", address=f"https://{secret}/", next_at=NOON
    )
    hidden: dict[Any, list[str]] = {
        models.NotificationPreference: ["chat", "webhook", "secret"],
        models.Notification: ["address"],
        Token: ["digest"],
        models.Draft: ["content"],
        Decision: ["payload__key"],
        Delivery: ["body", "answer", "headers"],
    }
    browser = client(cast.root)
    for model in (models.NotificationPreference, models.Notification, Token, Delivery):
        for action in ("as_json", "as_csv"):
            chosen = {"_selected_action": [model.objects.get().pk], "action": action}
            text = b"".join(browser.post(address(model, "changelist"), chosen)).decode()
            assert secret not in text and "d" * 64 not in text and len(text) > 20, (model, action)
    for each, names in hidden.items():
        for name in names:
            answer = browser.get(address(each, "changelist"), {f"{name}__startswith": "h"})
            assert answer.status_code == 400, (each, name)


def test_a_grant_that_is_given_to_another_group_is_noted_for_both(cast: Cast) -> None:
    here, there = Group.objects.create(name="here"), Group.objects.create(name="there")
    grant = models.Grant.objects.create(group=here, pattern="shop.*")
    sent = {"group": there.pk, "pattern": "shop.*"}
    assert client(cast.root).post(address(models.Grant, "change", grant.pk), sent).status_code == 302
    noted = {row.label: row.data["grants"] for row in AuditRow.objects.filter(action="grant")}
    assert noted == {"there": {"shop.*": []}, "here": {}}


def test_every_model_is_in_the_admin_with_filters_and_search() -> None:
    for model in OURS:
        found = admin.site._registry[model]
        assert found.list_filter and found.search_fields, model


MATRIX = {
    "viewer": set(),
    "operator": {"cancel_runs"},
    "author": {"cancel_runs", "terminate_runs"},
    "administrator": {"cancel_runs", "terminate_runs"},
    "root": {"cancel_runs", "terminate_runs"},
}


@pytest.mark.parametrize("who", ROLES)
@pytest.mark.parametrize("action", ["cancel_runs", "terminate_runs"])
def test_each_role_is_offered_and_allowed_its_actions_only(rows: Run, cast: Cast, who: str, action: str) -> None:
    browser = client(getattr(cast, who))
    offered = action in browser.get(address(Run, "changelist")).content.decode()
    assert offered == (action in MATRIX[who])
    answer = browser.post(address(Run, "changelist"), {"_selected_action": [RUN_ID], "action": action})
    asked = b'name="confirmed"' in answer.content
    assert asked == (action in MATRIX[who])


def test_a_dangerous_action_asks_before_it_acts(rows: Run, cast: Cast) -> None:
    answer = client(cast.author).post(
        address(Run, "changelist"), {"_selected_action": [RUN_ID], "action": "terminate_runs"}
    )
    text = answer.content.decode()
    assert RUN_ID in text and "(required)" in text
    assert not Decision.objects.filter(action="terminate").exists()


def test_a_terminate_without_a_reason_asks_again(rows: Run, cast: Cast) -> None:
    form = {"_selected_action": [RUN_ID], "action": "terminate_runs", "confirmed": "yes", "reason": " ", "key": "k"}
    answer = client(cast.author).post(address(Run, "changelist"), form)
    assert b"A reason is required" in answer.content


def test_a_confirmed_action_is_one_audited_decision_however_often_it_is_sent(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:child", "wait")
    browser = client(on_stage.cast.author)
    form = {"_selected_action": [run.pk], "action": "terminate_runs", "confirmed": "yes", "reason": "wild", "key": "k1"}
    for _ in range(2):
        assert browser.post(address(Run, "changelist"), form, follow=True).status_code == 200
    (made,) = Decision.objects.all()
    assert (made.action, made.user, made.reason, made.state) == ("terminate", on_stage.cast.author, "wild", "sent")
    ends = [e for e in histories.newest(run) if e.HasField("workflow_execution_terminated_event_attributes")]
    assert len(ends) == 1


def test_csv_cells_are_never_formulas(rows: Run, cast: Cast) -> None:
    chosen = {"_selected_action": [Decision.objects.get().pk], "action": "as_csv"}
    answer = client(cast.viewer).post(address(Decision, "changelist"), chosen)
    (row,) = csv.DictReader(io.StringIO(b"".join(answer).decode()))
    assert row["reason"] == "'=1+1"
    assert row["run_id"] == RUN_ID


def test_runs_are_found_by_any_part_of_an_id_and_by_pid(rows: Run, cast: Cast) -> None:
    browser = client(cast.viewer)
    for text in ["order/7", "rder/7", RUN_ID, RUN_ID[:8], "app:order", rows.pid]:
        assert RUN_ID in browser.get(address(Run, "changelist"), {"q": text}).content.decode(), text
    assert RUN_ID not in browser.get(address(Run, "changelist"), {"q": "order/8"}).content.decode()


def test_sources_are_shown_as_text(rows: Run, cast: Cast) -> None:
    page = client(cast.viewer).get(address(Revision, "change", Revision.objects.get().pk))
    assert "&lt;b&gt;return&lt;/b&gt;" in page.content.decode()


def test_run_lists_do_not_grow_queries_with_rows(rows: Run, cast: Cast) -> None:
    browser = client(cast.viewer)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            browser.get(address(Run, "changelist"))
        return len(seen)

    few = queries()
    Run.objects.bulk_create(
        Run(run_id=f"r{n}", workflow_id=f"w{n}", entry_id="app:order", client="c", started_at=timezone.now())
        for n in range(40)
    )
    assert queries() == few


def test_autocomplete_finds_runs(rows: Run, cast: Cast) -> None:
    browser = client(cast.administrator)
    asked = {"app_label": "wippy_console", "model_name": "decision", "field_name": "run", "term": "order/7"}
    found = browser.get(reverse("admin:autocomplete"), asked).json()["results"]
    assert [item["id"] for item in found] == [RUN_ID]


def test_administrators_manage_people_but_make_no_superuser(cast: Cast) -> None:
    browser = client(cast.administrator)
    page = f"/admin/auth/user/{cast.stranger.pk}/change/"
    form = {"username": "stranger", "groups": [Group.objects.get(name="viewer").pk], "is_superuser": "on"}
    form |= {"date_joined_0": "2026-05-01", "date_joined_1": "12:00:00"}
    assert browser.post(page, form).status_code == 302
    person = User.objects.get(pk=cast.stranger.pk)
    assert person.groups.get().name == "viewer" and not person.is_superuser
    root = f"/admin/auth/user/{cast.root.pk}/"
    assert b'name="_save"' not in browser.get(f"{root}change/").content
    assert browser.post(f"{root}password/", {"password1": "x1Y2z3w4!", "password2": "x1Y2z3w4!"}).status_code == 403


@pytest.mark.parametrize("make", [lambda: accounts.command_line("anna"), accounts.clock, accounts.guest])
def test_nobody_becomes_an_account_that_is_nobodys(cast: Cast, make: Any) -> None:
    browser, password = client(cast.root), {"password1": "x1Y2z3w4!", "password2": "x1Y2z3w4!"}
    account = make()
    name = account.get_username().partition(":")[0] + ":otto"
    assert b"valid username" in browser.post("/admin/auth/user/add/", {"username": name, **password}).content
    page = f"/admin/auth/user/{account.pk}/"
    assert browser.get(f"{page}change/").status_code == 200
    assert browser.post(f"{page}change/", {"username": "anna", "is_active": "on"}).status_code == 403
    assert browser.post(f"{page}password/", {"usable_password": "true", **password}).status_code == 403
