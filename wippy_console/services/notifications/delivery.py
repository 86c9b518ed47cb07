"""Sends what the outbox holds: at least once, each with an id that receivers tell repeated ones by.

The worker that leads calls `deliver` about once a second. Each method has threads of its own, so that a slow mail
server holds neither the leader nor the other methods. A row is leased while it is sent: what a killed worker left is
sent by the next one when the lease is over.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.db.models import F
from django.utils import timezone

from wippy_console.models import Notification, NotificationPreference
from wippy_console.services import guests
from wippy_console.services.notifications import outside, rules, wording
from wippy_console.services.notifications.methods import chat, mail, webhook
from wippy_console.services.notifications.methods.errors import NotSent
from wippy_console.services.notifications.preferences import address_for
from wippy_console.services.notifications.receivers import may_be_told

logger = logging.getLogger(__name__)

THREADS = {"email": 2, "chat": 2, "webhook": 4}
LEASE = timedelta(seconds=90)
"""Longer than any sending takes."""
PAUSES = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
UNSEEN = timedelta(hours=1)
"""For so long a notice waits for a page of its receiver to be open."""
NO_PAGE = "No page of the console was open that could show it."

_busy: Counter[str] = Counter()
_lock = threading.Lock()


def deliver() -> None:
    """Let threads send what is due; returns at once."""
    now = timezone.now()
    due = Notification.objects.filter(state=Notification.State.QUEUED, next_at__lte=now)
    waiting = set(due.order_by().values_list("method", flat=True).distinct())
    if "browser" in waiting:
        _forget_unseen(now - UNSEEN)
    for method in waiting & THREADS.keys():
        _start(method)


def send_due(method: str) -> int:
    """Send what is due by that method, one after the other; returns how many were tried."""
    tried = 0
    while (row := take(method)) is not None:
        attempt(row)
        tried += 1
    return tried


def take(method: str) -> Notification | None:
    """Lease the row that is due first; of two that try, one has it."""
    while True:
        now = timezone.now()
        rows = Notification.objects.filter(state=Notification.State.QUEUED, method=method, next_at__lte=now)
        found = rows.select_related("user", "question", "question__run", "run").order_by("next_at").first()
        if found is None:
            return None
        mine = Notification.objects.filter(pk=found.pk, state=Notification.State.QUEUED, next_at=found.next_at)
        if mine.update(next_at=now + LEASE, attempts=F("attempts") + 1):
            found.attempts += 1
            return found


def attempt(row: Notification) -> None:
    """Send it and note how that went."""
    try:
        send(row)
    except NotSent as failure:
        _note_failure(row, failure)
    except (DatabaseError, InterfaceError):
        raise
    except Exception as error:  # whatever a library does, the row must not be tried for ever
        logger.exception("notification %s could not be sent", row.pk)
        _note_failure(row, NotSent(f"{type(error).__name__}: {error}"[:300]))
    else:
        sent = {"state": Notification.State.SENT, "sent_at": timezone.now(), "error": ""}
        Notification.objects.filter(pk=row.pk).update(**sent)


def send(row: Notification) -> None:
    """Send it, if its receiver may still see what it is about, and is still to be found there."""
    if row.kind == guests.KIND:
        outside.send(row)
        return
    preference = NotificationPreference.objects.filter(user=row.user_id).first()
    if row.user is None or not (row.kind == rules.TEST or may_be_told(row.user, row.question, row.run)):
        raise NotSent("Its receiver may not see this any more.", final=True)
    if address_for(row.user, preference, row.method) != row.address:
        raise NotSent("Its receiver has another address by now.", final=True)
    message = wording.message_of(row, preference)
    match row.method:
        case "email":
            mail.send(row.address, str(row.id), message.subject, message.text, message.html)
        case "chat":
            chat.send(row.address, message.subject, message.text)
        case "webhook":
            webhook.send(row.address, preference.secret if preference else "", str(row.id), wording.payload_of(row))


def _note_failure(row: Notification, failure: NotSent) -> None:
    is_dead = failure.final or row.attempts > len(PAUSES)
    fields: dict[str, object] = {
        "error": str(failure).replace(row.address, "…"),
        "state": Notification.State.DEAD if is_dead else Notification.State.QUEUED,
    }
    if not is_dead:
        fields["next_at"] = timezone.now() + PAUSES[row.attempts - 1]
    Notification.objects.filter(pk=row.pk).update(**fields)


def _forget_unseen(before: object) -> None:
    rows = Notification.objects.filter(state=Notification.State.QUEUED, method="browser", next_at__lte=before)
    rows.update(state=Notification.State.DEAD, error=NO_PAGE)


def _start(method: str) -> None:
    with _lock:
        if _busy[method] >= THREADS[method]:
            return
        _busy[method] += 1
    # A daemon: a worker that ends does not wait for a mail server; the row is sent by the next.
    threading.Thread(target=_work, args=[method], name=f"send-{method}", daemon=True).start()


def _work(method: str) -> None:
    try:
        close_old_connections()
        send_due(method)
    except (DatabaseError, InterfaceError) as error:
        logger.warning("the database does not answer, sending later: %s", error)
    except Exception:
        logger.exception("sending by %s stumbled; trying again", method)
    finally:
        connection.close()
        with _lock:
            _busy[method] -= 1
