"""Ports of this machine."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class PortTaken(Exception):
    """Something else listens on the port."""


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket of the web process, to be inherited by it.

    The supervisor keeps it open: a restart of the web process can't lose the port, and browsers that
    connect meanwhile wait instead of being refused.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(f"port {port} on {host} is taken") from None
        raise


def is_free(port: int) -> bool:
    """Say whether a server could listen on the port of 127.0.0.1 now."""
    try:
        listen("127.0.0.1", port).close()
    except PortTaken:
        return False
    return True


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def claimed_port(preferred: int) -> Iterator[int]:
    """Yield the preferred port if it is free and no other `up` of this user has claimed it, else another.

    Without the claim, two copies that start in the same moment would both find the port free, and the
    loser's processes would talk to the winner's Temporal.
    """
    with (Path(tempfile.gettempdir()) / f"wippy-port-{os.getuid()}-{preferred}.lock").open("a") as claim:
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield free_port()
        else:
            yield preferred if is_free(preferred) else free_port()
