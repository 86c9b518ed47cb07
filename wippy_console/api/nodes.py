"""Nodes: the worker processes of the fleet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from wippy_console import permissions
from wippy_console.models import Node
from wippy_console.services import fleet

router = Router()


class HostOut(Schema):
    """A host of processes on a node; limits are 0 where there is none, memory is in bytes."""

    id: str
    running: int = 0
    waiting: int = 0
    refused_units: int = 0
    refused_messages: int = 0
    memory: int = 0
    max_processes: int = 0
    queue_size: int = 0
    max_memory: int = 0


class NodeOut(Schema):
    """A worker process; `state` is alive, silent (it died, or can't reach the database) or stopped."""

    id: str
    state: str
    hostname: str
    os_pid: int
    version: str
    started_at: datetime
    heartbeat_at: datetime
    stopped_at: datetime | None
    task_queues: list[str]
    hosts: list[HostOut]
    units: int


class Nodes(Schema):
    """All of them: there are not many."""

    items: list[NodeOut]


@router.get("", response=Nodes, summary="List nodes")
def index(request: HttpRequest) -> Any:
    """The nodes that are alive or ended within the last hour, newest first, with what you may see of their hosts."""
    permissions.require(request.user, permissions.VIEW_FLEET)
    return {"items": [out(node) for node in fleet.nodes_for(request.user)]}


def out(node: Node) -> dict[str, Any]:
    """A node as lists have it."""
    same = ("id", "state", "hostname", "os_pid", "version", "started_at", "heartbeat_at", "stopped_at", "units")
    return {
        **{name: getattr(node, name) for name in same},
        "task_queues": sorted(node.task_queues),
        "hosts": sorted(node.hosts, key=lambda host: str(host["id"])),
    }
