"""Runs by the API."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.api.calling import Api, api_of, stranger
from tests.console.operating import Cast, Stage


def test_a_stranger_gets_nowhere(db: None) -> None:
    for path in ("/runs", "/runs/some"):
        answered = stranger().get(path)
        assert answered.status_code == 401
        assert answered["Content-Type"] == "application/problem+json"
        assert answered["WWW-Authenticate"].startswith("Bearer")


def test_a_list_begins_empty(cast: Cast) -> None:
    answered = api_of(cast.operator).get("/runs")
    assert answered.status_code == 200, answered.content
    assert answered.json() == {"items": [], "next": ""}
    assert answered["RateLimit-Limit"] == "600"


@pytest.mark.parametrize("query", ["zzz=1", "limit=0", "status=odd", "started_from=2026-01-01T00:00:00", "key=x"])
def test_what_no_filter_is_is_named(cast: Cast, query: str) -> None:
    answered = api_of(cast.operator).get(f"/runs?{query}")
    assert answered.status_code == 422, answered.content
    assert answered.json()["errors"][0]["path"].startswith(f"/{query.partition('=')[0]}")


def test_a_run_is_started_signalled_and_ended(on_stage: Stage) -> None:
    api = api_of(on_stage.cast.author)
    wanted = {"entry": "app.flows:approval", "args": [{"wanted": 9007199254740993}], "workflow_id": "order 1"}
    begun = api.post("/runs", wanted, Idempotency_Key="a")
    assert begun.status_code == 201, begun.content
    run = begun.json()
    assert run["input"] == [{"wanted": 9007199254740993}]
    assert begun["Location"] == f"/api/v1/runs/{run['run_id']}"
    assert api.get("/runs/order%201").json()["run_id"] == run["run_id"]

    assert [each["run_id"] for each in api.get("/runs?workflow_id=order%201").json()["items"]] == [run["run_id"]]
    assert api.get("/runs?workflow_id=order").json()["items"] == []

    again = api.post("/runs", wanted, Idempotency_Key="a")
    assert (again.status_code, again.json(), again["Idempotency-Replayed"]) == (201, run, "true")
    other = api.post("/runs", {**wanted, "args": []}, Idempotency_Key="a")
    assert other.status_code == 409
    taken = api.post("/runs", wanted)
    assert taken.status_code == 409
    assert taken.json()["errors"] == [
        {"in": "body", "path": "/workflow_id", "message": "A run of order 1 is open already."}
    ]

    late = api.get(f"/runs/{run['run_id']}/result?seconds=0.2")
    assert (late.status_code, late.json()["status"]) == (202, "running")
    sent = api.post(f"/runs/{run['run_id']}/signals", {"topic": "odd", "payload": 1, "raw": True})
    assert (sent.status_code, sent.json()["state"]) == (200, "sent"), sent.content
    refused = api.post(f"/runs/{run['run_id']}/terminate", {"reason": ""})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "/reason")
    assert api.post(f"/runs/{run['run_id']}/terminate", {"reason": "enough"}).status_code == 200
    ended = api.get(f"/runs/{run['run_id']}/result?seconds=20")
    assert (ended.status_code, ended.json()["status"]) == (200, "terminated")
    history = api.get(f"/runs/{run['run_id']}/history")
    assert history.status_code == 200
    assert b"eventId" in b"".join(history.streaming_content)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"entry": "app.flows:approval", "odd": 1}, "/odd"),
        ({"entry": "app.flows:approval", "args": "x"}, "/args"),
        ({"entry": 5}, "/entry"),
        ({"entry": "app.flows:approval", "args": [{"wanted": "x"}]}, "/args/0/wanted"),
        ({}, "/entry"),
    ],
)
def test_a_start_that_is_wrong_is_refused_at_its_place(on_stage: Stage, body: dict[str, object], path: str) -> None:
    answered = api_of(on_stage.cast.operator).post("/runs", body)
    assert answered.status_code == 422, answered.content
    assert answered.json()["errors"][0]["path"] == path


@pytest.mark.parametrize(
    ("body", "kind", "status", "said"),
    [
        (b"{", "application/json", 400, "line 1, column 2"),
        (b'{"a": 1, "a": 2}', "application/json", 400, '"a" stands twice'),
        (b'{"entry": "\\ud800"}', "application/json", 400, "half of a character"),
        (b'{"args": [123456789012345678901]}', "application/json", 400, "can't be kept exactly"),
        (b"[" * 100_000, "application/json", 400, "nested too deeply"),
        (b"\xff", "application/json", 400, "not UTF-8"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "Send JSON"),
    ],
)
def test_a_body_that_can_t_be_read_says_why(cast: Cast, body: bytes, kind: str, status: int, said: str) -> None:
    api = api_of(cast.operator)
    headers = {"Authorization": f"Bearer {api.token}"}
    answered = api.client.generic("POST", "/api/v1/runs", body, kind, headers=headers)
    assert (answered.status_code, said in answered.json()["detail"]) == (status, True), answered.content


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", "/nothing", 404), ("GET", "/runs/a/b/c", 404), ("DELETE", "/runs", 405)]
)
def test_where_nothing_is_a_problem_says_so(cast: Cast, method: str, path: str, status: int) -> None:
    api = Api(api_of(cast.operator).token, Client(enforce_csrf_checks=True))
    answered = api.call(method, path)
    assert (answered.status_code, answered["Content-Type"]) == (status, "application/problem+json")
    if status == 405:
        assert answered["Allow"] == "GET, POST"
