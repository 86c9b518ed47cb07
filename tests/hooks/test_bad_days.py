"""Requests to `/hooks/` while something dies, hangs, or does not read."""

from __future__ import annotations

import signal
import socket
import sqlite3
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from django.db import connection

from tests.console.hold import way_to
from tests.console.test_worker import until
from tests.hooks.stage import Hooks, endpoint, forget, function, problem, router, running_web, served, working
from tests.patience import PATIENCE
from wippy_console.models import Delivery, DeliveryPart
from wippy_console.services.hooks import calling
from wippy_console.worker import hooks as worker

pytestmark = pytest.mark.django_db(transaction=True)

SLEEPS = """
time.sleep(req:header("x-sleep") or "1ms")
res:write("woke up")
"""
MUCH = """
res:set_transfer(http.TRANSFER.CHUNKED)
for i = 1, 160 do
    local ok, err = res:write(string.rep(string.format("%07d\\n", i), 8192))
    if err then error(err) end
end
"""
HALF = """
res:set_transfer(http.TRANSFER.CHUNKED)
res:write("half")
res:flush()
time.sleep("100s")
"""
ENTRIES = [
    router(),
    endpoint("sleeps", "/sleeps", id_header="X-Id", timeout="100s"),
    function("sleeps", SLEEPS, "time"),
    endpoint("much", "/much", "GET", timeout="120s"),
    function("much", MUCH),
    endpoint("half", "/half", "GET", timeout="120s"),
    function("half", HALF, "time"),
]


@pytest.fixture
def stage(temporal_address: str, tmp_path: Path) -> Iterator[Hooks]:
    try:
        with served(temporal_address, tmp_path, *ENTRIES, with_node=False) as hooks:
            yield hooks
    finally:
        forget()


def begun() -> Delivery | None:
    """The delivery that a worker is at."""
    return Delivery.objects.filter(state="open", took__isnull=False).first()


def ids(sleep: str = "1ms") -> dict[str, str]:
    return {"X-Id": uuid.uuid4().hex, "X-Sleep": sleep}


def test_a_worker_that_is_killed_is_told_of_and_the_next_try_goes_to_another(stage: Hooks, tmp_path: Path) -> None:
    headers = ids("20s")
    with ThreadPoolExecutor(1) as threads:
        with working(tmp_path) as node:
            first = threads.submit(stage.post, "/t/sleeps", headers=headers)
            until(begun)
            again = stage.post("/t/sleeps", headers=headers)
            assert problem(again, 409)
            assert again.headers["retry-after"] == "1"
            node.send_signal(signal.SIGKILL)
        assert "died" in problem(first.result(), 504)["detail"]
    with working(tmp_path):
        found = stage.post("/t/sleeps", headers=headers)
        assert (found.status_code, found.text) == (200, "woke up")
    assert Delivery.objects.get().tries == 2


