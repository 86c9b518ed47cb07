"""Functions by the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.api.calling import api_of, stranger
from tests.api.nodes import TELLS
from tests.console.departments import THEIRS, Room
from tests.console.operating import Cast
from tests.console.registry_cast import create, function, library
from wippy_console.models import RepeatedRequest

BIG = 2**63 - 1


def test_who_may_not_call_is_told(cast: Cast) -> None:
    create(function("tells", TELLS))
    assert stranger().post("/functions/call", {"entry": "app:tells"}).status_code == 401
    for who, status in ((cast.viewer, 403), (cast.operator, 403), (cast.author, 503)):
        answered = api_of(who).post("/functions/call", {"entry": "app:tells"})
        assert answered.status_code == status, answered.content
    assert "No worker is alive" in answered.json()["detail"]
    assert answered["Retry-After"]


def test_the_functions_of_others_are_not_called(rooms: dict[str, Room], clerk: User) -> None:
    answered = api_of(clerk).post("/functions/call", {"entry": f"{THEIRS}:process"})
    assert answered.status_code == 403


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "/entry"),
        ({"entry": "app:asks", "odd": 1}, "/odd"),
        ({"entry": "app:asks", "timeout": 61}, "/timeout"),
        ({"entry": "app:asks", "args": [{"city": 5}]}, "/args/0/city"),
        ({"entry": "app:asks", "args": {}}, "/args"),
    ],
)
def test_a_call_that_is_wrong_is_refused_at_its_place(cast: Cast, body: dict[str, Any], path: str) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    asks = function("asks", TELLS)
    create(type(asks)(asks.id, asks.kind, {"input_schema": schema}, asks.data))
    answered = api_of(cast.author).post("/functions/call", body)
    assert (answered.status_code, answered.json()["errors"][0]["path"]) == (422, path), answered.content


def test_what_is_no_function_is_told(cast: Cast) -> None:
    api = api_of(cast.author)
    assert api.post("/functions/call", {"entry": "app:gone"}).status_code == 404
    create(library("lib"))
    answered = api.post("/functions/call", {"entry": "app:lib"})
    assert (answered.status_code, answered.json()["detail"]) == (
        422,
        "app:lib is a library.lua, which can't be called.",
    )


@pytest.mark.django_db(transaction=True)
def test_functions_are_called_and_failures_are_answers(on_node: Cast) -> None:
    api = api_of(on_node.author)
    given = {"whole": BIG, "decimal": 0.1, "secret": "hidden-away", "text": "日本"}
    told = api.post("/functions/call", {"entry": "app:tells", "args": [given]}, Idempotency_Key="once")
    assert told.status_code == 200, told.content
    shown = {"ok": True, "result": given | {"secret": "••••••"}, "failure": None}
    assert told.json() | shown == told.json()
    again = api.post("/functions/call", {"entry": "app:tells", "args": [given]}, Idempotency_Key="once")
    assert (again.content, again["Idempotency-Replayed"]) == (told.content, "true")
    assert RepeatedRequest.objects.get().status == 200
    assert (
        api_of(on_node.root).post("/functions/call", {"entry": "app:tells", "args": [given]}).json()["result"] == given
    )

    for kind in ("Conflict", "Unavailable", "NotFound"):
        failed = api.post("/functions/call", {"entry": "app:fails", "args": [kind]})
        assert failed.status_code == 200, failed.content
        failure = failed.json()["failure"]
        assert (failed.json()["ok"], failure["kind"], failure["message"]) == (False, kind, "not today")
        assert (failure["retryable"], failure["details"]) == (True, {"secret": "••••••"})
    broken = api.post("/functions/call", {"entry": "app:fails", "args": ["raise"]}).json()["failure"]
    assert broken["kind"] == "Internal"
    assert "it broke" in broken["message"]
    late = api.post("/functions/call", {"entry": "app:waits", "timeout": 0.5})
    assert (late.status_code, late.json()["failure"]["kind"]) == (200, "Timeout"), late.content
