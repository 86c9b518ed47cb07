"""EXIT for watchers on this node: follows the feed, where every node writes how runs ended.

The feed knows the runs on the queues of the registry's workers. A watched run elsewhere (a queue that a Python
worker serves) is asked after, and one that Temporal has forgotten is looked up among our rows.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from temporalio.service import RPCError

from engine.errors import INTERNAL, Failure
from engine.hosts.temporal.client.closings import Closed, fetch_closing
from engine.hosts.temporal.client.host import WorkflowHost
from engine.pids import Pid
from wippy_console.database.changes import stamp
from wippy_console.database.threads import in_thread
from wippy_console.models import Run
from wippy_console.services import feed, runs

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.1
PAUSE_AFTER_ERROR = 1.0
SWEEP_AFTER = 5.0
ASK_SECONDS = 2.0


class RunExits:
    """A thread that reads; what it finds is delivered on the loop. What fails is repaired by sweeping the watches."""

    def __init__(self, hosts: Callable[[], Sequence[WorkflowHost]]) -> None:
        self._hosts = hosts
        self._loop = asyncio.get_running_loop()
        self._stopping = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeping: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._follow, name="exits", daemon=True)

    def start(self) -> None:
        """Begin at the newest row: watches on runs that have ended fire by themselves."""
        self._thread.start()
        self._asking = asyncio.create_task(self._ask(), name="ask after watched runs")

    def stop(self) -> None:
        """End the thread; on the loop."""
        self._stopping.set()
        if self._asking is not None:
            self._asking.cancel()
        self._thread.join(1)

    # -- the thread --------------------------------------------------------------------------------

    def _follow(self) -> None:
        cursor: int | None = None
        seen: object = None
        while not self._stopping.wait(POLL_SECONDS):
            try:
                now = stamp()
                if cursor is None:
                    cursor = feed.head()
                    self._post(self._sweep_soon)  # what ended while the head was not known yet
                elif now != seen:
                    cursor = self._read(cursor)
                seen = now
            except (DatabaseError, InterfaceError) as error:
                logger.warning("the feed can't be read, trying again: %s", error)
                connection.close()
                self._post(self._sweep_soon)
                self._stopping.wait(PAUSE_AFTER_ERROR)
        connection.close()

    def _read(self, cursor: int) -> int:
        """Deliver the EXITs after the cursor; returns the new one."""
        head = feed.head()
        rows = feed.between(cursor, head, kinds=[feed.EXIT])
        for pid, workflow_id, run_id in rows.values_list("pid", "workflow_id", "run_id").iterator():
            self._post(self._notify, pid, workflow_id, run_id)
        return max(cursor, head)

    def _post(self, function: Callable[..., None], *args: str) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *args)

    # -- on the loop -------------------------------------------------------------------------------

    def _notify(self, pid: str, workflow_id: str, run_id: str) -> None:
        parsed = Pid.parse(pid)
        for host in self._hosts():
            if parsed and host.settings.client == parsed.node and host.is_watched(workflow_id):
                task = asyncio.create_task(self._deliver(host, workflow_id, run_id))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _deliver(self, host: WorkflowHost, workflow_id: str, run_id: str) -> None:
        """Watchers get the whole result, of which the feed has a preview only."""
        try:
            closed = await fetch_closing(host.client, workflow_id, run_id)
        except RPCError as error:
            logger.warning("could not fetch how %s ended, trying again: %s", workflow_id, error)
            self._sweep_soon()
            return
        if closed is not None:
            host.closed(closed)

    def _sweep_soon(self) -> None:
        if self._sweeping is None or self._sweeping.done():
            self._sweeping = asyncio.create_task(self._sweep())

    async def _ask(self) -> None:
        """Ask after the runs whose ends nobody writes into the feed, one after the other."""
        while True:
            await asyncio.sleep(ASK_SECONDS)
            for host in self._hosts():
                await host.sweep_unreported()

    async def _sweep(self) -> None:
        await asyncio.sleep(SWEEP_AFTER)
        for host in self._hosts():
            await host.sweep()


def recorded_ends(client_id: str) -> Callable[[str], Awaitable[Closed | None]]:
    """How the latest run of a workflow id ended, as our rows say: Temporal may have forgotten it."""

    async def find(workflow_id: str) -> Closed | None:
        return await in_thread(partial(ended_run, client_id, workflow_id))

    return find


def ended_run(client_id: str, workflow_id: str) -> Closed | None:
    """The end of the latest run of that id; None while it is open, and when there is none. Large values are cut."""
    run = runs.newest_of(Run.objects.filter(client=client_id, workflow_id=workflow_id))
    if run is None or run.closed_at is None or run.status == Run.Status.CONTINUED_AS_NEW:
        return None
    return Closed(workflow_id, run.run_id, run.status, run.closed_at, run.result, _failure(run.failure))


def _failure(stored: dict[str, Any] | None) -> Failure | None:
    if not stored:
        return None
    return Failure.from_json(stored) if "kind" in stored else Failure(INTERNAL, stored["preview"], retryable=False)
