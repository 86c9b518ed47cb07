"""The health check that a `temporal.client` entry may want of its server."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError

from engine.errors import UNAVAILABLE, Failure, UnitFailed


async def check_health(client: Client, interval: timedelta) -> None:
    """Ask the server for its health at each interval; raises Unavailable when it fails twice in a row."""
    failed = False
    while True:
        await asyncio.sleep(interval.total_seconds())
        try:
            healthy, why = await client.service_client.check_health(timeout=interval), "it is not serving"
        except RPCError as error:
            healthy, why = False, error.message
        if not healthy and failed:
            address = client.service_client.config.target_host
            raise UnitFailed(Failure(UNAVAILABLE, f"Temporal at {address} is not healthy: {why}", retryable=True))
        failed = not healthy
