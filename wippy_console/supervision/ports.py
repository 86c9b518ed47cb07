"""Ports of this machine."""

from __future__ import annotations

import errno
import socket


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
