"""Deliveries by the API."""

from __future__ import annotations

import json
import uuid

from tests.api.calling import api_of
from tests.console.operating import Cast, Stage
from tests.console.test_deliveries import a_delivery
from tests.console.test_deliveries_on_temporal import publish, sent
from wippy_console.models import Delivery, Run


def test_deliveries_are_listed_by_pages_and_filters(cast: Cast) -> None:
    api, rows = api_of(cast.viewer), [a_delivery() for _ in range(3)]
    a_delivery(state="refused", times=4, problem="The signature does not match.")
    first = api.get("/deliveries?state=done&limit=2").json()
    rest = api.get(f"/deliveries?state=done&limit=2&cursor={first['next']}").json()
    assert {each["id"] for each in (*first["items"], *rest["items"])} == {str(each.pk) for each in rows}
    assert rest["next"] == "" and len(first["items"]) == 2
    refused = api.get("/deliveries?state=refused").json()["items"][0]
    assert (refused["times"], refused["problem"]) == (4, "The signature does not match.")
    assert api.get("/deliveries?cursor=odd").status_code == 422
    assert api_of(cast.stranger).get("/deliveries").status_code == 403


def test_one_has_its_body_and_its_answer(cast: Cast) -> None:
    delivery = a_delivery(
        act="call", body=b'{"order": 9007199254740993}', answer=b"fine", headers=[["x-a", "b"]], query=[["page", "2"]],
        params={"id": "7"}, answer_headers=[["content-type", "text/plain"]],
    )  # fmt: skip
    told = api_of(cast.viewer).get(f"/deliveries/{delivery.pk}").json()
    assert json.loads(told["body"]["text"]) == {"order": 9007199254740993} and told["body"]["is_json"]
    assert (told["answer"]["text"], told["headers"], told["query"]) == ("fine", [["x-a", "b"]], [["page", "2"]])
    assert told["params"] == {"id": "7"} and told["entry"] == "shop:order"
    assert api_of(cast.viewer).get(f"/deliveries/{uuid.uuid4()}").status_code == 404


def test_one_is_delivered_again_once(on_stage: Stage) -> None:
    publish()
    number = uuid.uuid4().int % 10**9
    delivery, _ = sent("/paid", {"order_id": number})
    _, begun = sent("/orders", {"order": {"id": number}})
    api, path = api_of(on_stage.cast.author), f"/deliveries/{delivery.pk}/redeliver"
    again = api.post(path, Idempotency_Key="a")
    told = again.json()
    assert again.status_code == 201, again.content
    assert (told["state"], told["run_id"], told["again_of"], told["by"]) == (
        "done", begun.value["run_id"], str(delivery.pk), "author",
    )  # fmt: skip
    assert api.get(f"/deliveries/{told['id']}").json() == told
    assert again["Location"] == f"/api/v1/deliveries/{told['id']}"
    assert api.post(path, Idempotency_Key="a").json() == told
    assert Delivery.objects.filter(again_of=delivery).count() == 1 and Run.objects.count() == 1
    assert api_of(on_stage.cast.operator).post(path).status_code == 403
    open_one = a_delivery(state="open", endpoint="app.flows:approval", route="POST /hooks/paid", act="signal")
    assert api.post(f"/deliveries/{open_one.pk}/redeliver").status_code == 409
