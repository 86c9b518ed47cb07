"""Writes what is to be told into the outbox, in the transaction of the fact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils import timezone

from wippy_console.models import Notification, NotificationPreference, Question, Run
from wippy_console.services.notifications.preferences import address_for, methods_for
from wippy_console.services.notifications.receivers import News, Receiver, concerned, receivers, wishing


def tell(
    kind: str,
    *,
    fact: str,
    question: Question | None = None,
    run: Run | None = None,
    users: Sequence[Any] | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Tell whoever wants to hear of it: whom the entry names, `users`, and those who chose its kind themselves.

    Called in the caller's transaction; `fact` (at most 200 characters) names what happened, and is told once.
    """
    tell_all([News(kind, fact, question, run, tuple(users or ()), data=dict(data or {}))])


def tell_all(news: Sequence[News]) -> None:
    """The same for many facts. Where nobody is to be told, one query in all."""
    if not news:
        return
    wishes = wishing({each.kind for each in news})
    if not wishes and not any(each.rules or each.users for each in news):
        return
    wishing_by_place = concerned(news, wishes)
    found = [
        (each, receiver)
        for place, each in enumerate(news)
        for receiver in receivers(each, wishing_by_place.get(place, ()))
    ]
    known = {row.user_id: row for row in NotificationPreference.objects.filter(user__in=_users(found))}
    rows = [row for each, receiver in found for row in _rows(each, receiver, known.get(receiver.user.pk))]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)


def _users(found: Sequence[tuple[News, Receiver]]) -> set[int]:
    return {receiver.user.pk for _, receiver in found}


def _rows(news: News, receiver: Receiver, preference: NotificationPreference | None) -> Iterator[Notification]:
    """One for each method that the receiver has an address for."""
    now = timezone.now()
    for method in methods_for(preference, news.kind, receiver.how):
        if address := address_for(receiver.user, preference, method):
            yield Notification(
                kind=news.kind,
                fact=news.fact,
                user=receiver.user,
                method=method,
                address=address,
                question=news.question,
                run=news.question.run if news.question is not None else news.run,
                data=news.data,
                next_at=now,
            )
