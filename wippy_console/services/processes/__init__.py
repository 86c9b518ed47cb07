"""Processes and services of nodes: find them, look at one, act on them."""

from __future__ import annotations

from wippy_console.services.processes.acting import (
    SERVICE_ACTS,
    Trial,
    call,
    callable_by,
    cancel,
    likely_host,
    message,
    move_service,
    run,
    spawn,
    spawnable,
    terminate,
    trial,
)
from wippy_console.services.processes.pages import Wanted, listed, services_listed
from wippy_console.services.processes.reading import (
    Detail,
    Found,
    Line,
    describe,
    get_service,
    hosts,
    lasting,
    search,
    services,
)

__all__ = [
    "SERVICE_ACTS", "Detail", "Found", "Line", "Trial", "Wanted", "call", "callable_by", "cancel", "describe",
    "get_service", "hosts", "lasting", "likely_host", "listed", "message", "move_service", "run", "search", "services",
    "services_listed", "spawn", "spawnable", "terminate", "trial",
]  # fmt: skip
