"""The home page: what needs attention now."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from wippy_console import permissions
from wippy_console.services import (
    attention,
    by_kind,
    drift,
    fleet,
    outgoing,
    processes,
    quarantine,
    questions,
    runs,
    temporal_server,
)
from wippy_console.views.asked import shown
from wippy_console.views.pages import marked, needs, page

FEW, FEWER, CHANGES = 4, 3, 11
"""Rows that fit into one screen, whatever happens."""


def show(request: HttpRequest) -> HttpResponse:
    """What waits for me, what fails, what is stuck and why, what changed; within one screen."""
    user = request.user
    allowed = permissions.allows(user, permissions.VIEW_FEED)
    failing = marked(attention.failing(user, FEW))
    outside = attention.outside(user, FEWER - 1)
    context = {
        "questions": asked(user),
        "failing": failing,
        "again": bool(outside) or any(run.retrying for run in failing),  # no event tells of each attempt
        "stuck": marked(attention.stuck(user, FEWER - len(outside))),
        "outside": outside,
        "open_runs": attention.open_runs(user),
        "upcoming": attention.upcoming(user),
        "changes": attention.changed(user, CHANGES) if allowed else [],
        "stranger": not allowed,
        "sees_fleet": permissions.allows(user, permissions.VIEW_FLEET),
    }
    if context["sees_fleet"]:
        context |= fleet_health(user) | {"temporals": temporal_server.known(user)}
    return page(request, "home/home.html", context)


def asked(user: Any) -> list[Any]:
    """The first questions of the inbox."""
    allowed = permissions.allows(user, permissions.VIEW_QUESTION)
    return shown(questions.listed(user).prefetch_related("votes")[:FEW], user) if allowed else []


@needs(permissions.VIEW_FLEET)
def health(request: HttpRequest) -> HttpResponse:
    """The health of Temporal and the nodes in a line; fetched apart, since Temporal may be slow to answer."""
    found = fleet_health(request.user) | {"temporals": temporal_server.health_for(request.user)}
    found |= {
        "search": runs.search_problem(),
        "drifts": drift.of_all(request.user),
        "unsent": outgoing.unsent(request.user),
    }
    return render(request, "home/_health.html", found)


def fleet_health(user: Any) -> dict[str, Any]:
    """Nodes, queues and services as their rows say."""
    nodes = [node for node in fleet.nodes_for(user) if node.is_alive]
    served = fleet.queues()
    wanted = set(by_kind.queues_for(user, permissions.VIEW_FLEET).values())
    return {
        "nodes": nodes,
        "units": sum(node.units for node in nodes),
        "queues": wanted & served,
        "unserved": sorted(wanted - served),
        "quarantined": quarantine.visible(user).count(),
        "troubled": [each for each in processes.services(user) if each.is_trouble],
    }
