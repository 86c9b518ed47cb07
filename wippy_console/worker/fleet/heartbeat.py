"""A node's rows: its heartbeat, and the states of its services."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial

from django.db import DatabaseError, InterfaceError, transaction
from django.utils import timezone

from engine.contracts.operations import HostInfo
from engine.hosts.actor.service_state import ServiceState
from wippy_console.database.storable import storable_text
from wippy_console.database.threads import in_thread
from wippy_console.models import Node, Process, Service
from wippy_console.services import feed, fleet
from wippy_console.worker.fleet.machine import machine_id

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 3.0
# Without a heartbeat for so long a node must expect to be taken for dead soon (`models.fleet.FRESH`).
LAPSE_SECONDS = 9.0
RETRY_SECONDS = 1.0


def new_node_id() -> str:
    """`<host name>-<process id>-<random>`; short host names, since it ends up in task queues."""
    return f"{socket.gethostname().split('.')[0][:40]}-{os.getpid()}-{secrets.token_hex(3)}"


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a heartbeat tells: how many units run, which task queues are served, and how the actor hosts stand."""

    units: int
    task_queues: tuple[str, ...]
    hosts: tuple[HostInfo, ...]


class Presence:
    """Keeps the rows of one node. A database that is down costs heartbeats, never the node.

    `returned` is called on the loop after a heartbeat that came so late that others took the node for dead.
    """

    def __init__(self, node_id: str, pulse: Callable[[], Pulse], returned: Callable[[], None]) -> None:
        self._node_id = node_id
        self._pulse = pulse
        self._returned = returned
        self._started_at = timezone.now()
        self._writes: asyncio.Queue[Callable[[], None]] = asyncio.Queue()
        self._beat_now = asyncio.Event()
        self._last_beat = time.monotonic()

    @property
    def lapsed(self) -> bool:
        """Whether other nodes may soon take this one for dead."""
        return time.monotonic() - self._last_beat > LAPSE_SECONDS

    def on_state(self, state: ServiceState) -> None:
        """A service, worker or client changed; on the loop."""
        self._writes.put_nowait(partial(write_state, self._node_id, state))

    def keep_services(self, ids: Collection[str]) -> None:
        """Drop the rows of all other services, once what was reported before is written; on the loop."""
        self._writes.put_nowait(partial(drop_services, self._node_id, frozenset(ids)))

    def beat_soon(self) -> None:
        """Something changed that others should see before the next heartbeat is due; on the loop."""
        self._beat_now.set()

    async def arrive(self) -> None:
        """Write the first heartbeat; waits for a database that is down."""
        await _persistently(partial(announce, self._node_id, "alive", self._row()))

    async def keep(self) -> None:
        """Beat until cancelled."""
        while True:
            self._beat_now.clear()
            began = time.monotonic()
            try:
                was_alive = await in_thread(partial(beat, self._node_id, self._row()))
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

    async def write_states(self) -> None:
        """Write service states in order, until cancelled."""
        while True:
            write = await self._writes.get()
            try:
                await _persistently(write)
            finally:
                self._writes.task_done()

    async def leave(self) -> None:
        """Wait until `write_states` is through, then write that the node has stopped; waits for a database as well."""
        await self._writes.join()
        row = {**self._row(), "units": 0, "stopped_at": timezone.now()}
        try:
            await in_thread(partial(announce, self._node_id, "stopped", row))
        except (DatabaseError, InterfaceError) as error:
            logger.warning("could not write that the node has stopped: %s", error)

    def _row(self) -> dict[str, object]:
        pulse = self._pulse()
        return {
            "hostname": socket.gethostname(),
            "machine": machine_id(),
            "os_pid": os.getpid(),
            "started_at": self._started_at,
            "heartbeat_at": timezone.now(),
            "stopped_at": None,
            "task_queues": list(pulse.task_queues),
            "units": pulse.units,
            "hosts": [asdict(host) for host in pulse.hosts],
        }


def beat(node_id: str, row: dict[str, object]) -> bool:
    """Write the node's row; whether it was alive until now."""
    was_alive = fleet.is_alive(node_id)
    Node.objects.update_or_create(id=node_id, defaults=row)
    return was_alive


def announce(node_id: str, state: str, row: dict[str, object]) -> None:
    """Write the node's row, and that it came or left, its processes with it."""
    with transaction.atomic():
        beat(node_id, row)
        Process.objects.filter(node_id=node_id).delete()
        data = {"state": state, "hostname": row["hostname"], "os_pid": row["os_pid"]}
        feed.append(feed.NODE, node=node_id, data=data)


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


def drop_services(node_id: str, keep: Collection[str]) -> None:
    """Remove the rows of services that the node does not have any more."""
    Service.objects.filter(node_id=node_id).exclude(entry_id__in=keep).delete()


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1e9, UTC)


async def _persistently(write: Callable[[], None]) -> None:
    """Write, and try again as long as the database does not answer."""
    while True:
        try:
            await in_thread(write)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the database does not answer, trying again: %s", error)
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return
