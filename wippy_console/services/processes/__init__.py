"""Processes and services of nodes: find them, look at one, act on them."""

from __future__ import annotations

from wippy_console.services.processes.acting import (
    SERVICE_ACTS,
    call,
    cancel,
    likely_host,
    message,
    move_service,
    run,
    spawn,
    spawnable,
    terminate,
)
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
    "SERVICE_ACTS", "Detail", "Found", "Line", "call", "cancel", "describe", "get_service", "hosts", "lasting",
    "likely_host", "message", "move_service", "run", "search", "services", "spawn", "spawnable", "terminate",
]  # fmt: skip
