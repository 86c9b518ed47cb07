"""The home page: what needs attention now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from wippy_console import permissions
from wippy_console.models import Run
from wippy_console.services import feed, fleet, processes, questions, runs, states, temporal_server
from wippy_console.views.asked import shown
from wippy_console.views.pages import marked, needs, page

FEW = 6


def show(request: HttpRequest) -> HttpResponse:
    """My open decisions, failing and stuck runs, latest EXITs, health."""
    user = request.user
    allowed = permissions.allows(user, permissions.VIEW_FEED)
    rows = marked(troubled(user))
    context = {
        "questions": asked(user),
        "troubled": rows,
        "again": any(run.retrying for run in rows),
        "open_runs": runs.visible(user).filter(status=Run.Status.RUNNING).count(),
        "exits": feed.latest(user, limit=FEW + 2, kinds=[feed.EXIT]) if allowed else [],
        "stranger": not allowed,
    }
    return page(request, "home/home.html", context)


def asked(user: Any) -> list[Any]:
    """The first questions of the inbox."""
    allowed = permissions.allows(user, permissions.VIEW_QUESTION)
    return shown(questions.listed(user).prefetch_related("votes")[:FEW], user) if allowed else []


def troubled(user: Any) -> list[Run]:
    """The first open runs that do not get on, and runs that ended badly during the last day; newest first.

    Asked apart: each has an index, both together have none.
    """
    seen, lately = runs.visible(user).order_by("-started_at", "-run_id"), timezone.now() - timedelta(days=1)
    stuck = seen.filter(states.troubled())[:FEW]
    ended = seen.filter(status__in=[Run.Status.FAILED, Run.Status.TIMED_OUT], closed_at__gte=lately)[:FEW]
    return sorted([*stuck, *ended], key=lambda run: (run.started_at, run.run_id), reverse=True)[:FEW]


@needs(permissions.VIEW_FLEET)
def health(request: HttpRequest) -> HttpResponse:
    """The health of Temporal and the nodes; fetched apart, since Temporal may be slow to answer."""
    context = {
        "temporals": temporal_server.health_for(request.user),
        "nodes": fleet.nodes_for(request.user),
        "services": processes.services(request.user),
    }
    return render(request, "home/_health.html", context)
