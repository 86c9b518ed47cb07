"""What the worker that leads does about deliveries: tries those that wait again, and forgets old ones."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from wippy_console.models import Delivery, Run
from wippy_console.services.errors import Refused
from wippy_console.services.hooks import acting, calling, routes
from wippy_console.services.hooks.acting import Act, State

AT_ONCE = 200
FORGOTTEN_AT_ONCE = 200
MOST_AWAY = 10
"""Entries whose Temporal is asked in vain, before the rest waits for the next look."""
YOUNG = timedelta(seconds=10)
"""So long after a run of an entry began, what waits for one is tried each time."""


def tick() -> None:
    """Try what is due, for the longest first; the entries whose Temporal is away hold up no others."""
    _end_lost()
    _hasten()
    away: set[str] = set()
    while len(away) < MOST_AWAY and (stopped := _try_without(away)):
        away.add(stopped)
    forget()


def _try_without(away: set[str]) -> str:
    """Try what is due of other entries; the one whose Temporal does not answer, "" when all was tried."""
    due = _due().exclude(endpoint__in=away).order_by("due_at").values_list("pk", "endpoint")
    return next((endpoint for key, endpoint in list(due[:AT_ONCE]) if not _try(key)), "")


def forget() -> None:
    """Delete some of those that are older than WIPPY_HOOKS_DAYS and of which nothing more is to come."""
    before = timezone.now() - timedelta(days=settings.HOOKS_DAYS)
    old = Delivery.objects.filter(received_at__lt=before, due_at=None).order_by("received_at")
    some = Delivery.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]))
    some.only("pk").delete()  # Django reads what it deletes: not all their bodies at once


def _end_lost() -> None:
    """Calls whose worker and web process both died."""
    lost = Delivery.objects.filter(act=Act.CALL, state=State.OPEN, due_at__lte=timezone.now())
    lost.update(state=State.FAILED, status=504, problem=calling.LOST, due_at=None)


def _hasten() -> None:
    """Whatever waits for a run of an entry of which one has just begun is due now."""
    now = timezone.now()
    waiting = Delivery.objects.filter(due_at__gt=now, state=State.WAITING, act=Act.SIGNAL)
    entries = set(waiting.order_by().values_list("endpoint", flat=True).distinct())
    if entries:
        begun = Run.objects.filter(entry_id__in=entries, started_at__gt=now - YOUNG)
        waiting.filter(endpoint__in=set(begun.order_by().values_list("entry_id", flat=True))).update(due_at=now)


def _due() -> QuerySet[Delivery]:
    undone = (State.OPEN, State.WAITING)
    return Delivery.objects.filter(due_at__lte=timezone.now(), state__in=undone).exclude(act=Act.CALL)


def _try(key: UUID) -> bool:
    """Try one; False when Temporal does not answer."""
    delivery = _due().filter(pk=key).first()  # its sender may have sent it again
    if delivery is None:
        return True
    route = routes.named(delivery.route)
    if route is None:
        acting.fail(delivery, f"{delivery.endpoint} has no webhook {delivery.route} any more.", 404)
        return True
    try:
        body = acting.body_of(delivery, route)
    except Refused as error:
        acting.fail(delivery, acting.words(error))
        return True
    return not acting.attempt(delivery, route, body).is_away
