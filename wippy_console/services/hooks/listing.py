"""Finds deliveries: filtered, in pages that go by key, and those that need a look."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from wippy_console import permissions
from wippy_console.database.storable import storable_text
from wippy_console.models import Delivery
from wippy_console.services import cursors, grants
from wippy_console.services.errors import NotFoundError, Refused

MOST = 50
LATELY = timedelta(days=1)
_HEAVY = ("body", "answer", "headers", "query", "params", "answer_headers", "failure")


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for; blank fields narrow nothing. `text` is the delivery's id, its sender's, or a workflow
    id; `endpoint` is the entry. Times are from the first until before the last.
    """

    state: str = ""
    act: str = ""
    endpoint: str = ""
    source: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, newest first; `next` is where the next page begins, ""."""

    rows: list[Delivery]
    next: str = ""


def visible(user: Any) -> QuerySet[Delivery]:
    """Those that the user may see: to the endpoints of the namespaces where view_delivery counts."""
    return grants.narrowed(Delivery.objects.all(), user, permissions.VIEW_DELIVERY)


def page(user: Any, filters: Filters, before: str = "", limit: int = MOST) -> Page:
    """A page of them, without bodies and answers; Refused for what is no cursor."""
    rows = _narrowed(visible(user), filters)
    if before:
        at, key = cursors.place_of(before, 2)
        moment = cursors.moment_of(at)
        rows = rows.filter(received_at__lte=moment).filter(Q(received_at__lt=moment) | Q(pk__lt=_uuid(key)))
    found = list(rows.defer(*_HEAVY).select_related("by")[: limit + 1])
    if len(found) <= limit:
        return Page(found)
    last = found[limit - 1]
    return Page(found[:limit], cursors.made(last.received_at.isoformat(), str(last.pk)))


def get(user: Any, delivery_id: uuid.UUID) -> Delivery:
    """The delivery; NotFoundError."""
    found = visible(user).select_related("by").filter(pk=delivery_id).first()
    if found is None:
        raise NotFoundError("There is no such delivery.")
    return found


def again_of(user: Any, delivery: Delivery) -> list[Delivery]:
    """Those by which it was delivered again, newest first."""
    return list(visible(user).filter(again_of=delivery).defer(*_HEAVY).select_related("by")[:MOST])


def failing(user: Any, limit: int) -> list[Delivery]:
    """Those that failed during the last day, or expired, newest first; of one that was delivered again, that."""
    since = timezone.now() - LATELY
    lately = Q(received_at__gte=since) | Q(expires_at__gte=since)
    again = Delivery.objects.filter(again_of=OuterRef("pk"))
    rows = visible(user).filter(lately, ~Exists(again), state=Delivery.State.FAILED).defer(*_HEAVY)
    return list(rows[:limit])


def _narrowed(rows: QuerySet[Delivery], filters: Filters) -> QuerySet[Delivery]:
    exact = {"state": filters.state, "act": filters.act, "endpoint": filters.endpoint, "source": filters.source}
    rows = rows.filter(**{name: storable_text(value) for name, value in exact.items() if value})
    if text := storable_text(filters.text.strip()):
        named = Q(sender_id=text) & ~Q(sender_id="") | Q(workflow_id=text) & ~Q(workflow_id="")  # as their indexes
        rows = rows.filter(named | Q(pk=key) if (key := _key(text)) else named)
    if filters.since:
        rows = rows.filter(received_at__gte=filters.since)
    if filters.until:
        rows = rows.filter(received_at__lt=filters.until)
    return rows


def _key(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _uuid(text: str) -> uuid.UUID:
    if (found := _key(text)) is None:
        raise Refused(cursors.DAMAGED)
    return found
