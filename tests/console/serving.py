"""Start processes of the product against the test database."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from tests.patience import PATIENCE
from tests.ports import free_port


def environment(**extra: str) -> dict[str, str]:
    """The environment of a child that uses the test database (and, by WIPPY_DATA, the same secret key)."""
    name = str(connection.settings_dict["NAME"])
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.served", "WIPPY_TEST_DATABASE": name, **extra}


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise AssertionError(f"the process ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"nothing listens on port {port}")


@contextmanager
def running_web(**extra: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Daphne with the whole application; yields its port and process. `extra` goes to its environment."""
    port = free_port()
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "wippy_console.asgi:application"]
    with subprocess.Popen(command, env=environment(**extra)) as process:
        try:
            wait_for_port(port, process)
            yield port, process
        finally:
            process.send_signal(signal.SIGKILL)
