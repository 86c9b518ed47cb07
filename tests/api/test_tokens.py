"""Access tokens: what they limit, how long they count, and that nobody else has them."""

from __future__ import annotations

import logging
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from tests.api.calling import ROOT, Api, api_of, stranger
from tests.console.departments import OURS, THEIRS, Room
from tests.console.operating import Cast
from wippy_console import permissions
from wippy_console.models import AccessToken, AuditRow, RepeatedRequest
from wippy_console.services import access_tokens, senders
from wippy_console.services.access_tokens import Limits
from wippy_console.services.errors import Refused

HOURLY = timedelta(hours=1)


def status(api: Api, path: str = "/runs", **meta: Any) -> int:
    """What a request is answered."""
    return int(api.client.get(f"{ROOT}{path}", headers={"Authorization": f"Bearer {api.token}"}, **meta).status_code)


def test_a_right_that_it_does_not_name_is_not_had(cast: Cast) -> None:
    api = api_of(cast.operator, rights=("view_question",))
    assert status(api) == 403
    assert status(api_of(cast.operator, rights=("view_run",))) == 200
    assert status(api_of(cast.operator)) == 200


def test_it_gives_no_right_that_its_owner_lacks(cast: Cast) -> None:
    assert status(api_of(cast.stranger, rights=("view_run",))) == 403
    api = api_of(cast.viewer, rights=("start_run",))
    assert api.post("/runs", {"entry": "app:any"}).status_code == 403
    cast.operator.groups.clear()
    assert status(api_of(cast.operator)) == 403


def test_not_even_a_superuser_has_more_than_the_token(cast: Cast) -> None:
    assert status(api_of(cast.root, rights=("view_question",))) == 403
    _, text = access_tokens.make(cast.root, cast.root, "x", Limits(namespaces=("shop",)))
    found = access_tokens.bearer(text, "10.0.0.1")
    assert found is not None
    assert permissions.scope(found.owner, permissions.VIEW_RUN).patterns == ("shop",)
    assert not permissions.allows(found.owner, permissions.VIEW_RUN, "shop.eu")


def test_it_sees_its_namespaces_alone(cast: Cast, rooms: dict[str, Room]) -> None:
    everything = {run["run_id"] for run in api_of(cast.operator).get("/runs").json()["items"]}
    api = api_of(cast.operator, namespaces=(f"{OURS}.*",))
    ours = {run["run_id"] for run in api.get("/runs").json()["items"]}
    assert ours
    assert ours < everything
    assert api.get(f"/runs/{rooms[THEIRS].run.run_id}").status_code == 404
    assert api.get(f"/runs/{rooms[OURS].run.run_id}").status_code == 200


@pytest.mark.parametrize(
    ("networks", "address", "counts"),
    [
        (("10.1.0.0/16",), "10.1.2.3", True),
        (("10.1.0.0/16",), "10.2.2.3", False),
        (("10.1.2.3",), "::ffff:10.1.2.3", True),
        (("::ffff:10.1.2.3",), "10.1.2.3", True),
        (("::ffff:10.1.0.0/112",), "::ffff:10.1.2.3", True),
        (("::ffff:10.1.0.0/112",), "10.2.2.3", False),
        (("::/0",), "10.1.2.3", False),
        (("2001:db8::/32", "192.0.2.1"), "2001:db8::7", True),
        (("2001:db8::/32", "192.0.2.1"), "192.0.2.1", True),
        (("2001:db8::/32",), "2001:db9::7", False),
        (("10.1.2.9/30",), "10.1.2.8", True),
        (("10.1.2.3",), "", False),
        (("10.1.2.3",), "unix:", False),
        ((), "unix:", True),
        ((), "fe80::1%a-very-long-name-of-an-interface-of-this-machine", True),
    ],
)
def test_it_counts_from_its_addresses_alone(cast: Cast, networks: tuple[str, ...], address: str, counts: bool) -> None:
    assert status(api_of(cast.operator, addresses=networks), REMOTE_ADDR=address) == (200 if counts else 401)


