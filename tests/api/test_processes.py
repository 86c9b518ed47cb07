"""Processes, services, nodes and the health of all by the API."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from tests.api.calling import Api, api_of, stranger
from tests.console.departments import OURS, THEIRS, Room, refuse_secrets
from tests.console.operating import Cast
from tests.console.test_worker import until
from wippy_console.models import FeedEvent, Node, Process, Service

READS = ("/processes", "/services", "/nodes", "/health")


def shown(api: Api, pid: str) -> Any:
    return api.get(f"/processes/one?pid={quote(pid)}")


def test_who_may_read(cast: Cast) -> None:
    for path in READS:
        assert stranger().get(path).status_code == 401
        assert api_of(cast.stranger).get(path).status_code == 403
        answered = api_of(cast.viewer).get(path)
        assert answered.status_code == 200, answered.content


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/processes", {"entry": "app:waits"}),
        ("/processes/message", {"pid": "{n@h|1}", "topic": "t"}),
        ("/processes/cancel", {"pid": "{n@h|1}"}),
        ("/processes/terminate", {"pid": "{n@h|1}", "reason": "r"}),
    ],
)
def test_who_may_not_act(cast: Cast, path: str, body: dict[str, str]) -> None:
    assert stranger().post(path, body).status_code == 401
    assert api_of(cast.viewer).post(path, body).status_code == 403
    answered = api_of(cast.author).post(path, body)
    assert answered.status_code == 404, answered.content
    for field in body:
        wrong = api_of(cast.author).post(path, {**body, field: "a\0b"})
        assert wrong.status_code in (400, 422), wrong.content
    odd = api_of(cast.author).post(path, {**body, "odd": 1})
    assert odd.json()["errors"][0]["path"] == "/odd"


def test_each_sees_what_is_theirs(rooms: dict[str, Room], clerk: User) -> None:
    api = api_of(clerk)
    ours, theirs = rooms[OURS], rooms[THEIRS]
    Process.objects.filter(pk=ours.process.pk).update(parent=theirs.process.pid, watchers=[theirs.process.pid])
    for path in READS:
        refuse_secrets(json.dumps(api.get(path).json(), ensure_ascii=False), path)
    assert [each["pid"] for each in api.get("/processes").json()["items"]] == [ours.process.pid]
    assert api.get("/processes").json()["items"][0]["parent"] == "not visible"
    assert [each["entry"] for each in api.get("/services").json()["items"]] == [f"{OURS}:service"]
    assert api.get(f"/services/{theirs.service.pk}").status_code == 404
    assert api.post(f"/services/{theirs.service.pk}/stop").status_code == 404
    assert shown(api, theirs.process.pid).status_code == 404
    assert api.get("/nodes").json()["items"][0]["hosts"][0]["id"] == f"{OURS}:host"
    assert not api.get("/health").json()["ok"]
    for name in ("message", "cancel", "terminate"):
        body = {"pid": theirs.process.pid, **({"topic": "t"} if name == "message" else {"reason": "r"})}
        assert api.post(f"/processes/{name}", body).status_code == 403


def test_lists_go_on_where_they_ended(cast: Cast) -> None:
    now = timezone.now()
    for name in ("a", "b"):
        node = Node.objects.create(id=name, hostname="h", os_pid=1, started_at=now, heartbeat_at=now)
        for each in ("app:one", "app:two"):
            Service.objects.create(node=node, entry_id=each, state="running", since=now)
        for number in range(4):
            Process.objects.create(
                node=node, pid=f"{{{name}@app:h|{number}}}", entry_id="app:p", host_id="app:h", kind="process",
                state="completed" if number == 3 else "idle", started_at=now, ended_at=now if number == 3 else None,
                doing=[{"text": "sleeps", "since": 10**18}], doing_since=now, operations=1, result={"n": number},
            )  # fmt: skip
    api = api_of(cast.viewer)

    def every(path: str) -> list[Any]:
        found, cursor = [], ""
        while True:
            page = api.get(f"{path}&limit=1&cursor={cursor}").json()
            found += page["items"]
            if not (cursor := page["next"]):
                return found

    newest = [f"{{{name}@app:h|{number}}}" for name in "ba" for number in (2, 1, 0)]
    assert [each["pid"] for each in every("/processes?host=app:h")] == newest
    assert [each["pid"] for each in every("/processes?doing=true")] == newest[::-1]
    assert [each["pid"] for each in every("/processes?ended=true")] == ["{b@app:h|3}", "{a@app:h|3}"]
    assert [each["pid"] for each in every("/processes?node=a&text=|2")] == ["{a@app:h|2}"]
    listed = [(each["entry"], each["node"]) for each in every("/services?node=")]
    assert listed == [("app:one", "a"), ("app:one", "b"), ("app:two", "a"), ("app:two", "b")]
    over = shown(api, "{b@app:h|3}").json()
    assert (over["state"], over["result"]) == ("completed", {"n": 3})
    assert over["doing"] == [{"text": "sleeps", "since": "2001-09-09T01:46:40Z"}]
    for path in ("/processes?cursor=x", "/services?cursor=eA", f"/services/{10**30}", "/processes/one?pid=a%00b"):
        assert api.get(path).status_code in (404, 422)
    assert api.get("/processes?odd=1").json()["errors"][0]["path"] == "/odd"


@pytest.mark.django_db(transaction=True)
def test_a_process_is_spawned_sent_to_and_ended_once(on_node: Cast) -> None:
    api = api_of(on_node.author, per_minute=100_000)
    wanted = {"entry": "app:listens", "args": [{"city": "Zürich"}], "name": "Büro/“7”"}
    begun = api.post("/processes", wanted, Idempotency_Key="spawn")
    assert begun.status_code == 201, begun.content
    pid = begun.json()["pid"]
    assert api.post("/processes", wanted, Idempotency_Key="spawn").json() == begun.json()
    assert api.client.get(begun["Location"], headers={"Authorization": f"Bearer {api.token}"}).json()["pid"] == pid
    refused = api.post("/processes", {**wanted, "args": [{"city": ""}]})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "/args/0/city")
    elsewhere = api.post("/processes", {**wanted, "host": "app:nowhere"})
    assert (elsewhere.status_code, elsewhere.json()["errors"][0]["path"]) == (422, "/host")

    for _ in range(2):
        sent = api.post("/processes/message", {"pid": pid, "topic": "note", "payload": 7}, Idempotency_Key="note")
        assert (sent.status_code, sent.content) == (204, b""), sent.content
    until(lambda: "note 7" in shown(api, pid).json()["names"])
    assert FeedEvent.objects.filter(kind="OPERATION", data__action="message").count() == 1
    reserved = api.post("/processes/message", {"pid": pid, "topic": "@x"})
    assert (reserved.status_code, reserved.json()["errors"][0]["path"]) == (422, "/topic")
    until(lambda: pid in [each["pid"] for each in api.get("/processes?text=büro").json()["items"]])

    assert api.post("/processes/cancel", {"pid": pid, "reason": "tea"}).status_code == 202
    until(lambda: shown(api, pid).json().get("ended_at"))
    assert shown(api, pid).json()["result"] == "stopped"
    other = api.post("/processes", {"entry": "app:waits"}).json()["pid"]
    unsaid = api.post("/processes/terminate", {"pid": other})
    assert (unsaid.status_code, unsaid.json()["errors"][0]["path"]) == (422, "/reason")
    assert api.post("/processes/terminate", {"pid": other, "reason": "enough"}).status_code == 204
    until(lambda: shown(api, other).json().get("state") == "terminated")
    assert api.post("/processes/message", {"pid": other, "topic": "t"}).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_service_is_moved_and_all_is_well(on_node: Cast, temporal_address: str, settings: Any) -> None:
    settings.TEMPORAL_ADDRESS = temporal_address
    api = api_of(on_node.operator, per_minute=100_000)

    def service(entry: str) -> Any:
        return api.get(f"/services?entry={entry}").json()["items"][0]

    until(lambda: api.get("/services?entry=app:service").json()["items"])
    begun = api.post(f"/services/{service('app:service')['id']}/start", Idempotency_Key="a")
    assert begun.status_code == 202, begun.content
    again = api.post(f"/services/{service('app:service')['id']}/start", Idempotency_Key="a")
    assert (again.content, again["Idempotency-Replayed"]) == (begun.content, "true")
    until(lambda: service("app:service")["state"] == "running")
    assert shown(api, service("app:service")["pid"]).json()["service"] == "app:service"
    assert api.post(f"/services/{service('app:service')['id']}/stop").status_code == 202
    until(lambda: service("app:service")["state"] == "stopped")
    assert not service("app:worker")["movable"]
    assert api.post(f"/services/{service('app:worker')['id']}/stop").status_code == 404
    assert api.post(f"/services/{service('app:worker')['id']}/explode").status_code == 422
    health = api.get("/health").json()
    assert (health["ok"], health["nodes"], health["unserved"]) == (True, 1, []), health
    assert [each["state"] for each in api.get("/nodes").json()["items"]] == ["alive"]
