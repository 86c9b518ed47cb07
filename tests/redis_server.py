"""A Redis of a test's own, which can go away and come back."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.patience import PATIENCE
from tests.ports import free_port

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "redis.sh"


@dataclass
class RedisServer:
    """Started by scripts/redis.sh on a free port."""

    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """As REDIS_URL has it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._process = subprocess.Popen([str(SCRIPT), str(self.port)], stdout=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.5).close()
            except OSError:
                assert self._process.poll() is None and time.monotonic() < end, "Redis does not start"
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """End it at once, and all that it holds."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def said(self, *words: str) -> bytes:
        """What it answers to one command."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as link:
            link.sendall(" ".join(words).encode() + b"\r\n")
            return link.recv(4096)


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Yield one that runs; nothing of it is left afterwards."""
    server = RedisServer()
    server.start()
    try:
        yield server
    finally:
        server.kill()
