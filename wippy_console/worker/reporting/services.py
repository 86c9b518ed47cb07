"""The rows of a node's services, workers and clients: each change of state is written, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import partial

from django.db import transaction

from engine.hosts.actor.supervision.state import ServiceState
from wippy_console.database.storable import storable_text
from wippy_console.database.threads import in_thread_persistently
from wippy_console.models import Service
from wippy_console.services import feed


class ServiceReporter:
    """Queues what is to be written of one node's services; all on the loop."""

    def __init__(self, node_id: str) -> None:
        self._node_id = node_id
        self._writes: asyncio.Queue[Callable[[], None]] = asyncio.Queue()

    def on_state(self, state: ServiceState) -> None:
        """A service, worker or client changed."""
        self._writes.put_nowait(partial(write_state, self._node_id, state))

    def retain(self, ids: Collection[str]) -> None:
        """Drop the rows of all other services, once what was reported before is written."""
        self._writes.put_nowait(partial(drop_others, self._node_id, frozenset(ids)))

    async def run(self) -> None:
        """Write until cancelled; waits for a database that is down."""
        while True:
            write = await self._writes.get()
            try:
                await in_thread_persistently(write)
            finally:
                self._writes.task_done()

    async def flush(self) -> None:
        """Wait until `run` has written all."""
        await self._writes.join()


def write_state(node_id: str, state: ServiceState) -> None:
    """Write a service's row and its SERVICE event; a deleted service's row goes when it has stopped."""
    row = {
        "kind": state.kind,
        "state": state.state.lower(),
        "pid": state.pid,
        "restarts": state.restarts,
        "error": storable_text(state.error),
        "optional": state.optional,
        "since": _moment(state.since),
        "next_attempt": _moment(state.next_attempt) if state.next_attempt else None,
    }
    mine = Service.objects.filter(node_id=node_id, entry_id=state.entry_id)
    with transaction.atomic():
        before = mine.values_list("state", "error").first()
        Service.objects.update_or_create(node_id=node_id, entry_id=state.entry_id, defaults=row)
        if before != (row["state"], row["error"]):  # the tenth attempt that fails alike is no news
            data = {"state": row["state"], "restarts": state.restarts, "error": row["error"]}
            feed.append(feed.SERVICE, entry_id=state.entry_id, pid=state.pid, node=node_id, data=data)


def drop_others(node_id: str, keep: Collection[str]) -> None:
    """Remove the rows of services that the node does not have any more."""
    Service.objects.filter(node_id=node_id).exclude(entry_id__in=keep).delete()


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1e9, UTC)
