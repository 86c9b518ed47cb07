"""Subscriptions to look at: a token's own, one's own, and with the right everybody's. Nobody sees a secret again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Q, QuerySet

from wippy_console import permissions
from wippy_console.database.storable import storable_text
from wippy_console.models import AccessToken, Subscription
from wippy_console.services import access_tokens, accounts
from wippy_console.services.errors import NotFoundError
from wippy_console.services.feed_pages import Wanted

SEE_OTHERS = f"{permissions.APP}.view_subscription"
CHANGE_OTHERS = f"{permissions.APP}.change_subscription"
SHOWN = 20
GONE = "There is no such subscription."


@dataclass(frozen=True, slots=True)
class Page:
    """Some of them, newest first; `older` is the key before which the next page begins, 0 where there is none."""

    rows: list[Subscription]
    older: int


def visible(user: Any, via: AccessToken | None = None) -> QuerySet[Subscription]:
    """Who acts by a token sees those of that token: by others another might see more."""
    rows = Subscription.objects.select_related("owner", "token__owner")
    if via is not None:
        return rows.filter(token=via)
    return rows if user.has_perm(SEE_OTHERS) else rows.filter(owner=user)


def get(user: Any, number: int, via: AccessToken | None = None) -> Subscription:
    """One of them; NotFoundError."""
    found = visible(user, via).filter(pk=number).first()
    if found is None:
        raise NotFoundError(GONE)
    return found


def page(
    user: Any,
    via: AccessToken | None = None,
    *,
    state: str = "",
    owner: str = "",
    before: int | None = None,
    limit: int = 50,
) -> Page:
    """Some of them."""
    rows = visible(user, via)
    rows = rows.filter(state=state) if state else rows
    rows = rows.filter(owner__username=storable_text(owner)) if owner else rows
    listed = list((rows.filter(pk__lt=before) if before else rows).order_by("-pk")[: limit + 1])
    more, listed = len(listed) > limit, listed[:limit]
    return Page(listed, listed[-1].pk if more else 0)


def stopped(user: Any) -> list[Subscription]:
    """One's own that paused themselves or fail, and with the right everybody's; at most `SHOWN`."""
    return list(visible(user).filter(Q(state=Subscription.State.FAILING) | ~Q(problem=""))[:SHOWN])


def sees_others(user: Any) -> bool:
    """Whether they see everybody's."""
    return bool(user.has_perm(SEE_OTHERS))


def may_manage(user: Any, row: Subscription) -> bool:
    """Whether they may pause, resume, test and delete it: one's own, and with the right anybody's."""
    return bool(row.owner_id == user.pk or user.has_perm(CHANGE_OTHERS))


def may_change(user: Any, row: Subscription) -> bool:
    """Whether they may say what is sent where: one's own, and that of a service account for which they make tokens."""
    return row.owner_id == user.pk or access_tokens.may_make_for(user, row.owner)


def tokens(user: Any) -> list[AccessToken]:
    """By which of them somebody may subscribe: those that count, of oneself and of service accounts."""
    if accounts.token_of(user):
        return []
    rows = AccessToken.objects.select_related("owner").filter(access_tokens.ACTIVE())
    return list(rows.filter(owner__in=access_tokens.owners(user), owner__is_active=True).order_by("owner_id", "name"))


def where(row: Subscription) -> str:
    """Its address as others may see it: enough to know which one it is."""
    parts = urlsplit(row.url)
    return f"{parts.scheme}://{parts.hostname}/…"


def wanted(row: Subscription) -> Wanted:
    """What of the feed it wants."""
    return Wanted(row.text, row.entry, row.run, row.user, tuple(row.kinds), tuple(row.namespaces))
