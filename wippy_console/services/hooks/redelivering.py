"""Does once more what a delivery wants: as another delivery, which names the first and who asked for it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.utils import timezone

from engine.registry.hooks.route import Route
from wippy_console import permissions
from wippy_console.models import Delivery
from wippy_console.services import audit
from wippy_console.services.errors import Conflict, Refused
from wippy_console.services.hooks import acting, calling, routes

Act, State = Delivery.Act, Delivery.State

RIGHTS = MappingProxyType(
    {
        Act.CALL: permissions.RAW_SIGNAL_RUN,
        Act.START: permissions.START_RUN,
        Act.SIGNAL: permissions.RAW_SIGNAL_RUN,
    }
)
_SAME = (
    "endpoint", "route", "namespace", "act", "method", "path", "query", "headers", "params", "source", "body", "size",
    "fingerprint",
)  # fmt: skip


def may(user: Any, delivery: Delivery) -> bool:
    """Whether the user may ask for it."""
    return permissions.allows(user, RIGHTS[Act(delivery.act)], delivery.namespace)


def why_not(delivery: Delivery) -> str:
    """What keeps it from being delivered again, "" when nothing does."""
    if delivery.state in (State.OPEN, State.WAITING):
        return "It is under way." if delivery.state == State.OPEN else "It waits, and is tried again by itself."
    if delivery.state == State.REFUSED and not delivery.body:
        return "Nothing is kept of a request that did not prove who sent it."
    if _route(delivery) is None:
        return f"{delivery.endpoint} has nothing at {delivery.route} any more."
    return ""


def redeliver(user: Any, delivery: Delivery, key: uuid.UUID) -> Delivery:
    """Deliver it again, without asking its sender for a proof; by the same `key` again it is the same delivery.

    Raises PermissionDenied, and Conflict for what can't be delivered again (`why_not`).
    """
    permissions.require(user, RIGHTS[Act(delivery.act)], delivery.namespace)
    name = uuid.uuid5(key, f"{user.pk} {delivery.pk}")
    if (before := Delivery.objects.filter(pk=name).first()) is not None:
        return before
    route = _route(delivery)
    if (why := why_not(delivery)) or route is None:
        raise Conflict(why)
    again, is_new = _made(user, delivery, route, name)
    if is_new:
        _do(again, route)
        again.refresh_from_db()
    return again


def _made(user: Any, delivery: Delivery, route: Route, name: uuid.UUID) -> tuple[Delivery, bool]:
    same = {each: getattr(delivery, each) for each in _SAME}
    is_call = delivery.act == Act.CALL
    limit = timedelta(seconds=route.timeout) + calling.MARGIN if is_call else acting.GRACE
    fresh = {"again_of": delivery, "by": user, "due_at": timezone.now() + limit, "tries": 1 if is_call else 0}
    with transaction.atomic():
        again, is_new = Delivery.objects.get_or_create(pk=name, defaults={**same, **fresh})
        if is_new:
            about = {"delivery": str(again.pk), "again_of": str(delivery.pk)}
            label = f"webhook: {delivery.route}"
            audit.append(audit.RESEND, user, entry_id=delivery.endpoint, label=label, outcome="done", data=about)
    return again, is_new


def _do(again: Delivery, route: Route) -> None:
    if again.act == Act.CALL:
        calling.begin(again, route.target, timedelta(seconds=route.timeout))
        return
    try:
        body = acting.body_of(again, route)
    except Refused as error:
        acting.fail(again, acting.words(error))
    else:
        acting.act(again, route, body)


def _route(delivery: Delivery) -> Route | None:
    """Where it went, as it is now."""
    route = routes.named(delivery.route)
    return route if route and (route.endpoint, route.act) == (delivery.endpoint, delivery.act) else None
