"""A Temporal server of the benchmark's own."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from wippy_console.supervision.children.launch import launched
from wippy_console.supervision.dev_server import DevServer, prepare
from wippy_console.supervision.ports import free_port

T = TypeVar("T")


def served(measure: Callable[[str], Coroutine[Any, Any, T]]) -> T:
    """What `measure` finds on a fresh server, whose address it gets."""
    with tempfile.TemporaryDirectory(prefix="wippy-bench-", ignore_cleanup_errors=True) as folder:
        server = DevServer(Path(folder) / "temporal.sqlite3", free_port())
        process = subprocess.Popen(launched(server.command()), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return asyncio.run(_prepared(server.address, measure))
        finally:
            process.kill()
            process.wait()


async def _prepared(address: str, measure: Callable[[str], Coroutine[Any, Any, T]]) -> T:
    await prepare(address)
    return await measure(address)
