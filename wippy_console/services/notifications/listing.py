"""The outbox for administrators: what is queued, dead and sent, and sending it again. Addresses are masked."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from wippy_console import permissions
from wippy_console.database.storable import storable_text
from wippy_console.models import Notification
from wippy_console.services import audit, grants
from wippy_console.services.errors import Conflict, NotFoundError, Refused
from wippy_console.services.notifications import rules

QUEUED, DEAD, SENT = Notification.State.QUEUED, Notification.State.DEAD, Notification.State.SENT
MOST = 50
AT_ONCE = 1000
"""Rows that are sent again by one click; another click takes the next."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for; blank fields narrow nothing."""

    state: str = QUEUED
    method: str = ""
    kind: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, newest first, each with `shown`, its masked address; `older` is where the next page begins, or ""."""

    rows: list[Any]
    older: str


def found(user: Any, filters: Filters) -> QuerySet[Notification]:
    """The rows that fit and the user may see, newest first."""
    rows = _visible(user, permissions.VIEW_NOTIFICATION).filter(state=filters.state)
    exact = {"method": filters.method, "kind": filters.kind, "user__username": storable_text(filters.user)}
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    return rows.select_related("user", "question", "run").order_by("-created_at", "-id")


def page(user: Any, filters: Filters, before: uuid.UUID | None = None) -> Page:
    """A page of them, from behind the row of that id."""
    rows = found(user, filters)
    last = Notification.objects.filter(pk=before).first() if before else None
    if last is not None:
        rows = rows.filter(Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, id__lt=last.id))
    listed: list[Any] = list(rows[: MOST + 1])
    more, listed = len(listed) > MOST, listed[:MOST]
    for row in listed:
        row.shown = masked(row)
    return Page(listed, str(listed[-1].pk) if more else "")


def counts(user: Any) -> dict[str, int]:
    """How many rows wait, and how many are dead."""
    rows = _visible(user, permissions.VIEW_NOTIFICATION)
    return {state: rows.filter(state=state).order_by()[:AT_ONCE].count() for state in (QUEUED, DEAD)}


def resend(user: Any, notification_id: uuid.UUID) -> Notification:
    """Send one again, with its id. Conflict when it is queued anyway; NotFoundError."""
    row = _visible(user, permissions.RESEND_NOTIFICATION).select_related("question", "run").filter(pk=notification_id)
    found = row.first()
    if found is None:
        raise NotFoundError("There is no such notification.")
    with transaction.atomic():
        if not row.exclude(state=QUEUED).update(**_anew()):
            raise Conflict("It is queued already.")
        about = {"kind": found.kind, "method": found.method, "notification": str(found.pk)}
        audit.append(audit.RESEND, user, run=found.run, question=found.question, outcome="done", data=about)
    return found


def resend_dead(user: Any, filters: Filters) -> int:
    """Send the dead ones that fit again; returns how many."""
    permissions.require(user, permissions.RESEND_NOTIFICATION)
    ids = list(
        found(user, Filters(DEAD, filters.method, filters.kind, filters.user)).values_list("pk", flat=True)[:AT_ONCE]
    )
    if not ids:
        raise Refused("There is none that failed.")
    with transaction.atomic():
        mine = _visible(user, permissions.RESEND_NOTIFICATION).filter(pk__in=ids, state=DEAD)
        count = Notification.objects.filter(pk__in=list(mine.values_list("pk", flat=True)), state=DEAD).update(
            **_anew()
        )
        audit.append(audit.RESEND, user, outcome="done", data={"notifications": count})
    return count


def refuse_unknown(filters: Filters) -> None:
    """Refuse a filter that can't be meant."""
    known = {filters.method: ("", *rules.METHODS), filters.kind: ("", rules.TEST, *rules.KINDS)}
    for value, choices in known.items():
        if value not in choices:
            raise Refused(f"The address can't be read: nothing is called {value[:40]}.")


def masked(row: Notification) -> str:
    """The address as others may see it: enough to know which one it is."""
    match row.method:
        case "email":
            name, _, host = row.address.partition("@")
            return f"{name[:1]}…@{host}"
        case "webhook":
            return f"{urlsplit(row.address).scheme}://{urlsplit(row.address).hostname}/…"
        case "chat":
            return f"{row.address.partition(':')[0]}://…"
    return "open pages"


def _visible(user: Any, right: str) -> QuerySet[Notification]:
    permissions.require(user, right)
    return grants.narrowed(Notification.objects.all(), user, right, namespace="run__namespace")


def _anew() -> dict[str, Any]:
    return {"state": QUEUED, "attempts": 0, "next_at": timezone.now(), "error": "", "sent_at": None}
