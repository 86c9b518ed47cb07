"""Nothing typed is lost: sessions that ended, old pages, refusals, outages, drafts; and nobody else reads it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, NoReturn

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from engine.entry import Entry
from tests.console.browsing import Page
from tests.console.operating import Cast
from tests.console.registry_cast import create
from wippy_console.forms.labels import told
from wippy_console.models import Draft, FeedEvent
from wippy_console.services import drafts, registry, runs
from wippy_console.services.errors import Conflict, NotFoundError, Refused, Unavailable
from wippy_console.services.registry import Changes
from wippy_console.services.runs import Started

pytestmark = pytest.mark.django_db

EDIT = "/registry/edit/app:f/"
START = "/runs/start/?entry=app:f"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "pin": {"type": "string", "writeOnly": True}},
}
LUA = "return { main = function() end }"


@pytest.fixture
def entries(cast: Cast) -> None:
    create(
        Entry("app:c", "temporal.client", {}, {"address": "localhost:1"}),
        Entry("app:w", "temporal.worker", {}, {"client": "c", "task_queue": "q"}),
        Entry("app:f", "workflow.lua", {"input_schema": SCHEMA}, {"source": LUA}),
    )


def browser(name: str = "author", **options: Any) -> Client:
    """Somebody logged in, with CSRF as strict as in the product."""
    client = Client(enforce_csrf_checks=True, **options)
    log_in(client, name)
    return client


def log_in(client: Client, name: str) -> None:
    """By the form, as a browser does: the token is renewed."""
    client.session.flush()
    token = Page(client.get("/login/").content.decode()).post()["csrfmiddlewaretoken"]
    form = {"username": name, "password": "secret", "csrfmiddlewaretoken": token, "next": "/"}
    assert client.post("/login/", form).status_code == 302


def log_out(client: Client) -> None:
    client.session.flush()


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def main_form(answer: Any) -> Page:
    """The fields of the page's form: the longest one."""
    forms = re.findall(r"<form.*?</form>", text_of(answer), re.S)
    return Page(max(forms, key=len))


def opened(client: Client, address: str) -> Page:
    answer = client.get(address)
    assert answer.status_code == 200
    return main_form(answer)


def test_a_session_that_ended_lets_one_log_in_there_and_the_text_comes_back(entries: None) -> None:
    client = browser()
    sent = opened(client, EDIT).post(source="-- mine\n" + LUA)
    log_out(client)
    answer = client.post(EDIT, sent)
    assert answer.status_code == 401
    assert "Your session has ended" in text_of(answer)
    assert "no-store" in answer["Cache-Control"]
    wrong = client.post("/login/", main_form(answer).post(username="author", password="wrong"))
    assert "correct username" in text_of(wrong)
    entered = client.post("/login/", main_form(wrong).post(username="author", password="secret"))
    assert (entered.status_code, entered["Location"]) == (302, EDIT)
    again = client.get(EDIT)
    assert "your session had ended" in text_of(again)
    assert "-- mine" in text_of(again)
    assert registry.entry("app:f").data["source"] == LUA
    assert client.post(EDIT, main_form(again).post()).status_code == 302
    assert registry.entry("app:f").data["source"].startswith("-- mine")
    assert not Draft.objects.exists()


def test_what_one_person_typed_never_appears_to_another(entries: None) -> None:
    client = browser()
    sent = opened(client, EDIT).post(source="-- my secret plan\n" + LUA)
    log_out(client)
    carried = main_form(client.post(EDIT, sent)).post(username="root", password="secret")
    answer = client.post("/login/", carried, follow=True)
    assert "my secret plan" not in text_of(answer)
    assert "belongs to somebody else" in text_of(answer)
    assert "my secret plan" not in text_of(client.get(EDIT))
    assert not Draft.objects.exists()


