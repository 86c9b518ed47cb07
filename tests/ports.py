"""Ports for the servers of tests, each held by one test process at a time."""

from __future__ import annotations

import fcntl
import os
import random
import tempfile
from pathlib import Path

from wippy_console.supervision.ports import is_free

RANGE = range(20_000, 32_000)
"""Below what the kernel gives to outgoing connections, which would take a port between its choice and its use."""

_given: set[int] = set()
_claims: list[int] = []


def free_port() -> int:
    """Return a port that no other test of this user is given until this process ends, whatever its checkout."""
    for port in random.sample(RANGE, len(RANGE)):
        if port not in _given and _claim(port) and is_free(port):
            _given.add(port)
            return port
    raise RuntimeError(f"no port of {RANGE} is free")


def _claim(port: int) -> bool:
    """Lock the port's byte in a file that all test processes share; the lock ends with the process."""
    if not _claims:
        path = Path(tempfile.gettempdir()) / f"wippy-test-ports-{os.getuid()}"
        _claims.append(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # closing it would drop every lock
    try:
        fcntl.lockf(_claims[0], fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True
