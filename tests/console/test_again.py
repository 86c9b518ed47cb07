"""Start again with the input of another run: whole and exact, edited or not, secrets typed anew, audited."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import QueryDict
from django.test import Client

from engine.entry import Entry
from tests.console.operating import LUA, WORKER, Stage
from tests.console.test_typed import main_form
from wippy_console.management.operations import operator
from wippy_console.models import AuditRow, Run
from wippy_console.services import registry, runs
from wippy_console.services.registry import Changes

pytestmark = pytest.mark.django_db(transaction=True)

CHILD, ORDER = "app.flows:child", "app.flows:order"
BIG = 2**62 + 1
SCHEMA = {
    "type": "object",
    "properties": {
        "number": {"type": "integer"},
        "on": {"type": "string", "format": "date"},
        "token": {"type": "string", "writeOnly": True},
        "anything": {},
    },
    "required": ["number", "token"],
}


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def opened(user: User, run: Run) -> Any:
    return browser(user).get(f"/runs/start/?again={run.run_id}")


def send(user: User, form: QueryDict) -> Run:
    answer = browser(user).post("/runs/start/", form)
    assert answer.status_code == 302, answer.content.decode()
    return Run.objects.get(pk=answer["Location"].rstrip("/").split("/")[-1])


def ordering(stage: Stage, schema: Any = None) -> None:
    entry = Entry(ORDER, "workflow.lua", meta={"input_schema": schema or SCHEMA}, data={"source": LUA})
    known = any(each.id == ORDER for each in registry.entries())
    changes = Changes(update=(entry,)) if known else Changes(create=(entry,))
    registry.publish(operator(), changes, base=None, message="an order")


def test_the_whole_input_comes_back_exactly_and_is_sent_as_it_was(on_stage: Stage) -> None:
    user = on_stage.cast.operator
    given = {"number": BIG, "text": "0123456789" * 20_000, "none": None, "deep": [[1.5, {"a": "ü"}]]}
    first = on_stage.start("app.flows:deaf", given)
    assert first.cut
    again = send(user, main_form(opened(user, first)).post_all({}))
    assert runs.value(again, "input", user) == [given]
    assert (again.worker, again.entry_id) == (first.worker, first.entry_id)


def test_it_may_be_edited_and_the_audit_names_the_run(on_stage: Stage) -> None:
    user = on_stage.cast.operator
    started = runs.start(user, CHILD, WORKER, ["fail"], "order 7/a")
    first = Run.objects.get(pk=started.run_id)
    form = main_form(opened(user, first)).post_all({"f-value": '"wait"'})
    again = send(user, form)
    assert again.workflow_id == "order 7/a-again"
    assert again.input == ["wait"]
    told = AuditRow.objects.get(run_id=again.run_id, action="start")
    assert (told.label, told.data["again"], told.user) == (f"again: {first.run_id}", first.run_id, "operator")
    assert runs.again(user, again.run_id).workflow_id == "order 7/a-again-2"
    assert send(user, form) == again  # the same form once more


def test_secrets_are_not_drawn_and_have_to_be_typed_anew(on_stage: Stage) -> None:
    ordering(on_stage)
    user = on_stage.cast.operator
    first = Run.objects.get(
        pk=runs.start(user, ORDER, WORKER, [{"number": BIG, "on": "2026-02-28", "token": "s3cret"}]).run_id
    )
    page = opened(user, first)
    text = page.content.decode()
    assert "s3cret" not in text and "••••" not in text and "type it anew:</b> token" in text
    refused = browser(user).post("/runs/start/", main_form(page).post_all({}))
    assert refused.status_code == 422 and Run.objects.count() == 1
    again = send(user, main_form(page).post_all({"f-token": "other"}))
    assert again.input == [{"number": BIG, "on": "2026-02-28", "token": "••••••"}]


def test_further_arguments_go_along(on_stage: Stage) -> None:
    user = on_stage.cast.operator
    first = Run.objects.get(pk=runs.start(user, "app.flows:deaf", WORKER, [{"a": 1}, BIG, None]).run_id)
    page = opened(user, first)
    assert "Further arguments" in page.content.decode()
    assert runs.value(send(user, main_form(page).post_all({})), "input", user) == [{"a": 1}, BIG, None]
    refused = browser(user).post("/runs/start/", main_form(page).post_all({"more": "7"}))
    assert refused.status_code == 422 and "Write a list" in refused.content.decode()


def test_an_input_that_the_entry_of_today_does_not_take_says_where(on_stage: Stage) -> None:
    ordering(on_stage)
    user = on_stage.cast.operator
    first = Run.objects.get(pk=runs.start(user, ORDER, WORKER, [{"number": 1, "token": "t"}]).run_id)
    ordering(on_stage, {"type": "object", "properties": {"number": {"type": "string"}}, "additionalProperties": False})
    page = opened(user, first)
    assert page.status_code == 200
    assert browser(user).post("/runs/start/", main_form(page).post_all({})).status_code == 422


def test_who_may_not_see_the_run_or_start_learns_nothing(on_stage: Stage) -> None:
    run = on_stage.start(CHILD, "wait")
    assert opened(on_stage.cast.viewer, run).status_code == 403
    assert opened(on_stage.cast.stranger, run).status_code == 403
    assert browser(on_stage.cast.operator).get("/runs/start/?again=none").status_code == 404
    url = f"/runs/{run.workflow_id}/{run.run_id}/"
    assert re.search(r"Start again", browser(on_stage.cast.operator).get(url).content.decode())
    assert not re.search(r"Start again", browser(on_stage.cast.viewer).get(url).content.decode())
