"""Temporal's visibility: lists of executions, asked in its query language."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from temporalio.client import Client, WorkflowExecution

from engine.contracts.catalog import Catalog
from engine.hosts.temporal.settings import reference, task_queue
from wippy_console.services.projection import Ref

PAGE = 500


def queues_of(catalog: Catalog, client_id: str) -> list[str]:
    """The task queues of the temporal.worker entries that use the client; others in its namespace are not ours."""
    client = catalog.entry(client_id)
    workers = [entry for entry in catalog.entries("temporal.worker") if reference(entry, "client") == client_id]
    return sorted({queue for worker in workers if (queue := task_queue(worker, client))})


def clients_in_use(catalog: Catalog) -> list[str]:
    """The temporal.client entries that workers use."""
    return sorted({name for entry in catalog.entries("temporal.worker") if (name := reference(entry, "client"))})


def on_queues(queues: list[str]) -> str:
    """The condition that an execution is on one of the queues."""
    return f"TaskQueue IN ({', '.join(quoted(queue) for queue in queues)})"


def on_others(queues: list[str]) -> str:
    """The condition that an execution is on none of the queues."""
    return f"TaskQueue NOT IN ({', '.join(quoted(queue) for queue in queues)})"


def since(field: str, moment: datetime) -> str:
    """The condition that a time is not before the moment."""
    return f"{field} >= {quoted(moment.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%fZ'))}"


def quoted(text: str) -> str:
    """A string of the query language. (SQLite's visibility finds no name with a backslash or a double quote.)"""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


async def pages(client: Client, *conditions: str) -> AsyncIterator[list[WorkflowExecution]]:
    """The executions that meet all conditions, page by page."""
    found = client.list_workflows(" AND ".join(conditions), page_size=PAGE)
    while True:
        await found.fetch_next_page(page_size=PAGE)
        if found.current_page:
            yield list(found.current_page)
        if not found.next_page_token:
            return


async def first_page(client: Client, *conditions: str, size: int) -> list[WorkflowExecution]:
    """A few of the executions that meet all conditions."""
    found = client.list_workflows(" AND ".join(conditions), page_size=size, limit=size)
    return [execution async for execution in found]


def ref_of(client_id: str, execution: WorkflowExecution) -> Ref:
    """The name of an execution."""
    return Ref(client_id, execution.id, execution.run_id)
