"""A PostgreSQL of the tests' own, started by the script that everybody uses."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlparse

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "postgres.sh"


@contextmanager
def postgres() -> Iterator[str]:
    """The folder of its socket, which is its host; the user is `wippy`, the database `postgres`."""
    command = [str(SCRIPT), "sh", "-c", 'echo "url $DATABASE_URL"; read -r _ || true']
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout and server.stdin
        try:
            url = next(line for line in server.stdout if line.startswith("url ")).split()[1]
            yield parse_qs(urlparse(url).query)["host"][0]
        finally:
            server.stdin.close()
            server.wait()
