"""Entries and versions of the registry by the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User

from engine.entry import Entry
from tests.api.calling import Api, api_of, stranger
from tests.console.departments import OURS, THEIRS, Room, member, refuse_secrets
from tests.console.operating import Cast
from tests.console.registry_cast import SHOP, create, function, update
from wippy_console.management.disk import Folder
from wippy_console.models import AuditRow, Version
from wippy_console.services import registry

SOURCE = "return {main = function() return 1 end}"
STOCK = "shop:stock"
"""Of code: an app of the tests declares it."""
BODY = {"kind": "function.lua", "data": {"source": SOURCE, "method": "main"}}


@pytest.fixture
def api(cast: Cast) -> Api:
    """An author's."""
    return api_of(cast.author)


def put(api: Api, entry: str, body: Any, **headers: str) -> Any:
    return api.call("PUT", f"/entries/{entry}", body, **headers)


def made(api: Api, entry: str = "app:one") -> str:
    """The ETag of a new entry."""
    answered = put(api, entry, BODY, If_None_Match="*")
    assert answered.status_code == 201, answered.content
    return str(answered["ETag"])


# --- one entry ------------------------------------------------------------------------------------------------


def test_who_may(cast: Cast) -> None:
    create(function("one", SOURCE))
    for path in ("/entries", "/entries/app:one", "/versions", "/versions/1", "/versions/1/revisions"):
        assert stranger().get(path).status_code == 401
        assert api_of(cast.stranger).get(path).status_code == 403
        assert api_of(cast.viewer).get(path).status_code == 200
    for who in (cast.viewer, cast.operator):
        api = api_of(who)
        assert put(api, "app:new", BODY, If_None_Match="*").status_code == 403
        assert api.call("DELETE", "/entries/app:one", If_Match='"1"').status_code == 403
        assert api.post("/entries/check", {"entries": [{"entry": "app:new", **BODY}]}).status_code == 403
        assert api.post("/entries/publish", {"entries": [{"entry": "app:new", **BODY}]}).status_code == 403
        assert api.post("/versions/1/restore").status_code == 403
    client = {"kind": "temporal.client", "data": {"address": "127.0.0.1:7233"}}
    assert put(api_of(cast.author), "app:client", client, If_None_Match="*").status_code == 403
    listed = {"entries": [{"entry": "app:client", **client}]}
    for act in ("check", "publish"):
        assert api_of(cast.author).post(f"/entries/{act}", listed).status_code == 403
    python = {"entries": [{"entry": "app:py", "kind": "function.python", "data": {"callable": "os:getcwd"}}]}
    assert api_of(cast.author).post("/entries/check", python).status_code == 403
    assert Version.objects.count() == 1


def test_each_sees_and_changes_what_is_theirs(rooms: dict[str, Room], clerk: User) -> None:
    api, theirs = api_of(clerk), f"{THEIRS}:flow"
    assert [each["entry"] for each in api.get("/entries").json()["items"]] == [f"{OURS}:flow", f"{OURS}:process", STOCK]
    for path in ("/entries", "/versions", "/versions?entry=vault:flow", "/versions/1/revisions"):
        refuse_secrets(json.dumps(api.get(path).json(), ensure_ascii=False), path)
    assert api.get("/versions?entry=vault:flow").json()["items"] == []
    for path in (f"/entries/{theirs}", "/versions/2", "/versions/2/revisions"):
        assert api.get(path).status_code == 404
    assert put(api, theirs, BODY, If_Match='"2"').status_code == 403
    assert put(api, theirs, BODY, If_None_Match="*").status_code == 403
    assert api.call("DELETE", f"/entries/{theirs}", If_Match='"2"').status_code == 403
    for body in ({"entries": [{"entry": theirs, **BODY}]}, {"delete": [theirs]}):
        for act in ("check", "publish"):
            answered = api.post(f"/entries/{act}", body)
            assert answered.status_code == 403
    hidden = api.post("/versions/1/restore")
    assert (hidden.status_code, "vault" in hidden.content.decode()) == (403, False), hidden.content
    foreign = {"kind": "function.lua", "data": {"source": SOURCE, "imports": {"x": "vault:lib"}}}
    named = api.post("/entries/check", {"entries": [{"entry": f"{OURS}:names", **foreign}]})
    assert named.status_code == 403


