"""Workers and Temporal."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from wippy_console import permissions
from wippy_console.forms.plain import KeyForm
from wippy_console.forms.refusals import submit
from wippy_console.services import fleet, quarantine, runs, temporal_server
from wippy_console.views.pages import done, needs, page
from wippy_console.views.typed import typed_in


@needs(permissions.VIEW_FLEET)
def show(request: HttpRequest) -> HttpResponse:
    """Each temporal.worker entry with the nodes that serve its task queue, and Temporal itself."""
    nodes = fleet.nodes_for(request.user)
    rows = [worker_row(entry, nodes) for entry in runs.workers(request.user, permissions.VIEW_FLEET)]
    quarantined = quarantine.visible(request.user)
    context = {
        "rows": rows,
        "nodes": nodes,
        "temporals": temporal_server.health_for(request.user),
        "quarantined": quarantined,
    }
    return page(request, "workers/list.html", context)


@needs(permissions.LIFT_QUARANTINE)
def lift(request: HttpRequest, quarantine_id: int) -> HttpResponse:
    """Confirm and lift a quarantine."""
    found = quarantine.get_for(request.user, quarantine_id)
    typed = typed_in(request)
    form = KeyForm(typed.data)
    outcome = typed.settle(submit(lambda: quarantine.lift(request.user, quarantine_id), form))
    if outcome.done:
        messages.success(request, f"{found.entry_id} may run on {found.host} again.")
        return done(request, reverse("workers"), "feed-fleet")
    return page(request, "workers/lift.html", {"quarantine": found, "form": form, "typed": typed}, outcome.status)


def worker_row(entry: Any, nodes: list[Any]) -> dict[str, Any]:
    """A worker entry and who serves it."""
    queue = entry.data.get("task_queue", "")
    return {"entry": entry, "queue": queue, "nodes": [node for node in nodes if queue in node.task_queues]}