def test_a_page_older_than_the_log_in_is_not_acted_on_and_keeps_its_text(entries: None) -> None:
    client = browser()
    sent = opened(client, EDIT).post(source="-- mine\n" + LUA)
    log_in(client, "author")
    answer = client.post(EDIT, sent, follow=True)
    assert "This page was old" in text_of(answer)
    assert registry.entry("app:f").data["source"] == LUA
    assert client.post(EDIT, main_form(answer).post()).status_code == 302
    assert registry.entry("app:f").data["source"].startswith("-- mine")


def test_an_old_page_of_somebody_else_is_not_brought_back(entries: None) -> None:
    client = browser()
    sent = opened(client, EDIT).post(source="-- mine\n" + LUA)
    log_in(client, "root")
    answer = client.post(EDIT, sent)
    assert answer.status_code == 403
    assert "somebody else" in text_of(answer)
    assert "-- mine" not in text_of(answer)
    assert not Draft.objects.exists()


def test_a_forged_request_leaves_nothing_behind(entries: None) -> None:
    client = browser()
    for mark in ("", "1:abc:def", "2"):
        answer = client.post(EDIT, {"source": "-- evil", "typed_by": mark})
        assert answer.status_code == 403
        assert "-- evil" not in text_of(answer)
        assert "This page was old" in text_of(answer)
    assert client.post("/drafts/", {"typed_form": EDIT, "source": "-- evil"}).status_code == 403
    log_out(client)
    assert client.post(EDIT, {"source": "-- evil", "typed_by": "1:a:b"}).status_code in (302, 403)
    assert not Draft.objects.exists()


def test_dialogs_get_the_log_in_and_the_old_page_within_themselves(entries: None) -> None:
    headers: Any = {"HX-Request": "true", "HX-Target": "dialog"}
    path = "/registry/delete/app:f/"
    client = browser()
    sent = main_form(client.get(path, headers=headers)).post(message="because")
    log_out(client)
    answer = client.post(path, sent, headers=headers)
    assert (answer["HX-Retarget"], answer["HX-Reselect"]) == ("#dialog", "#ended")
    assert "because" in text_of(answer)
    log_in(client, "author")
    answer = client.post(path, sent, headers=headers, follow=True)
    assert "This page was old" in text_of(answer)
    assert "because" in text_of(answer)
    assert registry.entry("app:f")


