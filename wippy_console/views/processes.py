"""Nodes, hosts, services and processes: the page, and one process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from engine.entry import namespace_of
from engine.pids import Pid
from wippy_console import permissions
from wippy_console.forms.processes import FindForm
from wippy_console.services import fleet, processes, runs
from wippy_console.services.errors import NotFoundError
from wippy_console.services.processes import Detail
from wippy_console.views.pages import filters, is_partial, needs, page

FILTERS = (("text", "q"), ("node", "node"), ("host", "host"), ("under", "under"))
TICKS = (("full", "full"), ("doing", "doing"), ("has_ended", "ended"))


@needs(permissions.VIEW_FLEET)
def index(request: HttpRequest) -> HttpResponse:
    """Nodes, hosts, services, and the processes that match the filters in the address."""
    form = FindForm(request.GET)
    wanted = filters(form)
    nodes = fleet.nodes_for(request.user)
    context = {
        "found": search(request.user, wanted),
        "wanted": wanted,
        "nodes": nodes,
        "alive": alive(nodes),
        "several": len(alive(nodes)) > 1,
        "hosts": processes.hosts(nodes),
        "filtered": any(value for name, value in wanted.items() if name not in ("page", "ended")),
        "dropped": sum(node.ends_dropped for node in nodes),
    }
    if not is_partial(request):
        context |= fleet_context(request, nodes)
    return page(request, "processes/list.html", context)


@needs(permissions.VIEW_FLEET)
def show_fleet(request: HttpRequest) -> HttpResponse:
    """The part of the page above the processes: nodes, hosts and services."""
    return render(request, "processes/_fleet.html", fleet_context(request, fleet.nodes_for(request.user)))


def fleet_context(request: HttpRequest, nodes: list[Any]) -> dict[str, Any]:
    """Nodes, hosts and services, and what the user may do to them."""
    services = list(processes.services(request.user))
    return {
        "nodes": nodes,
        "several": len(alive(nodes)) > 1,
        "host_rows": [(node, host) for node in alive(nodes) for host in node.hosts],
        "services": services,
        "troubled": [each for each in services if each.is_trouble and not each.next_attempt],
        "may_start": permissions.allows(request.user, permissions.START_RUN),
        "may_stop": permissions.allows(request.user, permissions.CANCEL_RUN),
    }


def alive(nodes: list[Any]) -> list[Any]:
    """The nodes that are alive."""
    return [node for node in nodes if node.is_alive]


def search(user: Any, wanted: Mapping[str, Any]) -> processes.Found:
    """The page of processes that the filters ask for."""
    text = {name: str(wanted.get(field) or "") for name, field in FILTERS}
    ticked = {name: bool(wanted.get(field)) for name, field in TICKS}
    return processes.search(user, page=wanted.get("page") or 1, **ticked, **text)  # type: ignore[arg-type]


@needs(permissions.VIEW_FLEET)
def show(request: HttpRequest, pid: str) -> HttpResponse:
    """One process as it is now; a refresh of the page is content with what was written last."""
    if (parsed := Pid.parse(pid)) and runs.is_run(parsed):
        run = runs.by_pid(request.user, pid)
        return redirect("run", run.workflow_id, run.run_id)
    partial = is_partial(request)
    try:
        detail = processes.describe(request.user, pid, now=not partial, also_ended=True)
    except NotFoundError as error:
        if not partial:
            raise
        return render(request, "processes/_gone.html", {"pid": pid, "message": error.message})
    return page(request, "processes/process.html", {"pid": pid, "detail": detail, **allowed(request, detail)})


def allowed(request: HttpRequest, detail: Detail) -> dict[str, bool]:
    """What the user may do to the process; nothing, when it has ended."""
    if detail.process.ended_at is not None:
        return {}
    namespace = namespace_of(detail.process.entry_id)
    return {
        "may_message": permissions.allows(request.user, permissions.SIGNAL_RUN, namespace),
        "may_cancel": permissions.allows(request.user, permissions.CANCEL_RUN, namespace),
        "may_terminate": permissions.allows(request.user, permissions.TERMINATE_RUN, namespace),
    }