def test_a_sender_can_not_claim_an_address_past_the_proxy(cast: Cast, settings: Any) -> None:
    api = api_of(cast.operator, addresses=("10.1.2.3",))
    claimed = {"HTTP_X_FORWARDED_FOR": "10.1.2.3, 203.0.113.9", "HTTP_X_FORWARDED_PROTO": "https"}
    assert status(api, REMOTE_ADDR="203.0.113.9", **claimed) == 401
    settings.SECURE = True
    assert status(api, REMOTE_ADDR="10.1.2.3", **claimed) == 401
    assert status(api, REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.9, 10.1.2.3") == 200
    settings.SECURE = False
    assert senders.address({"HTTP_X_FORWARDED_FOR": "10.1.2.3", "REMOTE_ADDR": "192.0.2.1"}) == "192.0.2.1"


def test_it_ends_when_it_expires(cast: Cast) -> None:
    api = api_of(cast.operator, expires_at=timezone.now() + HOURLY)
    assert status(api) == 200
    AccessToken.objects.update(expires_at=timezone.now() - HOURLY)
    assert status(api) == 401


def test_it_ends_at_once_when_it_is_revoked_or_its_owner_is_put_off(cast: Cast) -> None:
    api, other = api_of(cast.operator), api_of(cast.author)
    assert status(api) == status(other) == 200
    access_tokens.revoke(cast.operator, AccessToken.objects.get(owner=cast.operator).pk)
    assert status(api) == 401
    cast.author.is_active = False
    cast.author.save()
    assert status(other) == 401
    cast.author.is_active = True
    cast.author.save()
    assert status(other) == 200


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer x", "Bearer wippy_", "Bearer wippy_\ud800", f"Bearer wippy_{'x' * 43}", "Basic YTpi",
     f"Bearer wippy_{'x' * 9000}", "Bearer wippy_ü", "wippy_x"],
)  # fmt: skip
def test_strangers_are_turned_away_alike(cast: Cast, header: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(cast.root)  # whoever sends a token means it, and not the cookie
    answered = client.get(f"{ROOT}/runs", HTTP_AUTHORIZATION=header)
    assert answered.status_code == 401
    assert answered.content == stranger().get("/runs").content


def test_a_part_of_it_and_more_than_it_do_not_count(cast: Cast) -> None:
    api = api_of(cast.operator)
    for text in (api.token[:-1], f"{api.token}x", api.token.upper(), AccessToken.objects.get().digest):
        assert status(Api(text, api.client)) == 401
    assert api.client.get(f"{ROOT}/runs", headers={"Authorization": f"bearer  {api.token} "}).status_code == 200


def test_answers_tell_the_rate_and_more_than_that_is_too_many(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wippy_console.services.rates.time.time", lambda: 1_000_020.0)
    api, other = api_of(cast.operator, per_minute=2), api_of(cast.operator, per_minute=2)
    left = [api.get("/runs")["RateLimit-Remaining"] for _ in range(2)]
    over = api.get("/runs")
    assert left == ["1", "0"]
    assert (over.status_code, over["Content-Type"]) == (429, "application/problem+json")
    assert (over["RateLimit-Limit"], over["RateLimit-Remaining"], over["Retry-After"]) == ("2", "0", "60")
    assert status(other) == 200
    repeated = api.post("/runs", {"entry": "app:any"}, Idempotency_Key="k")
    assert repeated.status_code == 429
    assert not RepeatedRequest.objects.exists()
    monkeypatch.setattr("wippy_console.services.rates.time.time", lambda: 1_000_080.0)
    assert status(api) == 200


def test_only_its_digest_is_kept_and_no_log_has_it(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        api = api_of(cast.operator)
        api.get("/runs", Idempotency_Key="k")
        api.post("/runs", {"entry": "app:any"}, Idempotency_Key="k")
        api.get("/nothing")
    token = AccessToken.objects.get()
    assert token.digest == sha256(api.token.encode()).hexdigest()
    rows = [*AccessToken.objects.values(), *AuditRow.objects.values(), *RepeatedRequest.objects.values()]
    assert api.token not in str(rows) + caplog.text
    assert api.token.startswith(token.hint) and len(token.hint) == 12


def test_its_last_use_is_noted_once_a_minute(cast: Cast) -> None:
    api = api_of(cast.operator)
    status(api, REMOTE_ADDR="10.0.0.1")
    first = AccessToken.objects.get()
    status(api, REMOTE_ADDR="10.0.0.2")
    again = AccessToken.objects.get()
    assert (first.last_used_from, again.last_used_at, again.last_used_from) == (
        "10.0.0.1", first.last_used_at, "10.0.0.1",
    )  # fmt: skip
    AccessToken.objects.update(last_used_at=timezone.now() - HOURLY)
    status(api, REMOTE_ADDR="10.0.0.2")
    assert AccessToken.objects.get().last_used_from == "10.0.0.2"


def test_a_token_makes_no_token(cast: Cast) -> None:
    _, text = access_tokens.make(cast.administrator, cast.administrator, "x", Limits())
    found = access_tokens.bearer(text, "10.0.0.1")
    assert found is not None
    with pytest.raises(PermissionDenied):
        access_tokens.make(found.owner, found.owner, "y", Limits())
    page = Client().post("/preferences/tokens/new/", {"name": "y"}, headers={"Authorization": f"Bearer {text}"})
    assert page.status_code == 302 and page["Location"].startswith("/login/")
    assert AccessToken.objects.count() == 1


def test_nobody_makes_a_token_for_another_person(cast: Cast) -> None:
    for user in (cast.operator, cast.administrator, cast.root):
        with pytest.raises(PermissionDenied):
            access_tokens.make(user, cast.author, "x", Limits())


def test_an_owner_has_so_many_tokens_at_most(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_tokens, "MOST_TOKENS", 2)
    for name in "ab":
        access_tokens.make(cast.operator, cast.operator, name, Limits())
    with pytest.raises(Refused, match="revoke one first"):
        access_tokens.make(cast.operator, cast.operator, "c", Limits())
