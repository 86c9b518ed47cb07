"""Which subscriptions have something to send: a handful of queries, however many there are.

Of those that are near the end of the feed the new events are looked at once, in memory, and the cursors of all that
want none of them are moved by one update. Those further behind look for themselves, a hundred events at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from wippy_console.models import FeedEvent, Subscription
from wippy_console.services import feed, feed_pages
from wippy_console.services.feed import Sight
from wippy_console.services.subscriptions import listing, sight

NEAR = 500
"""So many of the newest events are looked at for all."""

Events = Mapping[str, Sequence[FeedEvent]]


def due(at_work: Collection[int]) -> list[int]:
    """The keys of those that have something to send, or may; the longest behind first. Without those at work."""
    head = feed.head()
    rows = _waiting(head, at_work)
    new = [row for row in rows if row.cursor < head and row.state in Subscription.SENDING]
    near = [row for row in new if row.cursor >= head - NEAR]
    busy = _with_news(near, head) if near else set()
    _move({row.pk: row.cursor for row in near if row.pk not in busy}, head)
    far = {row.pk for row in new if row.cursor < head - NEAR}
    return [row.pk for row in rows if row.pk in busy or row.pk in far or row.test_wanted_at is not None]


def free(now: object) -> Q:
    """No worker has it."""
    return Q(sending_until=None) | Q(sending_until__lte=now)


def ready(now: object) -> Q:
    """It is to be sent what comes, or a test."""
    return Q(state__in=Subscription.SENDING, next_at__lte=now) | Q(test_wanted_at__isnull=False)


def _waiting(head: int, at_work: Collection[int]) -> list[Subscription]:
    now = timezone.now()
    behind = Q(state__in=Subscription.SENDING, next_at__lte=now, cursor__lt=head)
    rows = Subscription.objects.filter(free(now), behind | Q(test_wanted_at__isnull=False))
    found = rows.select_related("token__owner").defer("secret", "url", "problem").order_by("cursor")
    return [row for row in found if row.pk not in at_work]


def _with_news(rows: Sequence[Subscription], head: int) -> set[int]:
    """The keys of those that want one of the new events, or have missed some, or see nothing any more."""
    seen, oldest = sight.sights(row.token for row in rows), feed.oldest()
    new = FeedEvent.objects.filter(id__gt=min(row.cursor for row in rows), id__lte=head).defer("data")
    events: dict[str, list[FeedEvent]] = defaultdict(list)
    for event in new:
        events[event.kind].append(event)
    return {
        row.pk
        for row in rows
        if seen[row.token_id].rows.nowhere
        or feed.lost(row.cursor, oldest)
        or _wants_some(row, seen[row.token_id], events)
    }


def _wants_some(row: Subscription, seen: Sight, events: Events) -> bool:
    wanted = listing.wanted(row)
    chosen: Iterable[str] = wanted.kinds or events
    return any(
        event.id > row.cursor and seen.covers(event.kind, event.namespace) and feed_pages.suits(event, wanted, seen)
        for kind in chosen
        for event in events.get(kind, ())
    )


def _move(quiet: Mapping[int, int], head: int) -> None:
    """Their cursors, unless somebody moved one meanwhile."""
    if not quiet:
        return
    with transaction.atomic():
        rows = Subscription.objects.select_for_update().filter(pk__in=quiet).order_by("pk").values_list("pk", "cursor")
        same = [pk for pk, cursor in rows if quiet[pk] == cursor]
        Subscription.objects.filter(pk__in=same).update(cursor=head)
