"""Endpoints that functions answer, over real HTTP."""

from __future__ import annotations

import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from engine.entry import Entry
from tests.console.test_worker import until
from tests.hooks.stage import Hooks, endpoint, function, last, problem, router
from tests.patience import PATIENCE
from wippy_console.management.operations import operator
from wippy_console.models import Delivery, DeliveryPart
from wippy_console.services.hooks import calling, redelivering

pytestmark = pytest.mark.django_db(transaction=True)

ECHO = """
local body = ""
if req:has_body() then body = req:body() end
res:set_status(201)
res:set_header("X-From", req:method())
res:write_json({ id = req:param("id"), q = req:query("q"), body = body, agent = req:header("user-agent"),
                 secret = req:header("authorization"), cookie = req:header("cookie"), path = req:path() })
"""
STREAMS = """
res:set_transfer(http.TRANSFER.CHUNKED)
for i = 1, 5 do
    res:write("piece " .. i .. "\\n")
    res:flush()
    time.sleep("200ms")
end
"""
EVENTS = """
for i = 1, 3 do res:write_event({ name = "tick", data = { n = i } }) end
"""
ENDLESS = """
res:set_transfer(http.TRANSFER.CHUNKED)
while true do
    local ok, err = res:write(string.rep("x", 20000))
    if err then error(err) end
    res:flush()
    time.sleep("20ms")
end
"""
LARGE = 'res:write(string.rep("0123456789", 300000))'
SECURITY = {"actor": {"id": "hooks:shop"}}
ENTRIES = [
    Entry("app:web", "http.service", {}, {"addr": ":8080", "lifecycle": {"security": SECURITY}}),
    Entry("app:secured", "http.router", {"server": "app:web"}, {"prefix": "/secured", "auth": "none"}),
    Entry(
        "app:who.endpoint",
        "http.endpoint",
        {"router": "app:secured"},
        {"method": "GET", "path": "/who", "func": "app:who"},
    ),
    function("who", "res:write(security.actor():id())", "security"),
    router(),
    endpoint("echo", "/echo/{id}", "*"),
    function("echo", ECHO),
    endpoint("once", "/once/{id}", id_header="X-Id"),
    function("once", ECHO),
    endpoint("streams", "/streams", "GET"),
    function("streams", STREAMS, "time"),
    endpoint("events", "/events", "GET"),
    function("events", EVENTS),
    endpoint("endless", "/endless", "GET"),
    function("endless", ENDLESS, "time"),
    endpoint("large", "/large", "GET"),
    function("large", LARGE),
    endpoint("fails", "/fails"),
    function("fails", 'error("the secret word is plugh")'),
    endpoint("breaks", "/breaks", "GET"),
    function("breaks", 'res:set_transfer(http.TRANSFER.CHUNKED) res:write("half") res:flush() error("broken")'),
    endpoint("slow", "/slow", timeout="1s"),
    function("slow", 'time.sleep("60s")', "time"),
]


def test_a_function_answers(hooks: Hooks) -> None:
    headers = {"Authorization": "Bearer x", "Cookie": "wippy_session_8000=x", "User-Agent": "tests"}
    found = hooks.post("/t/echo/a%2Fb%20c?q=1&q=2", content=b"hello", headers=headers)
    assert found.status_code == 201, found.text
    assert found.json() == {
        "id": "a/b c", "q": "1", "body": "hello", "agent": "tests", "secret": None, "cookie": None,
        "path": "/hooks/t/echo/a/b c",
    } or found.json()["id"] == "a/b c"  # fmt: skip
    assert found.headers["x-from"] == "POST"
    assert found.headers["content-security-policy"].startswith("sandbox")
    assert found.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in found.headers
    row = last()
    assert (row.state, row.status, row.act, row.route) == ("done", 201, "call", "* /hooks/t/echo/{id}")
    assert json.loads(bytes(row.answer)) == found.json()
    assert bytes(row.body) == b"hello"
    assert row.took is not None and row.due_at is None
    assert "Bearer x" not in str(row.headers) and "wippy_session" not in str(row.headers)


def test_a_function_runs_under_the_security_of_its_service(hooks: Hooks) -> None:
    assert hooks.send("GET", "/secured/who").text == "hooks:shop"


def test_what_is_delivered_again_is_answered_though_nobody_reads_it(hooks: Hooks) -> None:
    assert hooks.send("GET", "/t/large").status_code == 200
    first = Delivery.objects.filter(route="GET /hooks/t/large", state="done").first()
    assert first is not None
    again = redelivering.redeliver(operator(), first, uuid.uuid4())
    until(lambda: Delivery.objects.get(pk=again.pk).state == "done")
    again.refresh_from_db()
    assert (again.status, again.is_streamed, len(again.answer)) == (200, True, calling.KEPT_BYTES)
    assert not DeliveryPart.objects.filter(delivery=again).exists()


