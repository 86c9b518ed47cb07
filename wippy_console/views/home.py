"""The home page: what needs attention now."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from wippy_console import permissions
from wippy_console.services import attention, questions, temporal_server
from wippy_console.services import health as fleet_health
from wippy_console.views.asked import shown
from wippy_console.views.pages import marked, needs, page

FEW, FEWER, CHANGES = 4, 3, 11
"""Rows that fit into one screen, whatever happens."""


def show(request: HttpRequest) -> HttpResponse:
    """What waits for me, what fails, what is stuck and why, what changed; within one screen."""
    user = request.user
    allowed = permissions.allows(user, permissions.VIEW_FEED)
    deliveries = attention.deliveries(user, FEW // 2)
    failing = marked(attention.failing(user, FEW - len(deliveries)))
    outside = attention.outside(user, FEWER - 1)
    context = {
        "questions": asked(user),
        "deliveries": deliveries,
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
        context |= fleet_health.known(user) | {"temporals": temporal_server.known(user)}
    return page(request, "home/home.html", context)


def asked(user: Any) -> list[Any]:
    """The first questions of the inbox."""
    allowed = permissions.allows(user, permissions.VIEW_QUESTION)
    return shown(questions.listed(user).prefetch_related("votes")[:FEW], user) if allowed else []


@needs(permissions.VIEW_FLEET)
def health(request: HttpRequest) -> HttpResponse:
    """The health of Temporal and the nodes in a line; fetched apart, since Temporal may be slow to answer."""
    return render(request, "home/_health.html", fleet_health.asked(request.user))
