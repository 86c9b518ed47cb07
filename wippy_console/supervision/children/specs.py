"""How `up` starts its three children: Temporal, web and worker."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext

from wippy_console.env import ROOT, Environment
from wippy_console.supervision.children.child import ChildSpec
from wippy_console.supervision.dev_server import DevServer

MANAGE = (sys.executable, str(ROOT / "manage.py"))
STOP_TEMPORAL = 10.0
STOP_WEB = 10.0
STOP_WORKER = 81.0  # a minute of it for services, see worker/node.py


def temporal_spec(server: DevServer) -> ChildSpec:
    """The embedded server; each of its processes takes the lock of the database file with it."""

    @contextmanager
    def locked() -> Iterator[tuple[int, ...]]:
        descriptor = server.lock()
        try:
            yield (descriptor,)
        finally:
            os.close(descriptor)

    return ChildSpec("temporal", tuple(server.command()), dict(os.environ), STOP_TEMPORAL, locked)


def web_spec(listener: socket.socket, environment: Mapping[str, str]) -> ChildSpec:
    """Daphne on a socket that we keep open for it."""
    command = (*MANAGE, "web", "--fd", str(listener.fileno()))
    return ChildSpec("web", command, environment, STOP_WEB, lambda: nullcontext((listener.fileno(),)))


def worker_spec(environment: Mapping[str, str]) -> ChildSpec:
    """One node."""
    return ChildSpec("worker", (*MANAGE, "worker"), environment, STOP_WORKER)


def child_environment(environment: Environment, address: str) -> dict[str, str]:
    """Return our own environment with what we decided: the address of Temporal above all."""
    return {
        **os.environ,
        "PORT": str(environment.port),
        "WIPPY_DATA": str(environment.data),
        "TEMPORAL_ADDRESS": address,
        "WIPPY_TEMPORAL_EMBEDDED": "1" if environment.temporal.embedded else "0",
        "PYTHONUNBUFFERED": "1",
    }