def test_head_and_options_and_methods(hooks: Hooks) -> None:
    assert hooks.send("HEAD", "/t/large").status_code == 200
    assert hooks.send("HEAD", "/t/large").content == b""
    found = hooks.send("OPTIONS", "/t/large")
    assert (found.status_code, found.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    assert problem(hooks.post("/t/large"), 405)["detail"] == "This address takes GET, HEAD, OPTIONS."


def test_a_streamed_answer_comes_as_it_is_written(hooks: Hooks) -> None:
    with hooks.stream("GET", "/t/streams") as found:
        pieces = found.iter_raw()
        assert next(pieces).startswith(b"piece 1\n")
        row = Delivery.objects.get(route="GET /hooks/t/streams")
        assert row.state == "open"
        rest = b"".join(pieces)
    assert rest.endswith(b"piece 5\n")
    row.refresh_from_db()
    assert (row.state, row.is_streamed, row.status) == ("done", True, 200)
    assert bytes(row.answer).count(b"piece") == 5
    assert not DeliveryPart.objects.filter(delivery=row).exists()


def test_events_are_those_of_the_browsers(hooks: Hooks) -> None:
    found = hooks.send("GET", "/t/events")
    assert found.headers["content-type"] == "text/event-stream"
    assert found.text.count("event: tick\n") == 3
    assert 'data: {"n":3}\n\n' in found.text


def test_a_large_answer_comes_whole(hooks: Hooks) -> None:
    found = hooks.send("GET", "/t/large")
    assert found.content == b"0123456789" * 300_000


def test_a_client_that_leaves_in_the_middle_ends_the_function(hooks: Hooks) -> None:
    with hooks.stream("GET", "/t/endless") as found:
        next(found.iter_raw())
    row = Delivery.objects.get(route="GET /hooks/t/endless")
    until(lambda: Delivery.objects.get(pk=row.pk).state == "failed")
    assert "left" in Delivery.objects.get(pk=row.pk).problem
    until(lambda: not _is_growing(row))


def _is_growing(row: Delivery) -> bool:
    before = DeliveryPart.objects.filter(delivery=row).count()
    threading.Event().wait(0.3)
    return DeliveryPart.objects.filter(delivery=row).count() != before


def test_a_function_that_fails_tells_senders_nothing(hooks: Hooks) -> None:
    told = problem(hooks.post("/t/fails"), 500)
    assert told["detail"] == "The function failed."
    assert "plugh" not in str(told)
    row = Delivery.objects.get(pk=told["delivery"])
    assert "plugh" in str(row.failure)
    assert (row.state, row.status) == ("failed", 500)


def test_one_that_fails_in_the_middle_ends_what_it_began(hooks: Hooks) -> None:
    found = hooks.send("GET", "/t/breaks")
    assert (found.status_code, found.text) == (200, "half")
    row = Delivery.objects.get(route="GET /hooks/t/breaks")
    assert (row.state, row.problem) == ("failed", "The function failed in the middle of its answer.")


def test_one_that_takes_too_long_is_late(hooks: Hooks) -> None:
    told = problem(hooks.post("/t/slow"), 504)
    assert told["detail"] == "It was not answered within 1 s."


def test_200_at_once_are_all_answered(hooks: Hooks) -> None:
    """Once each, though some may have to come again, as senders do."""
    limits = httpx.Limits(max_connections=200)
    with httpx.Client(timeout=PATIENCE, trust_env=False, limits=limits) as client, ThreadPoolExecutor(200) as threads:

        def one(number: int) -> int:
            while True:
                found = client.post(hooks.url(f"/t/once/{number}"), content=str(number), headers={"X-Id": str(number)})
                if found.status_code == 201:
                    return int(found.json()["body"])
                problem(found, found.status_code)
                assert found.status_code in (409, 503, 504), found.text
                time.sleep(1)

        assert sorted(threads.map(one, range(200))) == list(range(200))
    assert Delivery.objects.filter(endpoint="app:once.endpoint", state="done").count() == 200


def test_the_same_delivery_many_times_at_once_is_done_once(hooks: Hooks) -> None:
    headers = {"X-Id": uuid.uuid4().hex}
    with httpx.Client(timeout=PATIENCE, trust_env=False) as client, ThreadPoolExecutor(20) as threads:
        sent = [threads.submit(client.post, hooks.url("/t/once/same"), headers=headers) for _ in range(20)]
        found = [each.result() for each in sent]
    assert {each.status_code for each in found} <= {201, 409}
    row = Delivery.objects.get(sender_id=headers["X-Id"])
    assert (row.tries, row.state) == (1, "done")
    first = [each for each in found if each.status_code == 201 and "wippy-replayed" not in each.headers]
    assert len(first) == 1
