"""Webhooks of workflows over real HTTP: they start and signal runs that a worker runs, and are delivered again."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User

from engine.entry import Entry
from tests.console.test_worker import until
from tests.hooks.stage import SCHEMA, Hooks, endpoint, function, last, problem, router
from wippy_console.models import Delivery, Run
from wippy_console.services import access_tokens
from wippy_console.services.access_tokens import Limits

pytestmark = pytest.mark.django_db(transaction=True)

FLOW = """
return { main = function(order)
    local paid = process.listen("paid"):receive()
    return { order = order, paid = paid.amount }
end }
"""
WEBHOOKS = [
    {"path": "/orders", "starts": True, "auth": "none", "schema": SCHEMA, "workflow_id": "$.id", "id_header": "X-Id"},
    {"path": "/paid", "signal": "paid", "auth": "none", "key": "$.id", "wait": "10m"},
]
ENTRIES = [
    router(),
    function("count", 'res:write("counted")'),
    endpoint("count", "/count"),
    Entry("app:flow", "workflow.lua", {"webhooks": WEBHOOKS, "search": ["id"]}, {"source": FLOW, "method": "main"}),
]


@pytest.fixture
def author() -> dict[str, str]:
    """What a request of the API sends along, of somebody who may do everything."""
    user = User.objects.create_superuser(f"author-{uuid.uuid4().hex[:8]}")
    _, text = access_tokens.make(user, user, "tests", Limits())
    return {"Authorization": f"Bearer {text}"}


def fresh() -> int:
    """An order of this test alone."""
    return uuid.uuid4().int % 10**9


def ended(run_id: str) -> Run:
    """The run, when it has."""
    until(lambda: Run.objects.filter(pk=run_id).exclude(status="running").exists())
    return Run.objects.get(pk=run_id)


def test_a_webhook_starts_a_run_and_another_lets_it_go_on(hooks: Hooks) -> None:
    order = {"id": fresh()}
    begun = hooks.post("/orders", json=order, headers={"X-Id": str(order["id"])})
    assert begun.status_code == 202, begun.text
    told = begun.json()
    assert told["workflow_id"] == f"flow-{order['id']}"
    paid = hooks.post("/paid", json={**order, "amount": 12})
    assert (paid.status_code, paid.json()["run_id"]) == (202, told["run_id"])
    assert ended(told["run_id"]).result == {"order": order, "paid": 12}
    again = hooks.post("/orders", json=order, headers={"X-Id": str(order["id"])})
    assert (again.json(), again.headers["wippy-replayed"]) == (told, "true")
    assert Run.objects.filter(workflow_id=told["workflow_id"]).count() == 1


def test_what_came_too_early_is_done_by_the_worker_that_leads(hooks: Hooks) -> None:
    order = {"id": fresh()}
    early = hooks.post("/paid", json={**order, "amount": 7})
    assert (early.status_code, early.json()["state"]) == (202, "waiting")
    begun = hooks.post("/orders", json=order, headers={"X-Id": str(order["id"])}).json()
    assert ended(begun["run_id"]).result == {"order": order, "paid": 7}
    until(lambda: Delivery.objects.get(pk=early.json()["delivery"]).state == "done")


def test_a_body_that_is_not_what_is_asked_for_starts_nothing(hooks: Hooks) -> None:
    refused = problem(hooks.post("/orders", json={"id": "x"}, headers={"X-Id": "odd"}), 422)
    assert refused["errors"][0]["path"] == "/id"
    assert last().state == "refused" and bytes(last().body) == b'{"id":"x"}'


def test_a_function_is_called_again_by_its_delivery(hooks: Hooks, author: dict[str, str]) -> None:
    assert hooks.post("/t/count", content=b"body").text == "counted"
    first, root = last(), f"http://127.0.0.1:{hooks.port}/api/v1/deliveries"
    again = hooks.client.post(f"{root}/{first.pk}/redeliver", headers=author, json={})
    assert again.status_code == 201, again.text

    def seen() -> dict[str, Any]:
        told: dict[str, Any] = hooks.client.get(f"{root}/{again.json()['id']}", headers=author).json()
        return told

    until(lambda: seen()["state"] != "open")
    told = seen()
    assert (told["state"], told["status"], told["answer"]["text"]) == ("done", 200, "counted")
    assert (told["again_of"], told["body"]["text"]) == (str(first.pk), "body")
