"""Runs: find, start, cancel and terminate them, and read their histories."""

from __future__ import annotations

from wippy_console.services.decisions import cancel, terminate
from wippy_console.services.histories import read as history
from wippy_console.services.runs.searching import by_pid, children, get, newer, parent, search, visible
from wippy_console.services.runs.starting import named_worker, start, startable, workers
from wippy_console.services.runs.values import Page, Started

__all__ = [
    "Page", "Started", "by_pid", "cancel", "children", "get", "history", "named_worker", "newer", "parent", "search",
    "start", "startable", "terminate", "visible", "workers",
]  # fmt: skip
