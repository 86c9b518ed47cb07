"""Make the rows of runs again from Temporal: after they were lost, or when they are in doubt."""

from __future__ import annotations

import logging
from functools import partial

from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError

from engine.contracts.catalog import Catalog
from wippy_console.database.threads import in_thread
from wippy_console.services.projection import Clients, Fact, fetch_beginning, fetch_ending, fetch_state, write
from wippy_console.services.reconciler.visibility import clients_in_use, on_queues, pages, queues_of, ref_of

logger = logging.getLogger(__name__)


async def rebuild(catalog: Catalog, clients: Clients) -> int:
    """Write every execution on the queues of our workers; returns how many. Nothing is deleted."""
    count = 0
    for client_id in clients_in_use(catalog):
        client = await clients.client(client_id)
        async for page in pages(client, on_queues(queues_of(catalog, client_id))):
            for execution in page:
                fact = await _fact(catalog, client, client_id, execution)
                await in_thread(partial(write, catalog, [fact]))
            count += len(page)
    return count


async def _fact(catalog: Catalog, client: Client, client_id: str, execution: WorkflowExecution) -> Fact:
    """All that Temporal knows of one run; where an open one waits only a worker can say."""
    ref = ref_of(client_id, execution)
    ended = await fetch_ending(catalog, client, ref)
    if ended is not None:
        return ended
    began = await fetch_beginning(catalog, client, ref)
    try:
        return await fetch_state(client, began, -1) or began
    except RPCError as error:
        logger.warning("could not ask %s where it waits: %s", ref.workflow_id, error)
        return began