def test_secrets_are_never_kept_and_their_field_says_so(entries: None, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser()
    sent = opened(client, START).post_all({"f-city": "Bonn", "f-pin": "4711"})
    log_out(client)
    answer = client.post("/runs/start/", sent)
    assert "4711" not in text_of(answer)
    assert "Passwords and files are not kept" in text_of(answer)
    client.post("/login/", main_form(answer).post(username="author", password="secret"))
    assert "4711" not in Draft.objects.get().content
    again = client.get(START)
    assert "Bonn" in text_of(again)
    assert "Not kept: type this again" in text_of(again)
    client.post("/drafts/", main_form(again).post_all({"typed_form": "/runs/start/?entry=app%3Af", "f-pin": "4711"}))
    assert "4711" not in Draft.objects.get().content


@pytest.mark.parametrize("refusal", [Conflict("taken"), Refused("odd"), Unavailable("away"), NotFoundError("gone")])
def test_every_refusal_stands_on_the_form_and_is_kept(
    entries: None, monkeypatch: pytest.MonkeyPatch, refusal: Refused
) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise refusal

    client = browser("root")
    monkeypatch.setattr(runs, "start", refuse)
    answer = client.post("/runs/start/", opened(client, START).post_all({"f-city": "Bonn"}))
    assert answer.status_code == refusal.status
    assert refusal.message in text_of(answer)
    assert "Bonn" in text_of(answer)
    assert "Restored what you typed" in text_of(client.get(START))
    monkeypatch.setattr(runs, "start", lambda *_, **__: Started("app:f", "w", "0" * 8 + "-0000-0000-0000-" + "0" * 12))
    assert client.post("/runs/start/", opened(client, START).post()).status_code == 302
    assert not Draft.objects.exists()


def test_a_form_whose_entry_is_gone_shows_what_was_typed_and_keeps_it(entries: None) -> None:
    client, root = browser("root"), User.objects.get(username="root")
    sent = opened(client, START).post_all({"f-city": "Bonn"})
    gone = registry.entry("app:f")
    registry.publish(root, Changes(delete=("app:f",)), base=None, message="gone")
    answer = client.post("/runs/start/", sent)
    assert answer.status_code == 422
    for said in ("There is no workflow", "app:f", "Bonn", "Nothing was done."):
        assert said in text_of(answer)
    assert "There is no workflow" in text_of(client.get(START))
    registry.publish(root, Changes(create=(gone,)), base=None, message="back")
    assert "Restored what you typed" in text_of(client.get(START))
    assert "Bonn" in text_of(client.get(START))


def test_the_text_of_an_entry_that_was_deleted_meanwhile_can_be_read(entries: None) -> None:
    client = browser("root")
    sent = opened(client, EDIT).post(source="-- mine\n" + LUA)
    registry.publish(User.objects.get(username="root"), Changes(delete=("app:f",)), base=None, message="gone")
    answer = client.post(EDIT, sent)
    assert answer.status_code == 404
    assert re.search(r"<textarea[^>]* readonly>\n-- mine", text_of(answer))
    shown = text_of(answer).split("What you typed</h2>")[1]
    assert "Source" in shown
    assert "base" not in shown


def test_what_was_typed_is_told_by_the_names_of_the_schema() -> None:
    sent = [("f-a~2e~b.c", "1"), ("f-a~2e~b.c:was", "0"), ("f-~", "2"), ("key", "k"), ("base", "7"), ("reason", "why")]
    assert told(sent) == [("a.b / c", "1"), ('""', "2"), ("Reason", "why")]


def test_a_column_that_no_migration_made_is_no_database_that_is_away(
    entries: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: Any, **__: Any) -> NoReturn:
        with connection.cursor() as cursor:
            cursor.execute("SELECT colour FROM auth_user")
        raise AssertionError

    client = browser()
    client.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr(registry, "entry_for", wrong)
        answer = client.get(EDIT)
    assert answer.status_code == 500
    assert "lacks a table or a column" in text_of(answer) and "manage.py migrate" in text_of(answer)


def test_without_the_database_the_page_keeps_the_text(entries: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> NoReturn:
        raise OperationalError("no route to host")

    client = browser()
    client.raise_request_exception = False
    sent = opened(client, EDIT).post(source="-- mine\n" + LUA)
    with monkeypatch.context() as broken:
        broken.setattr(registry, "entry_for", away)
        answer = client.post(EDIT, sent)
        assert answer.status_code == 503
        assert "reach its database" in text_of(answer)
        note = client.post(EDIT, sent, headers={"HX-Request": "true", "HX-Target": "dialog"})
        assert (note.status_code, note["HX-Retarget"]) == (503, "this")
    again = client.post(EDIT, main_form(answer).post())
    assert again.status_code == 200
    assert "-- mine" in text_of(again)
    assert registry.entry("app:f").data["source"] == LUA
    assert client.post(EDIT, main_form(again).post()).status_code == 302


def test_a_draft_is_kept_restored_with_its_base_and_forgotten(entries: None) -> None:
    client = browser()
    page = opened(client, EDIT)
    assert client.post("/drafts/", page.post(typed_form=EDIT, source="-- mine\n" + LUA)).status_code == 204
    registry.save_entry(
        User.objects.get(username="root"), "app:f", base=registry.current_number(), kind="workflow.lua", meta={},
        data={"source": "-- theirs\n" + LUA}, message="first",
    )  # fmt: skip
    again = client.get(EDIT)
    assert "Restored what you typed at" in text_of(again)
    assert "-- mine" in text_of(again)
    answer = client.post(EDIT, main_form(again).post())
    assert answer.status_code == 409
    assert "-- theirs" in text_of(answer)
    assert client.post("/drafts/discard/", {**token(client), "typed_form": EDIT})["Location"] == EDIT
    assert "-- mine" not in text_of(client.get(EDIT))


def token(client: Client) -> dict[str, str]:
    return {"csrfmiddlewaretoken": str(opened(client, EDIT).post()["csrfmiddlewaretoken"])}


def test_drafts_are_read_by_their_owner_alone(entries: None) -> None:
    client = browser()
    client.post("/drafts/", opened(client, EDIT).post(typed_form=EDIT, source="-- mine"))
    root = browser("root")
    assert "-- mine" not in text_of(root.get(EDIT))
    root.post("/drafts/discard/", {**token(root), "typed_form": EDIT})
    assert Draft.objects.count() == 1
    for page in ("/admin/wippy_console/draft/", f"/admin/wippy_console/draft/{Draft.objects.get().pk}/change/"):
        answer = root.get(page)
        assert answer.status_code == 200
        assert "-- mine" not in text_of(answer)
    assert browser("viewer").get("/admin/wippy_console/draft/").status_code == 403
    mark = opened(client, EDIT).post()["typed_by"]
    assert root.post("/drafts/", {**token(root), "typed_by": mark, "typed_form": EDIT}).status_code == 403


def test_drafts_are_bounded_in_number_and_age(cast: Cast) -> None:
    for number in range(drafts.MOST + 5):
        drafts.save(cast.author, f"/{number}/", [("a", str(number))])
    assert Draft.objects.filter(user=cast.author).count() == drafts.MOST
    assert drafts.find(cast.author, "/0/") is None
    newest = drafts.find(cast.author, f"/{drafts.MOST + 4}/")
    assert newest
    Draft.objects.filter(pk=newest.pk).update(saved_at=timezone.now() - timedelta(days=31))
    assert drafts.find(cast.author, newest.address) is None
    drafts.save(cast.author, "/" + "x" * drafts.LONGEST_ADDRESS, [])
    drafts.save(cast.author, "/\0/", [])
    assert Draft.objects.filter(user=cast.author).count() == drafts.MOST


def test_a_draft_keeps_every_character(cast: Cast) -> None:
    odd = [("a", "\x00\ud800\r\n\u2028<&\"'"), ("a", "")]
    drafts.save(cast.author, "/ü/", odd)
    found = drafts.find(cast.author, "/ü/")
    assert found
    assert drafts.content(found) == odd


def test_saving_a_draft_again_is_one_write(cast: Cast, django_assert_num_queries: Any) -> None:
    drafts.save(cast.author, "/a/", [("a", "1")])
    with django_assert_num_queries(1):
        drafts.save(cast.author, "/a/", [("a", "2")])


def test_a_body_over_the_limit_gets_a_page_of_ours(entries: None, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 3000
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 20
    client = browser()
    answer = client.post(EDIT, {"source": "x" * 5000})
    assert answer.status_code == 413
    assert "may hold up to" in text_of(answer)
    assert "Nothing was changed" in text_of(answer)
    answer = client.post(EDIT, {f"f{number}": "" for number in range(30)})
    assert answer.status_code == 413
    assert "20 fields" in text_of(answer)
    note = client.post(EDIT, {"source": "x" * 5000}, headers={"HX-Request": "true", "HX-Target": "dialog"})
    assert (note.status_code, note["HX-Retarget"]) == (413, "this")
    assert "Back button" in text_of(answer)
    assert "data-back" in text_of(answer)
    assert Client().post("/login/", {"username": "x" * 5000}).status_code == 413


@pytest.mark.parametrize("name", ["author", ""])
def test_a_broken_multipart_body_gets_a_page_of_ours(entries: None, name: str) -> None:
    client = browser(name) if name else Client(enforce_csrf_checks=True)
    answer = client.generic("POST", START, b"--x", "multipart/form-data")
    assert answer.status_code == 400
    assert "That can&#x27;t be read" in text_of(answer)
    assert "Wippy Console" in text_of(answer)


@pytest.mark.parametrize("kind", ["temporal.worker", "registry.entry", "env.variable", "process.host"])
def test_an_entry_without_lua_is_not_begun_with_lua(entries: None, kind: str) -> None:
    client = browser("root")
    page = opened(client, f"/registry/new/?kind={kind}").post()
    assert page["source"] == ""
    assert "method" not in page["fields_text"]


def test_another_kind_s_suggestion_that_nobody_touched_is_no_part_of_the_entry(entries: None) -> None:
    client = browser("root")
    sent = opened(client, "/registry/new/").post(entry_id="app:data", kind="registry.entry")
    assert "local function main" in sent["source"]
    assert client.post("/registry/new/", sent).status_code == 302
    assert registry.entry("app:data").data == {}


def test_a_draft_tells_nobody(entries: None) -> None:
    client = browser()
    before = FeedEvent.objects.count()
    client.post("/drafts/", opened(client, EDIT).post(typed_form=EDIT, source="-- mine"))
    assert FeedEvent.objects.count() == before


def test_a_draft_from_an_old_page_is_refused_quietly(entries: None) -> None:
    client = browser()
    sent = opened(client, EDIT).post(typed_form=EDIT, source="-- mine")
    log_out(client)
    assert client.post("/drafts/", sent).status_code == 401
    log_in(client, "author")
    assert client.post("/drafts/", sent).status_code == 403
    assert client.post("/drafts/discard/", sent).status_code == 403
    assert not Draft.objects.exists()


def test_pages_with_what_was_typed_are_not_stored_by_the_browser(entries: None) -> None:
    client = browser()
    sent = opened(client, EDIT).post(fields_text="a: [")
    refused = client.post(EDIT, sent)
    assert refused.status_code == 422
    assert "no-store" in refused["Cache-Control"]
    assert "no-store" in client.get(EDIT)["Cache-Control"]


SECRET_PARTS: dict[str, Any] = {
    "any": {"additionalProperties": True, "properties": {}, "if": {"properties": {"a": {"writeOnly": True}}}},
    "names": {"type": "object", "additionalProperties": {"type": "string", "format": "password"}},
    "places": {"type": "array", "prefixItems": [{"type": "string"}, {"$ref": "#/$defs/deep"}]},
    "circle": {"$ref": "#/$defs/circle"},
    "bare": {"format": "password"},
    "open": {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"writeOnly": True}},
    "whole": {"type": "object", "writeOnly": True, "additionalProperties": {}, "properties": {"a": {"type": "string"}}},
}
DEFINED = {
    "deep": {"items": {"$ref": "#/$defs/token"}},
    "token": {"writeOnly": True, "type": "string"},
    "circle": {"allOf": [{"$ref": "#/$defs/circle"}, {"not": {"$ref": "#/$defs/token"}}]},
}


@pytest.mark.parametrize("name", SECRET_PARTS)
def test_a_json_text_that_may_hold_a_secret_is_in_no_draft(cast: Cast, name: str) -> None:
    """The parts of other fields are kept, and so is a JSON text without secrets in its schema."""
    properties = {"plain": {"type": "object", "additionalProperties": {"type": "string"}}, "odd": SECRET_PARTS[name]}
    create(
        Entry("app:c", "temporal.client", {}, {"address": "localhost:1"}),
        Entry("app:w", "temporal.worker", {}, {"client": "c", "task_queue": "q"}),
        Entry(
            "app:f", "workflow.lua",
            {"input_schema": {"type": "object", "properties": properties, "$defs": DEFINED}}, {"source": LUA},
        ),
    )  # fmt: skip
    client = browser()
    field = "f-odd:rest" if name in ("open", "whole") else "f-odd"
    page = opened(client, START)
    assert field in dict(page.sent)
    sent = page.post_all({"f-plain": '{"a": "kept"}', field: '{"a": "hunter2"}'})
    sent["typed_form"] = "/runs/start/?entry=app%3Af"
    client.post("/drafts/", sent)
    assert "kept" in Draft.objects.get().content
    assert "hunter2" not in Draft.objects.get().content
    assert "type this again" in text_of(client.get(START))
