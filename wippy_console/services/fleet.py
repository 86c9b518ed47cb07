"""The fleet: nodes, their services, and Temporal's health."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client

from wippy_console.models import Node, Process, Service
from wippy_console.models.fleet import FRESH
from wippy_console.services import feed, temporal
from wippy_console.services.errors import Refused
from wippy_console.services.temporal_server import Unreachable, reach

SHOWN_AFTER_END = timedelta(hours=1)
KEPT_SECONDS = 2.0
PATIENCE_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Health:
    """Temporal as this process sees it. `message` says in words what is wrong, "" when nothing is."""

    ok: bool
    address: str
    version: str
    namespace: str
    message: str
    embedded: bool


def nodes() -> QuerySet[Node]:
    """Nodes that are alive or ended lately, newest first."""
    lately = timezone.now() - SHOWN_AFTER_END
    return Node.objects.filter(heartbeat_at__gt=lately).prefetch_related("services").order_by("-started_at")


def alive() -> QuerySet[Node]:
    """Nodes with a fresh heartbeat, oldest first."""
    fresh = timezone.now() - FRESH
    return Node.objects.filter(stopped_at=None, heartbeat_at__gt=fresh).order_by("started_at", "id")


def is_alive(node_id: str) -> bool:
    """Whether that node has a fresh heartbeat."""
    return alive().filter(id=node_id).exists()


def expire_killed(machine: str, is_running: Callable[[int], bool]) -> None:
    """Take the fresh heartbeat from the nodes of a machine whose process is gone: nobody need wait until it is old."""
    for node in alive().filter(machine=machine):
        if not is_running(node.os_pid):
            last = Node.objects.filter(id=node.id, heartbeat_at=node.heartbeat_at)
            last.update(heartbeat_at=node.heartbeat_at - FRESH)


def services() -> QuerySet[Service]:
    """The supervised services of live nodes, by entry."""
    of_live = Q(node__stopped_at=None, node__heartbeat_at__gt=timezone.now() - FRESH)
    return Service.objects.filter(of_live).select_related("node").order_by("entry_id", "node_id")


def service_runs(entry_id: str) -> bool:
    """Whether a service runs on some live node."""
    return services().filter(entry_id=entry_id, state="running").exists()


def leader() -> str:
    """The id of the oldest live node, which does what one node must do for all; "" when none lives."""
    return alive().values_list("id", flat=True).first() or ""


class _Probe:
    """Asks the server who it is; an answer serves for two seconds, so that no page waits in a queue for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._health: Health | None = None
        self._at = 0.0

    def health(self) -> Health:
        """A fresh enough answer."""
        with self._lock:
            if self._health is None or time.monotonic() - self._at > KEPT_SECONDS:
                self._health = self._ask()
                self._at = time.monotonic()
            return self._health

    def _ask(self) -> Health:
        try:
            version = temporal.run(self._version(), PATIENCE_SECONDS)
        except (Refused, Unreachable) as error:
            return _health(message=str(error))
        except Exception as error:
            return _health(message=f"Temporal does not answer: {error}")
        return _health(version=version)

    async def _version(self) -> str:
        if self._client is None:
            self._client = await reach(settings.TEMPORAL)
        answer = await self._client.workflow_service.get_system_info(GetSystemInfoRequest())
        return answer.server_version


def _health(version: str = "", message: str = "") -> Health:
    return Health(
        ok=not message,
        address=settings.TEMPORAL_ADDRESS,
        version=version,
        namespace=settings.TEMPORAL_NAMESPACE,
        message=message,
        embedded=settings.TEMPORAL.embedded,
    )


_probe = _Probe()


def temporal_health() -> Health:
    """Whether the Temporal of the settings answers; takes 1.5 seconds at most."""
    return _probe.health()


def announce_silent() -> bool:
    """Drop the processes of nodes that are gone, and write a NODE row for each that fell silent; whether one did."""
    Process.objects.exclude(node__in=alive()).delete()
    now = timezone.now()
    silent = Node.objects.filter(stopped_at=None, heartbeat_at__range=(now - SHOWN_AFTER_END, now - FRESH))
    lost = [node for node in silent if not feed.is_silence_told(node.id, since=node.heartbeat_at)]
    for node in lost:
        data = {"state": "silent", "hostname": node.hostname, "os_pid": node.os_pid}
        feed.append(feed.NODE, node=node.id, data=data)
    return bool(lost)
