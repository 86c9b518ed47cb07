"""Workers and Temporal: queues with who polls them, nodes, builds, and what is quarantined."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from engine.entry import namespace_of
from wippy_console import permissions
from wippy_console.forms.plain import KeyForm
from wippy_console.forms.refusals import submit
from wippy_console.forms.workers import PromoteForm
from wippy_console.services import deployments, fleet, quarantine, task_queues, temporal_server
from wippy_console.services.deployments import Deployment
from wippy_console.views.pages import done, needs, page
from wippy_console.views.typed import typed_in

LONGEST = 500


@needs(permissions.VIEW_FLEET)
def show(request: HttpRequest) -> HttpResponse:
    """Temporal, each queue with who polls it and what waits, the nodes, and the builds of versioned workers.

    What Temporal says is asked within seconds; where it says nothing the page says why, and shows the rest.
    """
    user, nodes = request.user, fleet.nodes_for(request.user)
    temporal_server.begin()
    asked = deployments.asked(user)
    queues = task_queues.listed(user, nodes)  # all three are under way now
    builds, known = task_queues.builds(queues), asked()
    context = {
        "queues": queues,
        "several": len({queue.client for queue in queues}) > 1,
        "nodes": [(node, builds.get(node.id, "")) for node in nodes],
        "known": [(each, may_promote(user, each)) for each in known.deployments],
        "unknown": known.errors,
        "temporals": temporal_server.health_for(user),
        "quarantined": quarantine.visible(user),
    }
    return page(request, "workers/list.html", context)


def may_promote(user: Any, found: Deployment) -> bool:
    """Whether the user may make another of its builds current."""
    namespaces = [namespace_of(worker) for worker in found.workers] or [""]
    return any(permissions.allows(user, permissions.PROMOTE_BUILD, namespace) for namespace in namespaces)


@needs(permissions.PROMOTE_BUILD)
def promote(request: HttpRequest) -> HttpResponse:
    """Confirm with what is current now, and make the build of the address current instead."""
    client, deployment, build = (request.GET.get(name, "")[:LONGEST] for name in ("client", "deployment", "build"))
    found = deployments.get(request.user, client, deployment)
    typed = typed_in(request)
    form = PromoteForm(typed.data, initial={"instead": found.current})
    outcome = typed.settle(submit(lambda: _promoted(request, form, found, build), form))
    if outcome.done:
        messages.success(request, f"Build {build} of {deployment} is current now.")
        return done(request, reverse("workers"), "feed-fleet")
    chosen = next((each for each in found.builds if each.id == build), None)
    context = {"deployment": found, "build": build, "chosen": chosen, "form": form, "typed": typed}
    return page(request, "workers/promote.html", context, outcome.status)


def _promoted(request: HttpRequest, form: PromoteForm, found: Deployment, build: str) -> None:
    deployments.promote(request.user, found.client, found.name, build, instead=form.cleaned_data["instead"])


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
