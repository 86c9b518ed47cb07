"""What needs a look, for the home page: few of each, by indexes, and counted no further than is read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.utils import timezone

from wippy_console import permissions
from wippy_console.models import Delivery, FeedEvent, Process, Run
from wippy_console.models.runs import ENDED_BADLY
from wippy_console.services import feed, processes, runs, states
from wippy_console.services.hooks import listing

LATELY = timedelta(days=1)
LONG = timedelta(minutes=5)
COUNTED = 1000
"""No count goes on behind this one."""


def failing(user: Any, limit: int) -> list[Run]:
    """Open runs that try a call again, and those that ended badly during the last day; half the room for each."""
    lately = timezone.now() - LATELY
    tried = list(_light(user).filter(states.condition(states.RETRYING)).order_by("-started_at", "-run_id")[:limit])
    ended = list(_light(user).filter(status__in=ENDED_BADLY, closed_at__gte=lately).order_by("-closed_at")[:limit])
    return [*tried[: max(limit - len(ended), limit // 2)], *ended][:limit]


def stuck(user: Any, limit: int) -> list[Run]:
    """Open runs that do not get on and that no try of theirs will help, newest first."""
    return list(_light(user).filter(states.held()).order_by("-started_at", "-run_id")[:limit])


def outside(user: Any, limit: int) -> list[Process]:
    """Processes and calls with an operation that has been under way for five minutes, the longest first."""
    return processes.lasting(user, LONG, limit) if permissions.allows(user, permissions.VIEW_FLEET) else []


def deliveries(user: Any, limit: int) -> list[Delivery]:
    """Requests of other systems that failed, or for which no run came in time, newest first."""
    return listing.failing(user, limit) if permissions.allows(user, permissions.VIEW_DELIVERY) else []


def changed(user: Any, limit: int) -> Sequence[FeedEvent]:
    """The latest ends of runs and versions of the registry, newest first."""
    return feed.latest(user, limit, kinds=[feed.EXIT, feed.PUBLISHED])


def upcoming(user: Any) -> Run | None:
    """The run whose code begins next: one with a delay, or the next of a cron."""
    later = _light(user).filter(status=Run.Status.RUNNING, starts_at__gt=timezone.now())
    return later.order_by("starts_at").first()


def open_runs(user: Any) -> str:
    """How many runs are open, up to "999+"."""
    rows = runs.visible(user).filter(status=Run.Status.RUNNING).order_by()
    found = rows.values("pk")[:COUNTED].count()
    return f"{COUNTED - 1}+" if found >= COUNTED else str(found)


def _light(user: Any) -> QuerySet[Run]:
    """The visible runs without their values, but of a failure the message."""
    message = KeyTextTransform("message", F("failure"))
    return runs.visible(user).defer("input", "result", "failure").annotate(**{states.FAILED_WITH: message})
