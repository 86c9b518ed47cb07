"""Sends one subscription what it wants: in order, at least once.

It is leased while a worker sends it. The cursor moves when the receiver has taken the events, and only by whoever holds
the lease: what a killed worker sent last is sent again by the next one, when the lease is over.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError
from django.db.models import QuerySet
from django.utils import timezone

from wippy_console.models import Subscription
from wippy_console.services import feed, feed_pages
from wippy_console.services.feed import Sight
from wippy_console.services.notifications import delivery
from wippy_console.services.notifications.methods import webhook
from wippy_console.services.notifications.methods.errors import NotSent
from wippy_console.services.subscriptions import listing, sight, sorting

logger = logging.getLogger(__name__)

AT_ONCE = 100
"""Events of one request at most."""
MOST_BYTES = 1_000_000
"""Of one request, unless a single event is larger."""
AT_A_TURN = 10
"""Requests; then others have their turn."""
LEASE = timedelta(seconds=60)
"""Longer than a request takes."""

State = Subscription.State


@dataclass(frozen=True, slots=True)
class Batch:
    """Events as JSON, the cursor behind them, and which ids before them were gone; `more`: others may follow."""

    cursor: int
    events: list[str] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)
    more: bool = False


def turn(number: int) -> bool:
    """Send it some of what it wants; whether there may be more. Nothing when another worker has it."""
    until: datetime | None = None
    try:
        for _ in range(AT_A_TURN):
            until = _leased(number, until)
            row = _mine(number, until).select_related("token__owner").first() if until else None
            if row is None or not _tried(row):
                return False
        return True
    finally:
        if until:
            _mine(number, until).update(sending_until=None)


def _leased(number: int, until: datetime | None) -> datetime | None:
    """Until when it is ours, anew; of two that try, one has it."""
    now = timezone.now()
    if until is None:
        rows = Subscription.objects.filter(sorting.free(now), sorting.ready(now), pk=number)
    else:
        rows = _mine(number, until)
    return now + LEASE if rows.update(sending_until=now + LEASE) else None


def _mine(number: int, until: datetime | None) -> QuerySet[Subscription]:
    """It, unless the lease was over and another worker has it."""
    return Subscription.objects.filter(pk=number, sending_until=until)


def _tried(row: Subscription) -> bool:
    try:
        return _step(row)
    except (DatabaseError, InterfaceError):
        raise
    except Exception as error:  # whatever it is, it must not be tried for ever
        logger.exception("subscription %s could not be sent", row.pk)
        _fail(row, NotSent(f"{type(error).__name__}: {error}"[:300]))
        return False


def _step(row: Subscription) -> bool:
    """One request, or a test before it; whether there may be another."""
    if row.test_wanted_at is not None:
        _try_out(row)
    if row.state not in Subscription.SENDING or row.next_at > timezone.now():
        return False
    seen = sight.of(row.token)
    if seen.rows.nowhere:
        _stop(row, sight.why_nothing(row.token))
        return False
    batch = _batch(row, seen)
    if not batch.events and not batch.lost:
        _held(row).update(cursor=batch.cursor)
        return batch.more
    if failure := _post(row, f"{row.pk}-{row.cursor}-{batch.cursor}", batch):
        _fail(row, failure)
        return False
    _taken(row, batch)
    return batch.more


def _batch(row: Subscription, seen: Sight) -> Batch:
    """What comes next; never so much that a receiver chokes on it."""
    lost = feed.lost(row.cursor, feed.oldest())
    found = feed_pages.follow(seen, listing.wanted(row), row.cursor, AT_ONCE)
    texts: list[str] = []
    size = 0
    for event in found.events:
        text = feed.as_json(event)
        size += len(text.encode())
        if texts and size > MOST_BYTES:
            return Batch(found.events[len(texts) - 1].id, texts, lost, more=True)
        texts.append(text)
    return Batch(found.cursor, texts, lost, found.more)


def _post(row: Subscription, name: str, batch: Batch, **more: Any) -> NotSent | None:
    """Why it was not taken."""
    told = {"subscription": row.pk, "cursor": batch.cursor, **({"lost": batch.lost} if batch.lost else {}), **more}
    body = f'{json.dumps(told)[:-1]}, "events": [{", ".join(batch.events)}]}}'
    try:
        webhook.post(row.url, row.secret, name, body.encode())
    except NotSent as failure:
        return failure
    return None


def _try_out(row: Subscription) -> None:
    at = row.test_wanted_at
    assert at is not None
    failure = _post(row, f"{row.pk}-test-{at.timestamp():.0f}", Batch(row.cursor), test=True)
    done = {"tested_at": timezone.now(), "test_problem": _words(row, failure) if failure else ""}
    _mine(row.pk, row.sending_until).filter(test_wanted_at=at).update(**done, test_wanted_at=None)


def _held(row: Subscription) -> QuerySet[Subscription]:
    """It, while it is ours and stands where it stood."""
    return _mine(row.pk, row.sending_until).filter(cursor=row.cursor)


def _taken(row: Subscription, batch: Batch) -> None:
    """Whoever paused it meanwhile finds it paused."""
    now = timezone.now()
    fields: dict[str, Any] = {"cursor": batch.cursor, "last_at": now}
    if batch.lost:
        fields["lost"] = {**batch.lost, "at": now.isoformat()}
    well = {"state": State.ACTIVE, "problem": "", "tries": 0}
    if not _held(row).filter(state__in=Subscription.SENDING).update(**fields, **well):
        _held(row).update(**fields)


def _fail(row: Subscription, failure: NotSent) -> None:
    tries, words = row.tries + 1, _words(row, failure)
    if failure.final or tries > len(delivery.PAUSES):
        _stop(row, words if failure.final else f"Paused after {tries} failures. {words}", tries)
        return
    later = timezone.now() + delivery.PAUSES[tries - 1]
    rows = _held(row).filter(state__in=Subscription.SENDING, next_at=row.next_at)
    rows.update(state=State.FAILING, tries=tries, problem=words, next_at=later)


def _stop(row: Subscription, why: str, tries: int = 0) -> None:
    """It pauses itself; unless somebody moved or resumed it meanwhile, who wants it tried."""
    rows = _held(row).filter(state__in=Subscription.SENDING, next_at=row.next_at)
    rows.update(state=State.PAUSED, problem=why, tries=tries)


def _words(row: Subscription, failure: NotSent) -> str:
    return str(failure).replace(row.url, "…")