def test_a_list_is_filtered_and_goes_on(api: Api) -> None:
    create(function("b"), Entry("app.deep:a", "library.lua", {"title": "Äpfel"}, {"source": "return {}"}))
    create(Entry("apple:c", "function.lua", {"description": "counts"}, {"source": SOURCE}))

    def ids(query: str) -> list[str]:
        return [each["entry"] for each in api.get(f"/entries?{query}").json()["items"]]

    assert ids("") == ["app.deep:a", "app:b", "apple:c", STOCK]
    assert ids("kind=library.lua") == ids("text=äPFEL") == ["app.deep:a"]
    assert ids("text=count") == ["apple:c"]
    assert ids("namespace=app") == ["app:b"]
    assert ids("namespace=app.*") == ["app.deep:a", "app:b"]
    found, cursor = [], ""
    while True:
        page = api.get(f"/entries?limit=1&cursor={cursor}").json()
        found += [(each["entry"], each["version"]) for each in page["items"]]
        if not (cursor := page["next"]):
            break
    assert found == [("app.deep:a", 1), ("app:b", 1), ("apple:c", 2), (STOCK, 0)]
    for query in ("cursor=%ff", "limit=0", "odd=1", "kind=a%00"):
        assert api.get(f"/entries?{query}").status_code == 422, query
    for path in (
        "/entries/app:%00",
        "/versions/0",
        f"/versions/{10**30}",
        "/entries/app:b?version=0",
        "/versions?cursor=x",
    ):
        assert api.get(path).status_code in (404, 422), path


def test_an_entry_is_created_replaced_and_deleted_as_it_was_seen(api: Api) -> None:
    first = made(api, "app:lib/one")
    got = api.get("/entries/app:lib/one")
    assert (got["ETag"], got.json()["data"]) == (first, BODY["data"])
    assert api.get("/entries/app:lib/one", If_None_Match=first).status_code == 304
    again = put(api, "app:lib/one", BODY, If_None_Match="*")
    assert (again.status_code, again["Content-Type"]) == (412, "application/problem+json")
    assert put(api, "app:lib/one", BODY).status_code == 428
    assert put(api, "app:lib/one", BODY, If_Match="1").status_code == 400
    assert put(api, "app:gone", BODY, If_Match="*").status_code == 412

    changed = {**BODY, "meta": {"big": 2**63 - 1}, "message": "because"}
    second = put(api, "app:lib/one", changed, If_Match=first, Idempotency_Key="x")
    assert (second.status_code, second["ETag"]) == (200, '"2"'), second.content
    assert second.json()["meta"] == {"big": 2**63 - 1}
    replayed = put(api, "app:lib/one", changed, If_Match=first, Idempotency_Key="x")
    assert (replayed.content, replayed["ETag"], replayed["Idempotency-Replayed"]) == (second.content, '"2"', "true")
    lost = put(api, "app:lib/one", changed, If_Match=first)
    assert (lost.status_code, lost["ETag"], Version.objects.count()) == (200, '"2"', 2)
    stale = put(api, "app:lib/one", BODY, If_Match=first)
    assert (stale.status_code, "version 2" in stale.json()["detail"]) == (412, True)
    assert Version.objects.get(number=2).message == "because"
    assert {row.data["token"].partition(" ")[0] for row in AuditRow.objects.filter(action="publish")} == {"tests"}
    assert api.get("/entries/app:lib/one?version=1")["ETag"] == first
    assert api.get("/entries/app:lib/one?version=1").json()["meta"] == {}

    create(function("other"))
    assert put(api, "app:lib/one", BODY, If_Match='"3"').status_code == 412
    assert api.call("DELETE", "/entries/app:lib/one").status_code == 428
    assert api.call("DELETE", "/entries/app:lib/one", If_Match=first).status_code == 412
    gone = api.call("DELETE", "/entries/app:lib/one?message=over", If_Match='"2"')
    assert (gone.status_code, gone.content) == (204, b"")
    assert api.get("/entries/app:lib/one").status_code == 404
    assert api.call("DELETE", "/entries/app:lib/one", If_Match='"2"').status_code == 404
    assert Version.objects.get(number=4).message == "over"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "/kind"),
        ({**BODY, "odd": 1}, "/odd"),
        ({**BODY, "kind": "odd kind"}, "/kind"),
        ({**BODY, "meta": {"signals": [{"topic": 5}]}, "kind": "workflow.lua"}, "/meta/signals/0/topic"),
        ({**BODY, "data": {"source": "return {\nmain = (}"}}, "/data/source"),
        ({**BODY, "data": {"source": SOURCE, "imports": {"x": "app:nothing"}}}, "/data/imports/x"),
        ({"kind": "process.service", "data": {"process": 5}}, "/data/process"),
    ],
)
def test_what_is_wrong_with_an_entry_is_told_at_its_place(api: Api, body: dict[str, Any], path: str) -> None:
    answered = put(api, "app:one", body, If_None_Match="*")
    assert answered.status_code == 422, answered.content
    assert path in [each["path"] for each in answered.json()["errors"]], answered.json()
    assert Version.objects.count() == 0


