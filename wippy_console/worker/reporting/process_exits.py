"""PROCESS_EXIT: how processes ended, written into the feed in portions.

Written are the ends that somebody may look for: failures, and processes with a name or that no other unit spawned
(services, and what people start). Of a storm of failures a hundred are written, and how many more there were.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from django.db import DatabaseError, InterfaceError

from engine.contracts.operations import ProcessInfo
from engine.durations import SECOND
from engine.errors import CANCELED
from engine.hosts.actor.failures import TERMINATED
from engine.pids import Pid
from engine.steps import Exited
from wippy_console.database.storable import preview
from wippy_console.database.threads import in_thread
from wippy_console.services import feed

logger = logging.getLogger(__name__)

PERIOD = 0.5
MOST = 100
WATCHERS = 50

End = tuple[ProcessInfo, Exited]


class ExitReporter:
    """Collects the ends of one node. What can't be written while the database is away is kept, up to a portion."""

    def __init__(self, node_id: str) -> None:
        self._node_id = node_id
        self._lock = threading.Lock()
        self._ends: list[End] = []
        self._more = 0

    def on_end(self, info: ProcessInfo, exited: Exited) -> None:
        """A process ended (`engine.hosts.actor.actor.OnProcessEnd`)."""
        if not is_reported(info, exited):
            return
        with self._lock:
            if len(self._ends) < MOST:
                self._ends.append((info, exited))
            else:
                self._more += 1

    async def run(self) -> None:
        """Write twice a second, until cancelled."""
        while True:
            await asyncio.sleep(PERIOD)
            await self.flush()

    async def flush(self) -> None:
        """Write what has ended."""
        with self._lock:
            ends, self._ends = self._ends, []
            more, self._more = self._more, 0
        if not ends:
            return
        try:
            await in_thread(partial(append, self._node_id, ends, more))
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the ends of %d processes could not be written, trying again: %s", len(ends), error)
            with self._lock:
                self._more += more + max(0, len(ends) + len(self._ends) - MOST)
                self._ends = [*ends, *self._ends][:MOST]


def is_reported(info: ProcessInfo, exited: Exited) -> bool:
    """Whether anybody may look for this end."""
    return exited.failure is not None or bool(info.names) or Pid.parse(info.parent) is None


def append(node_id: str, ends: Sequence[End], more: int) -> None:
    """Write the rows; the last one says how many are left out."""
    drafts = [
        feed.draft(
            feed.PROCESS_EXIT,
            entry_id=info.entry,
            pid=info.pid,
            node=node_id,
            at=datetime.fromtimestamp(exited.at / SECOND, UTC),
            data=event_data(info, exited),
        )
        for info, exited in ends
    ]
    if more:
        drafts.append(feed.draft(feed.PROCESS_EXIT, node=node_id, data={"status": "failed", "omitted": more}))
    feed.append_all(drafts)


def event_data(info: ProcessInfo, exited: Exited) -> dict[str, object]:
    """The data of one row."""
    return {
        "status": status_of(exited),
        "result": preview(exited.value),
        "failure": preview(exited.failure.to_json()) if exited.failure else None,
        "seconds": round((exited.at - info.started) / SECOND, 3),
        "names": list(info.names),
        "parent": info.parent,
        "watchers": list(info.watchers[:WATCHERS]),
    }


def status_of(exited: Exited) -> str:
    """How it went, in the words of runs."""
    if exited.failure is None:
        return "completed"
    if exited.failure == TERMINATED:
        return "terminated"
    return "canceled" if exited.failure.kind == CANCELED else "failed"
