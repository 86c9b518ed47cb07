"""Rights by namespace: no page and no list of the admin shows another department anything."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.console.departments import (
    IDS,
    OURS,
    THEIRS,
    Room,
    member,
    refuse_secrets,
)

pytestmark = pytest.mark.django_db


PAGES = (
    "/", "/inbox/", "/inbox/count/", "/inbox/?view=done", "/inbox/?view=others",
    "/runs/", "/runs/?q=vault", "/runs/?q=shop", "/live/",
    "/runs/start/", "/registry/", "/registry/?q=xyzzy", "/registry/shop:flow/", "/registry/shop:flow/?tab=used+by",
    "/registry/shop:flow/?tab=versions", "/registry/shop:flow/?tab=diff", "/registry/shop:flow/?tab=open+runs",
    "/registry/edit/shop:flow/", "/registry/delete/shop:flow/", "/processes/", "/processes/?q=xyzzy",
    "/processes/around/", "/processes/spawn/", "/workers/", "/audit/", "/audit/export.csv", "/audit/export.jsonl",
    "/palette/?q=flow", "/palette/?q=xyzzy", "/palette/?q=a", f"/runs/shop-flow/{IDS[OURS]}/?tab=audit",
)  # fmt: skip


@pytest.mark.parametrize("address", PAGES)
def test_no_page_shows_the_other_department(browser: Client, address: str) -> None:
    answer = browser.get(address)
    assert answer.status_code == 200
    text = b"".join(answer).decode() if answer.streaming else answer.content.decode()
    asked = address.partition("?")[2].partition("q=")[2]
    refuse_secrets(text.replace(asked, "") if asked in ("xyzzy", "vault") else text, address)


GONE = (
    f"/runs/vault-flow/{IDS[THEIRS]}/", f"/runs/vault-flow/{IDS[THEIRS]}/history.json",
    f"/runs/vault-flow/{IDS[THEIRS]}/answer/0/",
    f"/runs/vault-flow/{IDS[THEIRS]}/cancel/", f"/runs/hush-foreign/{IDS['hush']}/", "/registry/vault:flow/",
    "/registry/edit/vault:flow/", "/processes/{n1@vault:host|1}/",
)  # fmt: skip


@pytest.mark.parametrize("address", GONE)
def test_what_belongs_to_others_is_not_there(browser: Client, address: str) -> None:
    answer = browser.get(address)
    assert answer.status_code in (403, 404)
    assert "hush" not in answer.content.decode().replace("hush-foreign", "") and "Xyzzy" not in answer.content.decode()


def test_a_question_and_a_quarantine_of_others_are_not_there(browser: Client, rooms: dict[str, Room]) -> None:
    theirs = rooms[THEIRS]
    number = theirs.question.pk
    for address in (
        f"/inbox/{number}/",
        f"/inbox/{number}/assign/",
        f"/inbox/{number}/postpone/",
        f"/inbox/bulk/?chosen={number}",
        f"/workers/quarantine/{theirs.quarantine.pk}/",
    ):
        answer = browser.get(address)
        assert answer.status_code == 404
        refuse_secrets(answer.content.decode(), address)
    assert browser.get(f"/inbox/{rooms[OURS].question.pk}/").status_code == 200


def test_relatives_of_others_are_named_as_not_visible(browser: Client) -> None:
    text = browser.get(f"/runs/shop-flow/{IDS[OURS]}/?tab=audit").content.decode()
    assert text.count("not visible to you") == 2
    refuse_secrets(text, "the page of a run")


def test_whoever_has_a_grant_for_everything_sees_both(rooms: dict[str, Room]) -> None:
    client = Client()
    client.force_login(member("chief", patterns=("*",)))
    text = client.get("/runs/").content.decode()
    assert "vault-flow" in text and "shop-flow" in text and "hush-foreign" in text


MODELS = (
    "run", "question", "decision", "feedevent", "auditrow", "vote", "comment", "questionrole", "process", "service",
    "quarantine", "revision", "version", "program", "historyarchive", "node", "claim",
)  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
def test_no_list_or_export_of_the_admin_shows_the_other_department(browser: Client, model: str) -> None:
    address = f"/admin/wippy_console/{model}/"
    answer = browser.get(address)
    assert answer.status_code == 200
    refuse_secrets(answer.content.decode(), address)
    rows = [str(pk) for pk in _model(model).objects.values_list("pk", flat=True)]
    for action in ("as_csv", "as_json"):
        sent = browser.post(address, {"action": action, "_selected_action": rows})
        body = b"".join(sent).decode() if sent.streaming else sent.content.decode()
        refuse_secrets(body, f"{action} of {model}")


def _model(name: str) -> Any:
    from django.apps import apps

    return apps.get_model("wippy_console", name)


@pytest.mark.parametrize("model", ["run", "question"])
def test_autocomplete_finds_none_of_the_others(browser: Client, model: str) -> None:
    field = {"run": ("decision", "run"), "question": ("vote", "question")}[model]
    query = f"?app_label=wippy_console&model_name={field[0]}&field_name={field[1]}&term="
    answer = browser.get(f"/admin/autocomplete/{query}")
    assert answer.status_code in (200, 403)
    refuse_secrets(answer.content.decode(), "autocomplete")


def test_a_row_of_others_has_no_page_in_the_admin(browser: Client, rooms: dict[str, Room]) -> None:
    for model, row in (("run", rooms[THEIRS].run), ("question", rooms[THEIRS].question)):
        answer = browser.get(f"/admin/wippy_console/{model}/{row.pk}/change/", follow=False)
        assert answer.status_code == 302
