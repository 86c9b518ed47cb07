"""A real Temporal dev server for tests, on a port that no other test of this machine is given."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from tests.ports import free_port
from wippy_console.testing import server


def running_temporal(folder: Path) -> AbstractContextManager[str]:
    """Yield the address of a server on a database in the folder; it is killed afterwards."""
    return server.running_temporal(folder, free_port)