def test_bad_ids_are_refused(api: Api) -> None:
    for entry in ("noname", "app:", ":x", "a%20b:c", "x" * 501, "app:" + "y" * 497, "%F0%9F%98%80:x"):
        answered = put(api, entry, BODY, If_None_Match="*")
        assert answered.status_code == 422, (entry, answered.content)


def test_what_others_use_is_not_deleted(api: Api) -> None:
    create(
        Entry("app:lib", "library.lua", {}, {"source": "return {}"}),
        function("uses", "return {}", imports={"lib": "app:lib"}),
    )
    answered = api.call("DELETE", "/entries/app:lib", If_Match="*")
    assert (answered.status_code, "app:uses" in answered.json()["detail"]) == (422, True), answered.content


# --- a folder -------------------------------------------------------------------------------------------------


def shop() -> dict[str, str]:
    return {path: text.decode() for path, text in Folder(SHOP).items()}


def test_a_folder_is_checked_published_and_read_back(cast: Cast) -> None:
    api = api_of(cast.administrator)
    body = {"files": shop()}
    answered = api.post("/entries/check", body)
    checked = answered.json()
    assert answered.status_code == 200, answered.content
    assert (checked["ok"], checked["problems"], checked["base"]) == (True, [], 0), checked
    assert "shop:place_order" in checked["created"]
    assert Version.objects.count() == 0
    answered = api.post("/entries/publish", {**body, "message": "from CI"}, Idempotency_Key="build 7")
    assert answered.status_code == 201, answered.content
    told = answered.json()
    assert (told["version"], told["published"], told["created"]) == (1, True, checked["created"])
    assert api.get(answered["Location"].removeprefix("/api/v1")).json()["message"] == "from CI"
    again = api.post("/entries/publish", {**body, "message": "from CI"}, Idempotency_Key="build 7")
    assert (again.content, again["Idempotency-Replayed"]) == (answered.content, "true")
    lost = api.post("/entries/publish", body)
    assert (lost.status_code, lost.json()["published"], lost.json()["unchanged"]) == (200, False, len(told["created"]))
    files = api.get("/entries/shop:place_order").json()["files"]
    assert api.post("/entries/publish", {"files": files}).json()["published"] is False

    pruned = api.post("/entries/check", {"files": files, "prune": True}).json()
    assert (pruned["deleted"], pruned["updated"]) == (["shop:charge", "shop:temporal", "shop:worker"], []), pruned


def test_problems_of_a_folder_stand_with_file_and_line(api: Api) -> None:
    files = {
        "_index.yaml": "namespace: app\nentries:\n  - name: one\n    kind: function.lua\n    source: file://one.lua\n"
    }
    body = {"files": {**files, "one.lua": "return {\n  main = (\n}"}}
    checked = api.post("/entries/check", body)
    assert checked.status_code == 200
    problem = next(each for each in checked.json()["problems"] if each["severity"] == "error")
    assert (problem["entry"], problem["file"], problem["field"]) == ("app:one", "one.lua", "source")
    assert problem["line"] in (2, 3)
    refused = api.post("/entries/publish", body)
    assert refused.status_code == 422
    error = refused.json()["errors"][0]
    assert error["path"] == "/files/one.lua"
    assert error["message"].startswith(f"line {problem['line']}: app:one: ")
    broken = api.post("/entries/publish", {"files": {"a/_index.yaml": "namespace: [\n"}})
    assert (broken.status_code, broken.json()["errors"][0]["path"]) == (422, "/files/a~1_index.yaml")


