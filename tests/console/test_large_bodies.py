"""Bodies that are too large, and hosts that are not ours, at a web process as the product starts it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from tests.hooks.stage import running_web
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

FORM = "application/x-www-form-urlencoded"
FILES = "multipart/form-data; boundary=x"
MEGABYTE = 1024 * 1024


@pytest.fixture
def web(transactional_db: None) -> Iterator[tuple[int, int]]:
    """A port, and the process."""
    with running_web() as (port, process):
        yield port, process.pid


def sending(port: int, length: int, kind: str, accept: str = "text/html") -> socket.socket:
    """A request whose body is still to come."""
    peer = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    head = f"POST /login/ HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\nConnection: close\r\n"
    peer.sendall(f"{head}Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode())
    return peer


def answer(peer: socket.socket) -> str:
    parts = []
    while part := peer.recv(65536):
        parts.append(part)
    return b"".join(parts).decode()


def kept(pid: int) -> int:
    """Bytes of files without a name, as bodies are kept in."""
    found = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        with suppress(OSError):
            path = f"/proc/{pid}/fd/{name}"
            found += os.stat(path).st_size if "(deleted)" in os.readlink(path) else 0
    return found


@pytest.mark.parametrize(("kind", "length"), [(FORM, 4 * MEGABYTE), (FILES, 70 * MEGABYTE)])
def test_a_body_that_is_too_large_is_kept_nowhere_and_answered_with_a_page(
    web: tuple[int, int], kind: str, length: int
) -> None:
    port, pid = web
    with sending(port, length, kind) as peer:
        for _ in range(length // MEGABYTE - 1):
            peer.sendall(b"x" * MEGABYTE)
        until = time.monotonic() + 1
        while time.monotonic() < until:  # what was sent arrives
            assert kept(pid) == 0
            time.sleep(0.1)
        peer.sendall(b"x" * MEGABYTE)
        said = answer(peer)
    assert said.startswith("HTTP/1.1 413") and "That is too much at once" in said and "Nothing was changed" in said


def test_a_body_within_bounds_arrives(web: tuple[int, int]) -> None:
    port, _ = web
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
        assert client.post("/login/", content=b"x" * 2 * MEGABYTE, headers={"Content-Type": FORM}).status_code == 403
        large = client.post("/api/v1/runs", content=b"x" * 3 * MEGABYTE, headers={"Content-Type": "application/json"})
        assert large.status_code in (401, 413) and large.headers["content-type"] == "application/problem+json"


def test_a_body_beyond_all_measure_ends_the_connection(web: tuple[int, int]) -> None:
    port, _ = web
    with sending(port, 2 * 1024 * MEGABYTE, FILES) as peer:
        assert answer(peer).startswith("HTTP/1.1 413")


@pytest.mark.parametrize("host", ["evil.example", "a b", "http://["])
def test_a_host_that_is_not_ours_gets_a_page_of_ours_and_one_line_of_the_log(
    transactional_db: None, capfd: pytest.CaptureFixture[str], host: str
) -> None:
    with running_web() as (port, _), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as peer:
        peer.sendall(f"GET /login/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        said = answer(peer)
    assert said.startswith("HTTP/1.1 400") and "That can&#x27;t be read" in said and "Wippy Console" in said
    told = capfd.readouterr().err
    assert "Invalid HTTP_HOST header" in told and "Traceback" not in told
