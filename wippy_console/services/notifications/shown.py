"""Notices of open pages: handed out once, to whichever page of the user asks first."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from wippy_console.models import Notification
from wippy_console.services import accounts
from wippy_console.services.notifications import wording
from wippy_console.services.notifications.receivers import may_be_told

MOST = 5
"""Shown at once; of more only the newest are, and the others count as shown."""


def take(user: Any) -> list[dict[str, str]]:
    """`id`, `title`, `body` and `url` of what the user was not shown yet; from now on it was."""
    me, now = accounts.person(user), timezone.now()
    rows = Notification.objects.filter(user=me, method="browser", state=Notification.State.QUEUED)
    with transaction.atomic():
        newest = list(rows.select_related("question", "question__run", "run").order_by("-created_at")[:MOST])
        taken = [row for row in newest if _mine(row, now)]
        if len(newest) == MOST:
            rows.filter(created_at__lte=newest[-1].created_at).update(**_sent(now))
    return [_notice(row) for row in taken if row.kind == "test" or may_be_told(me, row.question, row.run)]


def _mine(row: Notification, now: object) -> bool:
    """Whether no other page has it."""
    rows = Notification.objects.filter(pk=row.pk, state=Notification.State.QUEUED)
    return bool(rows.update(**_sent(now)))


def _sent(now: object) -> dict[str, Any]:
    return {"state": Notification.State.SENT, "sent_at": now, "attempts": F("attempts") + 1}


def _notice(row: Notification) -> dict[str, str]:
    message = wording.message_of(row)
    body = next((text for name, text in message.facts.items() if name in ("Answer by", "By")), "")
    return {"id": str(row.pk), "title": message.subject, "body": body, "url": message.path}