def test_entries_are_published_themselves(api: Api) -> None:
    one, two = ({"entry": f"app:{name}", **BODY} for name in ("one", "two"))
    assert api.post("/entries/publish", {"entries": [one, two]}).status_code == 201
    wrong = api.post("/entries/publish", {"entries": [one, {**two, "data": {"source": 5}}]})
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (422, "/entries/1/data/source"), wrong.content
    gone = api.post("/entries/publish", {"entries": [one], "delete": ["app:two", "app:never"]})
    assert (gone.status_code, gone.json()["deleted"], gone.json()["unchanged"]) == (201, ["app:two"], 1)
    for body, path in (
        ({}, "/files"),
        ({"entries": [one], "files": shop()}, "/files"),
        ({"entries": [one, one]}, "/entries"),
        ({"entries": [one], "base": 99}, "/base"),
        ({"entries": [one], "base": -1}, "/base"),
        ({"entries": [one], "edits": "odd"}, "/edits"),
    ):
        answered = api.post("/entries/check", body)
        assert (answered.status_code, answered.json()["errors"][0]["path"]) == (422, path), answered.content


def test_what_others_changed_is_not_overwritten(api: Api) -> None:
    one = {"entry": "app:one", **BODY}
    api.post("/entries/publish", {"entries": [one]})
    update(function("one", "return {main = function() return 'theirs' end}"))
    mine = {"entries": [{**one, "data": {"source": "return {main = function() return 'mine' end}"}}]}
    told = api.post("/entries/check", mine).json()
    assert (told["ok"], told["edited"][0]["entry"], told["edited"][0]["version"]) == (False, "app:one", 2)
    assert "-return {main = function() return 'theirs' end}" in told["edited"][0]["difference"]
    assert api.post("/entries/publish", mine).status_code == 422
    assert api.post("/entries/publish", {**mine, "edits": "keep"}).json()["published"] is False
    stale = api.post("/entries/publish", {**mine, "edits": "take", "base": 1})
    assert (stale.status_code, "version 2" in stale.content.decode()) == (422, True), stale.content
    assert api.post("/entries/publish", {**mine, "edits": "take", "base": 2}).json()["version"] == 3


# --- versions -------------------------------------------------------------------------------------------------


def test_versions_tell_what_they_changed_and_are_restored(api: Api, cast: Cast) -> None:
    create(function("one", "return 1"), function("two"))
    update(function("one", "return 2"))
    api.call("DELETE", "/entries/app:two", If_Match="*")
    listed = api.get("/versions").json()["items"]
    assert [each["version"] for each in listed] == [3, 2, 1]
    assert listed[0]["author"] == "author"
    assert [each["version"] for each in api.get("/versions?entry=app:two").json()["items"]] == [3, 1]
    first = api.get("/versions?limit=2").json()
    assert [each["version"] for each in api.get(f"/versions?cursor={first['next']}").json()["items"]] == [1]
    changed = api.get("/versions/2/revisions").json()["items"]
    assert [(each["entry"], each["change"]) for each in changed] == [("app:one", "updated")]
    assert "-return 1\n+return 2\n" in changed[0]["diff"]
    assert [each["change"] for each in api.get("/versions/1/revisions").json()["items"]] == ["created", "created"]
    assert api.get("/versions/3/revisions").json()["items"][0]["change"] == "deleted"
    page = api.get("/versions/1/revisions?limit=1").json()
    assert page["next"]
    after = api.get(f"/versions/1/revisions?limit=1&cursor={page['next']}").json()
    assert [each["entry"] for each in after["items"]] == ["app:two"]

    back = api.post("/versions/1/restore", {"message": "as it was"}, Idempotency_Key="r")
    assert (back.status_code, back.json()["version"], back.json()["restores"]) == (201, 4, 1), back.content
    assert api.post("/versions/1/restore", {"message": "as it was"}, Idempotency_Key="r").json() == back.json()
    lost = api.post("/versions/1/restore")
    assert (lost.status_code, lost.json()["version"]) == (200, 4)
    assert registry.entry("app:one").data["source"] == "return 1"
    assert {each.id for each in registry.entries()} == {"app:one", "app:two"}
    assert api.post("/versions/9/restore").status_code == 404
    assert api.post("/versions/1/restore", {"odd": 1}).json()["errors"][0]["path"] == "/odd"


def test_a_version_is_restored_within_ones_namespaces(rooms: dict[str, Room]) -> None:
    both = api_of(member("both", patterns=(f"{OURS}.*", f"{THEIRS}.*")))
    flow = both.get(f"/entries/{OURS}:flow")
    told = {name: flow.json()[name] for name in ("kind", "data")}
    assert put(both, f"{OURS}:flow", told, If_Match=flow["ETag"]).status_code == 200
    back = both.post("/versions/2/restore")
    assert (back.status_code, back.json()["restores"]) == (201, 2), back.content
