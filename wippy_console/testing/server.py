"""A real Temporal dev server for tests, started as the product starts it."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from wippy_console.supervision.children.launch import launched
from wippy_console.supervision.dev_server import DevServer, prepare

ATTEMPTS = 3


@contextmanager
def running_temporal(folder: Path, free_port: Callable[[], int]) -> Iterator[str]:
    """Yield the address of a server on a database in the folder; it is killed afterwards."""
    address, process = _start(folder, free_port)
    try:
        yield address
    finally:
        process.kill()
        process.wait()


def _start(folder: Path, free_port: Callable[[], int]) -> tuple[str, subprocess.Popen[bytes]]:
    """Start it on a free port; another test may take that port first, so it is tried again."""
    for attempt in range(ATTEMPTS):
        server = DevServer(folder / f"temporal{attempt}.sqlite3", free_port())
        with (folder / "temporal.log").open("ab") as log:
            process = subprocess.Popen(launched(server.command()), stdout=log, stderr=log)
        if _answers(server.address) and process.poll() is None:
            return server.address, process
        process.kill()
        process.wait()
    raise RuntimeError(f"the Temporal dev server did not start: {(folder / 'temporal.log').read_text()[-2000:]}")


def _answers(address: str) -> bool:
    try:
        asyncio.run(prepare(address))
    except TimeoutError:
        return False
    return True
