"""A node's row: the heartbeat by which all others know that it lives."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

from django.db import DatabaseError, InterfaceError, transaction
from django.utils import timezone

from engine.contracts.operations import HostInfo
from wippy_console.database.threads import in_thread, in_thread_persistently
from wippy_console.models import Node, Process
from wippy_console.services import feed, fleet, python_functions
from wippy_console.worker.fleet.machine import machine_id, product_version

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 3.0
# Without a heartbeat for so long a node must expect to be taken for dead soon (`models.fleet.FRESH`).
LAPSE_SECONDS = 9.0


def new_node_id() -> str:
    """`<host name>-<process id>-<random>`; short host names, since it ends up in task queues."""
    return f"{socket.gethostname().split('.')[0][:40]}-{os.getpid()}-{secrets.token_hex(3)}"


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """What a heartbeat tells: how many units run, which task queues are served, and how the actor hosts stand."""

    units: int
    task_queues: tuple[str, ...]
    hosts: tuple[HostInfo, ...]
    ends_dropped: int = 0


class Heartbeat:
    """Keeps the row of one node fresh. A database that is down costs heartbeats, never the node.

    `returned` is called on the loop after a heartbeat that came so late that others took the node for dead.
    """

    def __init__(self, node_id: str, status: Callable[[], NodeStatus], returned: Callable[[], None]) -> None:
        self._node_id = node_id
        self._status = status
        self._returned = returned
        self._started_at = timezone.now()
        self._beat_now = asyncio.Event()
        self._last_beat = time.monotonic()
        self._beating: asyncio.Future[bool] | None = None

    @property
    def lapsed(self) -> bool:
        """Whether other nodes may soon take this one for dead."""
        return time.monotonic() - self._last_beat > LAPSE_SECONDS

    def beat_soon(self) -> None:
        """Something changed that others should see before the next heartbeat is due; on the loop."""
        self._beat_now.set()

    async def arrive(self) -> None:
        """Write the first heartbeat; waits for a database that is down."""
        await in_thread_persistently(partial(announce, self._node_id, "alive", self._row()))

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            self._beat_now.clear()
            began = time.monotonic()
            try:
                self._beating = asyncio.ensure_future(in_thread(partial(beat, self._node_id, self._row())))
                was_alive = await asyncio.shield(self._beating)
                self._last_beat = began
                if not was_alive:
                    logger.warning("this node was taken for dead: its heartbeat was late")
                    self._returned()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("the heartbeat could not be written: %s", error)
            try:
                await asyncio.wait_for(self._beat_now.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                continue

    async def leave(self) -> None:
        """Write that the node has stopped, after a heartbeat that is still on its way: it would say the opposite."""
        if self._beating is not None:
            await asyncio.gather(self._beating, return_exceptions=True)
        row = {**self._row(), "units": 0, "stopped_at": timezone.now()}
        try:
            await in_thread(partial(announce, self._node_id, "stopped", row))
        except (DatabaseError, InterfaceError) as error:
            logger.warning("could not write that the node has stopped: %s", error)

    def _row(self) -> dict[str, object]:
        status = self._status()
        return {
            "hostname": socket.gethostname(),
            "version": product_version(),
            "machine": machine_id(),
            "os_pid": os.getppid(),  # its guardian's, which is what one starts, signals and kills
            "started_at": self._started_at,
            "heartbeat_at": timezone.now(),
            "stopped_at": None,
            "task_queues": list(status.task_queues),
            "units": status.units,
            "hosts": [asdict(host) for host in status.hosts],
            "functions": {each.entry.id: each.digest for each in python_functions.declared()},
            "ends_dropped": status.ends_dropped,
        }


def beat(node_id: str, row: dict[str, object]) -> bool:
    """Write the node's row; whether it was alive until now."""
    was_alive = fleet.is_alive(node_id)
    Node.objects.update_or_create(id=node_id, defaults=row)
    return was_alive


def announce(node_id: str, state: str, row: dict[str, object]) -> None:
    """Write the node's row, and that it came or left, what still ran on it with it."""
    with transaction.atomic():
        beat(node_id, row)
        Process.objects.filter(node_id=node_id, ended_at=None).delete()
        data = {"state": state, "hostname": row["hostname"], "os_pid": row["os_pid"]}
        feed.append(feed.NODE, node=node_id, data=data)
