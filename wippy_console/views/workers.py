"""Workers and Temporal."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from wippy_console import permissions
from wippy_console.services import fleet, runs, temporal_server
from wippy_console.views.pages import needs, page


@needs(permissions.VIEW_FLEET)
def show(request: HttpRequest) -> HttpResponse:
    """Each temporal.worker entry with the nodes that serve its task queue, and Temporal itself."""
    nodes = list(fleet.nodes())
    rows = [worker_row(entry, nodes) for entry in runs.workers()]
    context = {"rows": rows, "nodes": nodes, "temporal": temporal_server.health()}
    return page(request, "workers/list.html", context)


def worker_row(entry: Any, nodes: list[Any]) -> dict[str, Any]:
    """A worker entry and who serves it."""
    queue = entry.data.get("task_queue", "")
    return {"entry": entry, "queue": queue, "nodes": [node for node in nodes if queue in node.task_queues]}
