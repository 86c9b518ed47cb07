"""A Lua worker in this process, and a plain Python worker in another."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.engine.hosts.temporal.stage import Stage


@pytest.fixture(scope="package")
def python_queue(temporal_address: str) -> Iterator[str]:
    """The task queue of a Python worker that serves as long as the tests of this package run."""
    queue = f"python-{uuid.uuid4().hex[:8]}"
    command = [sys.executable, "-m", "tests.interop.python_worker", temporal_address, queue]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "serving\n"
            yield queue
        finally:
            process.kill()


@pytest.fixture
async def stage(temporal_address: str) -> AsyncIterator[Stage]:
    """A running worker of Lua workflows."""
    stage = await Stage.open(temporal_address)
    try:
        yield stage
    finally:
        await stage.close()
