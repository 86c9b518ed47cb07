"""Make the rows of runs again from Temporal: after they were lost, or when they are in doubt."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError

from engine.contracts.catalog import Catalog
from wippy_console.database.threads import in_thread
from wippy_console.models import AuditRow, FeedEvent, Run
from wippy_console.services.projection import Began, Clients, Ended, Fact, Ref, fetch_state, fetch_told, write
from wippy_console.services.reconciler.troubles import diagnose
from wippy_console.services.visibility import clients_in_use, on_others, on_queues, pages, queues_of, ref_of

T = TypeVar("T")

logger = logging.getLogger(__name__)


async def rebuild(catalog: Catalog, clients: Clients) -> int:
    """Write every execution on the queues of our workers, and those of ours elsewhere; returns how many.

    Nothing is deleted.
    """
    count = 0
    for client_id in clients_in_use(catalog):
        client, queues = await clients.client(client_id), queues_of(catalog, client_id)
        async for page in pages(client, on_queues(queues)):
            for execution in page:
                facts = await _facts(catalog, client, ref_of(client_id, execution))
                await in_thread(partial(write, catalog, facts))
            count += len(page)
        async for page in pages(client, on_others(queues)):
            ours = await in_thread(partial(started_by_us, page))
            for execution in ours:
                facts = await _facts(catalog, client, ref_of(client_id, execution), asks=False)
                await in_thread(partial(_write_elsewhere, catalog, execution, facts))
            count += len(ours)
    return count


def started_by_us(page: list[WorkflowExecution]) -> list[WorkflowExecution]:
    """Those executions on others' queues that are runs of ours: the feed, the audit or a row knows them, or whose child
    they are. Other installations in the namespace may have the same entries, programs and names of users.
    """
    names = {name for execution in page for name in _family(execution)}
    known = set(Run.objects.filter(run_id__in=names).values_list("run_id", flat=True))
    known |= set(FeedEvent.objects.filter(run_id__in=names).values_list("run_id", flat=True))
    known |= set(AuditRow.objects.filter(run_id__in=names).values_list("run_id", flat=True))
    return [execution for execution in page if known & set(_family(execution))]


def _family(execution: WorkflowExecution) -> list[str]:
    """The run's id, and those of its parent and of the root of both."""
    return [name for name in (execution.run_id, execution.parent_run_id, execution.root_run_id) if name]


def _write_elsewhere(catalog: Catalog, execution: WorkflowExecution, facts: list[Fact]) -> None:
    """Write a run on a queue that does not tell its worker: what its start does not tell is as with its parent."""
    rows = Run.objects.filter(run_id__in=_family(execution)).exclude(worker="")
    workers = dict(rows.values_list("run_id", "worker"))
    worker = next((workers[name] for name in _family(execution) if name in workers), "")
    write(catalog, [_placed(fact, worker) for fact in facts])


def _placed(fact: Fact, worker: str) -> Fact:
    match fact:
        case Began(worker=""):
            return replace(fact, worker=worker)
        case Ended(began=Began(worker="") as began):
            return replace(fact, began=replace(began, worker=worker))
    return fact


async def _facts(catalog: Catalog, client: Client, ref: Ref, *, asks: bool = True) -> list[Fact]:
    """All that Temporal knows of one run; where an open one waits only a worker of ours can say, if it `asks`."""
    told = await fetch_told(catalog, client, ref)
    if isinstance(told, Ended):
        return [told]
    seen = await _asked(ref, fetch_state(client, told, -1)) if asks else None
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
