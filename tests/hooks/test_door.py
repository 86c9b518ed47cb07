"""The door of `/hooks/` over real HTTP: who is let in, and how everybody else is refused. No worker runs."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from engine.entry import Entry
from tests.hooks.stage import SCHEMA, SECRET, Hooks, endpoint, function, last, problem, router, running_web
from tests.patience import PATIENCE
from wippy_console.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)

WITH_NODE = False
TOKEN = {"token": {"secret_env": "HOOK_SECRET"}}
HMAC = {"hmac": {"header": "X-Signature", "secret_env": "HOOK_SECRET", "prefix": "sha256="}}
FLOW = """
return { main = function(order) process.inbox():receive() return order end }
"""
WEBHOOKS = [
    {"path": "/orders", "starts": True, "auth": "none", "schema": SCHEMA, "workflow_id": "$.id", "id_header": "X-Id"},
    {"path": "/paid", "signal": "paid", "auth": "none", "key": "$.id", "search": "$.id"},
]
ENTRIES = [
    router(
        middleware=["cors"],
        options={"cors.allow.origins": "https://shop.example", "cors.expose.headers": "X-From", "cors.max.age": "60"},
    ),
    Entry("app:closed", "http.router", {}, {"prefix": "/closed"}),
    function("fn", 'res:write("fine")'),
    endpoint("open", "/open", func="app:fn", max_body=1000),
    endpoint("files", "/files/{rest...}", "*", func="app:fn"),
    endpoint("token", "/token", func="app:fn", auth=TOKEN),
    endpoint("hmac", "/hmac", func="app:fn", auth=HMAC),
    endpoint("unset", "/unset", func="app:fn", auth={"token": {"secret_env": "HOOK_NEVER_SET"}}),
    endpoint("often", "/often", func="app:fn", rate="2/24h", auth=TOKEN),
    endpoint("seldom", "/seldom", func="app:fn", rate="1/24h", auth=TOKEN),
    endpoint("bulky", "/bulky", func="app:fn", rate="1/24h", max_body=10),
    endpoint("once", "/once", func="app:fn", id_header="X-Id"),
    Entry("app:other", "http.endpoint", {"router": "app:closed"},
          {"method": "POST", "path": "/", "func": "app:fn", "auth": "none"}),
    Entry("app:flow", "workflow.lua", {"webhooks": WEBHOOKS, "search": ["$.id"]}, {"source": FLOW, "method": "main"}),
]  # fmt: skip


def rows(path: str) -> list[Delivery]:
    return list(Delivery.objects.filter(path=f"/hooks{path}").order_by("received_at"))


def test_what_is_not_there_is_a_problem_without_a_row(hooks: Hooks) -> None:
    before = Delivery.objects.count()
    for path in ("/none", "/t", "/t/open/more", "/", "/t/%00", "/t//open", "/t/../t/none", "/%ff"):
        problem(hooks.post(path), 404)
    refused = hooks.send("GET", "/t/open")
    assert problem(refused, 405)["detail"] == "This address takes POST, OPTIONS."
    assert refused.headers["allow"] == "POST, OPTIONS"
    assert Delivery.objects.count() == before


def test_what_no_row_can_hold_is_refused(hooks: Hooks) -> None:
    problem(hooks.send("GETTINGSOMETHING", "/t/files/a"), 501)
    problem(hooks.send("*", "/t/files/a"), 501)
    for length in range(1970, 2010):
        found = hooks.send("GET", "/t/files/" + "x" * (length - len("/hooks/t/files/")))
        problem(found, 503 if length <= 2000 else 414)
    problem(hooks.send("GET", "/t/files/a?" + "&".join("x" * 1001)), 400)
    problem(hooks.send("GET", "/t/files/a?%00=%ff&%ed%a0%80"), 503)
    problem(hooks.send("GET", "/t/files/%ed%a0%80"), 404)
    problem(hooks.send("GET", "/t/files/a", headers={"X-Odd": b"\xff\xfe"}), 503)


def test_no_answer_can_act_as_the_console(hooks: Hooks) -> None:
    for found in (hooks.post("/none"), hooks.post("/t/open"), hooks.post("/t/token")):
        assert found.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["cache-control"] == "no-store"
        assert "set-cookie" not in found.headers
    assert hooks.post("/none").headers["cross-origin-resource-policy"] == "same-origin"


def test_another_host_is_refused(hooks: Hooks) -> None:
    problem(hooks.post("/t/open", headers={"Host": "evil.example"}), 400)


def test_who_proves_nothing_is_one_row_an_hour(hooks: Hooks) -> None:
    for value in ("", "Bearer", "Bearer wrong", "Bearer wrong", "Bearer \u00e9", "Basic x"):
        refused = hooks.post("/t/token", headers={"Authorization": value.encode("latin-1")}, content=b"secret body")
        assert problem(refused, 401)["detail"] == "Not authenticated."
        assert refused.headers["www-authenticate"].startswith("Bearer")
    found = rows("/t/token")
    assert {row.problem: row.times for row in found}["The token is another one."] == 4
    assert all((row.state, row.status, bytes(row.body), row.headers) == ("refused", 401, b"", []) for row in found)


def test_who_proves_it_is_let_in(hooks: Hooks) -> None:
    body = b'{"n": 1}'
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    problem(hooks.post("/t/hmac", content=body, headers={"X-Signature": signature}), 503)  # there is no worker
    row = rows("/t/hmac")[0]
    assert bytes(row.body) == body
    assert signature not in json.dumps(row.headers)
    problem(hooks.post("/t/hmac", content=body + b" ", headers={"X-Signature": signature}), 401)


def test_without_its_secret_a_door_stays_shut(hooks: Hooks) -> None:
    refused = hooks.post("/t/unset", headers={"Authorization": "Bearer x"})
    assert "HOOK_NEVER_SET" not in json.dumps(problem(refused, 503))
    assert refused.headers["retry-after"] == "5"
    assert "HOOK_NEVER_SET" in rows("/t/unset")[0].problem


def test_without_a_worker_senders_are_told_to_come_again(hooks: Hooks) -> None:
    refused = hooks.post("/t/open")
    assert "manage.py" not in problem(refused, 503)["detail"]
    assert refused.headers["retry-after"] == "5"
    row = last()
    assert "manage.py worker" in row.problem
    assert (row.state, row.status, row.due_at) == ("failed", 503, None)


def test_bodies_are_bounded_declared_or_not(hooks: Hooks) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    problem(hooks.post("/t/open", content=b"x" * 1001), 413)
    problem(hooks.post("/t/open", content=pieces()), 413)
    row = Delivery.objects.get(path="/hooks/t/open", state="refused")
    assert (row.status, row.times) == (413, 2)


def test_a_huge_body_is_refused_before_it_is_sent(hooks: Hooks) -> None:
    for length in (f"Content-Length: {10**12}", "Transfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", hooks.port), PATIENCE) as sock:
            sock.settimeout(PATIENCE)
            sock.sendall(f"POST /hooks/t/open HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}\r\n\r\n".encode())
            if length.startswith("T"):
                with suppress(OSError):
                    for _ in range(100):
                        sock.sendall(b"100000\r\n" + b"x" * 2**20 + b"\r\n")
            assert _first_line(sock).startswith(b"HTTP/1.1 413 ")


def _first_line(sock: socket.socket) -> bytes:
    """What it answered; a connection that is reset while more is sent may have lost it."""
    try:
        return sock.recv(100)
    except ConnectionResetError:
        return b"HTTP/1.1 413 (reset)"


def test_rates_count_before_anything_else(hooks: Hooks) -> None:
    found = [hooks.post("/t/often") for _ in range(3)]
    assert [each.status_code for each in found] == [401, 401, 429]
    assert problem(found[-1], 429)
    assert found[-1].reason_phrase == "Too Many Requests"
    assert [each.headers["ratelimit-remaining"] for each in found] == ["1", "0", "0"]
    assert int(found[-1].headers["retry-after"]) > 0


def test_what_comes_too_often_is_listed_once_a_window(hooks: Hooks) -> None:
    assert [hooks.post("/t/seldom").status_code for _ in range(4)] == [401, 429, 429, 429]
    row = Delivery.objects.get(path="/hooks/t/seldom", status=429)
    assert (row.state, row.times, bytes(row.body), row.headers) == ("refused", 1, b"", [])
    assert row.problem == "One sender was over the rate of 1."


def test_rates_count_what_says_that_it_is_too_large(hooks: Hooks) -> None:
    found = [hooks.post("/t/bulky", content=b"x" * 11) for _ in range(2)]
    assert [each.status_code for each in found] == [413, 429]
    assert found[0].headers["ratelimit-remaining"] == "0"


def test_pages_of_origins_that_are_named_may_ask(hooks: Hooks) -> None:
    asks = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    granted = hooks.send("OPTIONS", "/t/open", headers=asks)
    assert granted.status_code == 204
    assert granted.headers["access-control-allow-origin"] == "https://shop.example"
    assert "POST" in granted.headers["access-control-allow-methods"]
    assert granted.headers["access-control-max-age"] == "60"
    other = hooks.send("OPTIONS", "/t/open", headers={**asks, "Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
    answered = hooks.post("/t/open", headers={"Origin": "https://shop.example"})
    assert answered.headers["access-control-allow-origin"] == "https://shop.example"
    assert answered.headers["access-control-expose-headers"] == "X-From"
    assert answered.headers["cross-origin-resource-policy"] == "cross-origin"
    closed = hooks.send("OPTIONS", "/closed", headers=asks)
    assert (closed.status_code, closed.headers["allow"]) == (204, "POST, OPTIONS")
    assert "access-control-allow-origin" not in closed.headers


def test_an_id_that_is_declared_has_to_be_there(hooks: Hooks) -> None:
    for value in ("", "x" * 256, "\u00e9"):
        told = problem(hooks.post("/t/once", headers={"X-Id": value.encode("latin-1")}), 400)
        assert told["errors"][0]["path"] == "/x-id"


def test_what_failed_is_tried_again_by_the_same_row(hooks: Hooks) -> None:
    headers = {"X-Id": uuid.uuid4().hex}
    for tries in (1, 2):
        problem(hooks.post("/t/once", content=b"a", headers=headers), 503)
        row = Delivery.objects.get(sender_id=headers["X-Id"])
        assert row.tries == tries
    told = problem(hooks.post("/t/once", content=b"b", headers=headers), 409)
    assert told["detail"] == "A delivery with this x-id had another body."


def test_a_body_of_a_shortcut_is_checked(hooks: Hooks) -> None:
    def order(content: bytes, kind: str = "application/json") -> httpx.Response:
        return hooks.post("/orders", content=content, headers={"Content-Type": kind, "X-Id": uuid.uuid4().hex})

    problem(order(b"id=1", "application/x-www-form-urlencoded"), 415)
    for content in (b"", b"{", b'{"id": 1, "id": 2}', b"\xff", b'{"id": 12345678901234567890}'):
        problem(order(content), 422)
    told = problem(order(b'{"id": "x"}'), 422)
    assert told["errors"][0]["path"] == "/id"
    row = Delivery.objects.get(pk=told["delivery"])
    assert (row.state, bytes(row.body), row.status) == ("refused", b'{"id": "x"}', 422)


def test_a_start_is_done_once_and_its_answer_given_again(hooks: Hooks) -> None:
    headers = {"X-Id": uuid.uuid4().hex}
    first = hooks.post("/orders", json={"id": 7}, headers=headers)
    assert (first.status_code, first.json()["workflow_id"]) == (202, "flow-7")
    again = hooks.post("/orders", json={"id": 7}, headers=headers)
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["wippy-replayed"] == "true"
    other = hooks.post("/orders", json={"id": 7}, headers={"X-Id": uuid.uuid4().hex})
    assert (other.status_code, other.json()["already"]) == (200, True)


def test_a_signal_to_nobody_is_told(hooks: Hooks) -> None:
    told: dict[str, Any] = problem(hooks.post("/paid", json={"id": 999}), 404)
    assert "app:flow" in told["detail"]


def test_behind_a_proxy_only_https_counts_and_its_word_on_the_sender(hooks: Hooks) -> None:
    with running_web(WIPPY_SECURE="1", SECRET_KEY="x" * 60) as (port, _):
        headers = {"X-Forwarded-For": "6.6.6.6, 192.0.2.7"}
        url = f"http://127.0.0.1:{port}/hooks/t/open"
        problem(hooks.client.post(url, headers=headers), 403)
        told = problem(hooks.client.post(url, headers={**headers, "X-Forwarded-Proto": "https"}), 503)
    assert Delivery.objects.get(pk=told["delivery"]).source == "192.0.2.7"
