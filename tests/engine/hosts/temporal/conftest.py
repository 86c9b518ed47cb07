"""A worker on a real Temporal server, with a node and a registry in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.engine.hosts.temporal.stage import Stage
from tests.patience import PATIENCE


@pytest.fixture
async def stage(temporal_address: str) -> AsyncIterator[Stage]:
    """A running worker; publish entries with `stage.lua`, then `stage.spawn` and `stage.result`."""
    stage = await Stage.open(temporal_address)
    try:
        yield stage
    finally:
        await asyncio.wait_for(stage.close(), PATIENCE)
