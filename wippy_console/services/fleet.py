"""The fleet: its nodes and their services, as their rows say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import Prefetch, Q, QuerySet, prefetch_related_objects
from django.utils import timezone

from engine.entry import namespace_of
from wippy_console import permissions
from wippy_console.models import Node, Process, Service
from wippy_console.models.fleet import FRESH, KEPT_FOR
from wippy_console.services import by_kind, feed, grants

SHOWN_AFTER_END = timedelta(hours=1)


def nodes() -> QuerySet[Node]:
    """Nodes that are alive or ended lately, newest first."""
    return _lately().prefetch_related("services")


def nodes_for(user: Any) -> list[Node]:
    """The same nodes, with the hosts and services of the entries that the user may see."""
    scope = permissions.scope(user, permissions.VIEW_FLEET)
    found = list(nodes() if scope.everywhere else _lately())
    if not scope.everywhere:
        queues = set(by_kind.queues_for(user, permissions.VIEW_FLEET).values())
        for node in found:
            node.task_queues = [each for each in node.task_queues if each in queues]
            node.hosts = [each for each in node.hosts if scope.covers(namespace_of(str(each.get("id", ""))))]
        services = grants.narrowed(Service.objects.all(), user, permissions.VIEW_FLEET, entry="entry_id")
        prefetch_related_objects(found, Prefetch("services", services))
    return found


def _lately() -> QuerySet[Node]:
    lately = timezone.now() - SHOWN_AFTER_END
    return Node.objects.filter(heartbeat_at__gt=lately).order_by("-started_at")


def alive() -> QuerySet[Node]:
    """Nodes with a fresh heartbeat, oldest first."""
    fresh = timezone.now() - FRESH
    return Node.objects.filter(stopped_at=None, heartbeat_at__gt=fresh).order_by("started_at", "id")


def queues() -> set[str]:
    """The task queues that live nodes serve."""
    return {queue for served in alive().values_list("task_queues", flat=True) for queue in served}


def is_alive(node_id: str) -> bool:
    """Whether that node has a fresh heartbeat."""
    return alive().filter(id=node_id).exists()


def expire_killed(machine: str, is_running: Callable[[int], bool]) -> None:
    """Take the fresh heartbeat from the nodes of a machine whose process is gone: nobody need wait until it is old."""
    for node in alive().filter(machine=machine):
        if not is_running(node.os_pid):
            last = Node.objects.filter(id=node.id, heartbeat_at=node.heartbeat_at)
            last.update(heartbeat_at=node.heartbeat_at - FRESH)


def expire_replaced(machine: str, os_pid: int) -> None:
    """Take the fresh heartbeat from the node whose guardian is that process: it was killed, another comes."""
    for node in alive().filter(machine=machine, os_pid=os_pid):
        Node.objects.filter(id=node.id).update(heartbeat_at=node.heartbeat_at - FRESH)


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


def announce_silent() -> bool:
    """Drop what ran on nodes that are gone and what ended long ago, and write a NODE row for each that fell silent.

    Whether one did.
    """
    now = timezone.now()
    Process.objects.exclude(node__in=alive()).filter(ended_at=None).delete()
    Process.objects.filter(ended_at__lt=now - KEPT_FOR).delete()
    silent = Node.objects.filter(stopped_at=None, heartbeat_at__range=(now - SHOWN_AFTER_END, now - FRESH))
    lost = [node for node in silent if not feed.is_silence_announced(node.id, since=node.heartbeat_at)]
    for node in lost:
        data = {"state": "silent", "hostname": node.hostname, "os_pid": node.os_pid}
        feed.append(feed.NODE, node=node.id, data=data)
    return bool(lost)
