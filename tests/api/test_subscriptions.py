"""Subscriptions by the API: a system subscribes itself, and finds what it missed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.calling import Api, api_of, stranger
from tests.console.notifying import running
from tests.console.operating import Cast
from tests.console.subscribing import Receiver, is_signed, sent, told
from wippy_console.env import ROOT
from wippy_console.models import AccessToken, AuditRow, Subscription
from wippy_console.services import access_tokens, service_accounts
from wippy_console.services.access_tokens import Limits

OLD = {"Wippy-Timestamp": "1700000000"}
URL = "https://example.org/hook"


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.NOTIFY_ALLOW = ("127.0.0.1",)
    with running(Receiver()) as made:
        yield made


def made(api: Api, status: int = 201, **body: Any) -> Any:
    answered = api.post("/subscriptions", {"name": "shop", "url": URL, **body})
    assert answered.status_code == status, answered.content
    return answered.json()


def test_a_system_subscribes_is_told_and_has_it_told_again(cast: Cast, receiver: Receiver) -> None:
    told(2)
    api = api_of(cast.viewer)
    answered = api.post("/subscriptions", {"name": "shop", "url": receiver.url, "kinds": ["STUCK"], "cursor": 0})
    assert answered.status_code == 201
    whole = answered.json()
    assert answered["Location"] == f"/api/v1/subscriptions/{whole['id']}"
    secret, path = whole.pop("secret"), f"/subscriptions/{whole['id']}"
    assert api.get(path).json() == whole and secret not in api.get("/subscriptions").content.decode()
    assert (whole["state"], whole["cursor"], whole["kinds"], whole["lost"]) == ("active", 0, ["STUCK"], None)
    sent()
    assert len(receiver.ids) == 2 and is_signed(*receiver.taken[0], secret)
    assert receiver.posts[0]["events"] == api.get("/feed?since=0").json()["items"]
    assert api.get(path).json()["cursor"] == receiver.ids[-1]
    api.post(f"{path}/redeliver", {"cursor": receiver.ids[0]})
    sent()
    assert receiver.ids[2:] == receiver.ids[1:2]
    assert api.post(f"{path}/pause").json()["state"] == "paused"
    assert api.call("PATCH", path, {"kinds": [], "name": "all"}).json()["name"] == "all"
    assert api.post(f"{path}/test").status_code == 202
    sent()
    assert receiver.posts[-1]["test"] is True and api.get(path).json()["tested_at"]
    assert api.post(f"{path}/resume").json()["state"] == "active"
    assert api.post(f"{path}/secret").json()["secret"] != secret
    assert api.call("DELETE", path).status_code == 204 and api.get(path).status_code == 404
    outcomes = AuditRow.objects.filter(action="subscription").order_by("id").values_list("outcome", flat=True)
    wanted = ["made", "redelivered", "paused", "changed", "resumed", "another secret", "deleted"]
    assert list(outcomes) == wanted
    assert all("tests" in row.data["token"] for row in AuditRow.objects.filter(action="subscription"))


def test_a_repeat_with_its_key_makes_one_and_tells_the_secret_again(cast: Cast) -> None:
    api = api_of(cast.viewer)
    both = [api.post("/subscriptions", {"name": "n", "url": URL}, Idempotency_Key="k").json() for _ in range(2)]
    assert both[0] == both[1] and Subscription.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"url": "ftp://x"}, "/url"),
        ({"name": ""}, "/name"),
        ({"kinds": ["ODD"]}, "/kinds/0"),
        ({"namespaces": ["sh op"]}, "/namespaces"),
        ({"cursor": 10**15}, "/cursor"),
        ({"cursor": -1}, "/cursor"),
        ({"token": 10**15}, "/token"),
        ({"odd": 1}, "/odd"),
    ],
)
def test_what_can_t_be_is_refused_at_its_place(cast: Cast, body: dict[str, Any], path: str) -> None:
    assert made(api_of(cast.viewer), 422, **body)["errors"][0]["path"] == path
    assert not Subscription.objects.exists()


def test_a_token_sees_its_own_alone_and_what_sees_no_feed_subscribes_to_nothing(cast: Cast) -> None:
    one, other = api_of(cast.viewer), api_of(cast.viewer)
    path = f"/subscriptions/{made(one)['id']}"
    assert [each["name"] for each in one.get("/subscriptions").json()["items"]] == ["shop"]
    assert other.get("/subscriptions").json()["items"] == []
    for method, rest in (("GET", ""), ("DELETE", ""), ("PATCH", ""), ("POST", "/resume"), ("POST", "/secret")):
        assert other.call(method, f"{path}{rest}", None if method in ("GET", "DELETE") else {}).status_code == 404
    mine = AccessToken.objects.order_by("pk")[0].pk
    assert made(other, 422, name="n", token=mine)["errors"][0]["path"] == "/token"
    assert made(api_of(cast.viewer, rights=["view_run"]), 422, name="n")["errors"][0]["path"] == "/token"
    assert made(api_of(cast.stranger), 422, name="n")["errors"][0]["path"] == "/token"
    assert stranger().get("/subscriptions").status_code == 401


def test_by_a_session_a_token_is_named(cast: Cast) -> None:
    account = service_accounts.make(cast.root, "warehouse", ["operator"])
    token, _ = access_tokens.make(cast.administrator, account, "parcels", Limits(namespaces=["shop"]))
    for user, status in ((cast.administrator, 201), (cast.operator, 422)):
        api = stranger()
        api.client.force_login(user)
        found = made(api, status, token=token.pk)
        assert found["owner" if status == 201 else "title"] in ("service:warehouse", "Unprocessable Entity")
    api.client.force_login(cast.administrator)
    assert made(api, 422, name="n")["errors"][0]["path"] == "/token"
    row = Subscription.objects.get()
    assert api.get(f"/subscriptions/{row.pk}").json()["url"] == URL
    Subscription.objects.filter(pk=row.pk).update(owner=cast.viewer)
    assert api.get(f"/subscriptions/{row.pk}").json()["url"] == "https://example.org/…"
    assert api.call("PATCH", f"/subscriptions/{row.pk}", {"url": URL}).status_code == 403


def test_a_long_list_goes_on_by_pages(cast: Cast) -> None:
    api = api_of(cast.viewer)
    for number in range(5):
        made(api, name=f"n{number}")
    first = api.get("/subscriptions?limit=3").json()
    second = api.get(f"/subscriptions?limit=3&cursor={first['next']}").json()
    assert [each["name"] for page in (first, second) for each in page["items"]] == [f"n{n}" for n in range(4, -1, -1)]
    assert not second["next"] and not api.get("/subscriptions?state=paused").json()["items"]


def test_a_receiver_as_documented_takes_what_is_new_and_no_forgery(cast: Cast, receiver: Receiver) -> None:
    section = (ROOT / "docs" / "webhooks.md").read_text("utf-8").partition("## Out")[2].partition("\n## ")[0]
    code: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", section, re.DOTALL)[0], code)
    secret = made(api_of(cast.viewer), url=receiver.url, name="n")["secret"]
    ids = told(3)
    sent()
    ((headers, body),) = receiver.taken
    assert [event["id"] for event in code["new_events"](secret, headers, body, ids[0])] == ids[1:]
    for bad in ((f"{secret}x", headers, body), (secret, headers, body + b" "), (secret, {**headers, **OLD}, body)):
        with pytest.raises(ValueError, match="not from"):
            code["new_events"](*bad, 0)
