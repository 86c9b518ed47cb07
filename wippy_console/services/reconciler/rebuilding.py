"""Make the rows of runs again from Temporal: after they were lost, or when they are in doubt."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from temporalio.client import Client
from temporalio.service import RPCError

from engine.contracts.catalog import Catalog
from wippy_console.database.threads import in_thread
from wippy_console.services.projection import Clients, Ended, Fact, Ref, fetch_state, fetch_told, write
from wippy_console.services.reconciler.troubles import diagnose
from wippy_console.services.reconciler.visibility import clients_in_use, on_queues, pages, queues_of, ref_of

T = TypeVar("T")

logger = logging.getLogger(__name__)


async def rebuild(catalog: Catalog, clients: Clients) -> int:
    """Write every execution on the queues of our workers; returns how many. Nothing is deleted."""
    count = 0
    for client_id in clients_in_use(catalog):
        client = await clients.client(client_id)
        async for page in pages(client, on_queues(queues_of(catalog, client_id))):
            for execution in page:
                facts = await _facts(catalog, client, ref_of(client_id, execution))
                await in_thread(partial(write, catalog, facts))
            count += len(page)
    return count


async def _facts(catalog: Catalog, client: Client, ref: Ref) -> list[Fact]:
    """All that Temporal knows of one run; where an open one waits only a worker can say."""
    told = await fetch_told(catalog, client, ref)
    if isinstance(told, Ended):
        return [told]
    seen = await _asked(ref, fetch_state(client, told, -1))
    trouble = await _asked(ref, diagnose(client, ref))
    # Without its time: what was asked before it is written in the same batch.
    facts: list[Fact | None] = [told, seen, trouble and replace(trouble, at=None)]
    return [fact for fact in facts if fact is not None]


async def _asked(ref: Ref, asking: Awaitable[T]) -> T | None:
    try:
        return await asking
    except RPCError as error:
        logger.warning("could not ask how %s stands: %s", ref.workflow_id, error)
        return None