def test_a_worker_that_stops_answers_what_it_can_and_tells_of_the_rest(stage: Hooks, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as threads, working(tmp_path) as node:
        short = threads.submit(stage.post, "/t/sleeps", headers=ids("4s"))
        long = threads.submit(stage.post, "/t/sleeps", headers=ids("90s"))
        until(lambda: Delivery.objects.filter(state="open", took__isnull=False).count() == 2)
        node.send_signal(signal.SIGTERM)
        assert short.result().text == "woke up"
        assert problem(long.result(), 504)["detail"] == calling.LOST


def test_a_web_process_that_is_killed_leaves_the_answer_to_the_next(stage: Hooks, tmp_path: Path) -> None:
    headers = ids("2s")
    with working(tmp_path), ThreadPoolExecutor(1) as threads:
        first = threads.submit(stage.post, "/t/sleeps", headers=headers)
        until(begun)
        stage.web.kill()
        with pytest.raises(httpx.TransportError):
            first.result()
        until(lambda: Delivery.objects.filter(state="done").exists())
        with running_web() as (stage.port, _):
            found = stage.post("/t/sleeps", headers=headers)
    assert (found.status_code, found.text, found.headers["wippy-replayed"]) == (200, "woke up", "true")
    assert Delivery.objects.get().tries == 1


def test_a_client_that_leaves_before_the_answer_finds_it_when_it_comes_again(stage: Hooks, tmp_path: Path) -> None:
    headers = ids("2s")
    with working(tmp_path):
        with pytest.raises(httpx.ReadTimeout):
            stage.post("/t/sleeps", headers=headers, timeout=1)
        until(lambda: Delivery.objects.filter(state="done").exists())
        assert stage.post("/t/sleeps", headers=headers).headers["wippy-replayed"] == "true"


def test_a_stream_whose_worker_is_killed_ends(stage: Hooks, tmp_path: Path) -> None:
    with working(tmp_path) as node, stage.stream("GET", "/t/half") as found:
        pieces = found.iter_raw()
        assert next(pieces) == b"half"
        node.send_signal(signal.SIGKILL)
        assert list(pieces) == []
    row = Delivery.objects.get()
    assert (row.state, "died" in row.problem) == ("failed", True)


def test_a_client_that_does_not_read_holds_up_the_function_and_then_gets_all(stage: Hooks, tmp_path: Path) -> None:
    with working(tmp_path), stage.stream("GET", "/t/much") as found:
        until(lambda: DeliveryPart.objects.count() >= worker.AHEAD)
        assert Delivery.objects.get().state == "open"
        assert DeliveryPart.objects.count() < 3 * worker.AHEAD
        got = b"".join(found.iter_raw())
    assert got == b"".join(b"%07d\n" % n * 8192 for n in range(1, 161))


def test_a_client_that_never_reads_is_gone(stage: Hooks, tmp_path: Path) -> None:
    with (
        running_web(WIPPY_TEST_STALLED_SECONDS="1") as (port, _),
        working(tmp_path),
        socket.create_connection(("127.0.0.1", port), PATIENCE) as silent,
    ):
        silent.sendall(b"GET /hooks/t/much HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        until(lambda: Delivery.objects.filter(state="failed").exists())
    assert Delivery.objects.get().problem == calling.LEFT


def test_while_temporal_hangs_senders_are_told_and_answers_that_are_there_are_given(
    temporal_address: str, tmp_path: Path
) -> None:
    headers = ids("3s")
    with way_to(temporal_address) as way:
        try:
            with served(way.address, tmp_path, *ENTRIES) as hooks, ThreadPoolExecutor(1) as threads:
                first = threads.submit(hooks.post, "/t/sleeps", headers=headers)
                until(begun)
                way.hold()
                assert first.result().text == "woke up"
                refused = hooks.post("/t/sleeps", headers=ids())
                told = problem(refused, 503)
                assert "Temporal" in Delivery.objects.get(pk=told["delivery"]).problem
                assert refused.headers["retry-after"] == "5"
                way.release()
                until(lambda: hooks.post("/t/sleeps", headers=ids()).status_code == 200)
        finally:
            forget()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite has one writer at a time")
def test_a_locked_database_is_a_503_and_nothing_is_lost(stage: Hooks, tmp_path: Path) -> None:
    headers = ids()
    with running_web(WIPPY_TEST_LOCK_SECONDS="0.5") as (stage.port, _), working(tmp_path):
        other = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        refused = stage.post("/t/sleeps", headers=headers)
        other.execute("ROLLBACK")
        other.close()
        assert "database" in problem(refused, 503)["detail"]
        assert refused.headers["retry-after"] == "5"
        assert not Delivery.objects.exists()
        assert stage.post("/t/sleeps", headers=headers).status_code == 200


def test_slow_clients_hold_up_nobody(stage: Hooks, tmp_path: Path) -> None:
    """A hundred send their bodies a byte at a time."""
    head = b"POST /hooks/t/sleeps HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n"
    slow = [socket.create_connection(("127.0.0.1", stage.port), PATIENCE) for _ in range(100)]
    for each in slow:
        each.sendall(head + b"x")
    with working(tmp_path):
        assert stage.post("/t/sleeps", headers=ids()).status_code == 200
    for each in slow:
        each.close()
