"""`/healthz` and `/readyz` of a web process that serves, with and without its database."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.patience import PATIENCE
from tests.ports import free_port
from tests.product import MANAGE, UNSET, until


@contextmanager
def web(data: Path, **variables: str) -> Iterator[int]:
    """`manage.py web` on a data folder; yields its port once it listens."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    environment = {**kept, "WIPPY_DATA": str(data), "PORT": str(port), **variables}
    with subprocess.Popen([*MANAGE, "web"], env=environment) as process:
        try:
            until(lambda: process.poll() is not None or answers(port), "the web process answers")
            yield port
        finally:
            process.send_signal(signal.SIGKILL)


def answers(port: int) -> bool:
    try:
        return get(port, "/healthz")[0] == 200
    except OSError:
        return False


def get(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def migrate(data: Path) -> None:
    environment = {**{name: value for name, value in os.environ.items() if name not in UNSET}, "WIPPY_DATA": str(data)}
    subprocess.run([*MANAGE, "migrate", "-v0"], env=environment, check=True)


def test_a_process_lives_and_is_ready_once_its_tables_are_made(data_dir: Path) -> None:
    with web(data_dir, WIPPY_SECURE="1") as port:
        assert get(port, "/healthz", Host="10.0.0.7") == (200, "ok\n")
        assert get(port, "/healthz", "HEAD") == (200, "")
        assert get(port, "/healthz", "POST")[0] == 405
        status, said = get(port, "/readyz")
        assert (status, json.loads(said)) == (503, {"database": "ok", "migrations": "run manage.py migrate"})
        migrate(data_dir)
        status, said = get(port, "/readyz", Host="10.0.0.7")
        assert (status, json.loads(said)) == (200, {"database": "ok", "migrations": "ok", "feed": "ok"})


def test_a_process_lives_without_its_database_and_tells_no_secret(data_dir: Path) -> None:
    url = f"postgres://someone:hushhush@127.0.0.1:{free_port()}/nowhere"
    with web(data_dir, DATABASE_URL=url) as port:
        assert get(port, "/healthz") == (200, "ok\n")
        status, said = get(port, "/readyz")
        assert (status, json.loads(said)) == (503, {"database": "does not answer"})


def test_a_database_that_accepts_and_says_nothing_is_not_waited_for(data_dir: Path) -> None:

    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"postgres://someone:hushhush@127.0.0.1:{mute.getsockname()[1]}/nowhere"
        with web(data_dir, DATABASE_URL=url) as port:
            for _ in range(3):
                assert json.loads(get(port, "/readyz")[1]) == {"database": "does not answer"}
            assert get(port, "/healthz") == (200, "ok\n")
