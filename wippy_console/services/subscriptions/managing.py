"""Making subscriptions, changing, pausing and resuming them, and sending again what was sent."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from wippy_console.models import AccessToken, Subscription
from wippy_console.models.grants import BAD_PATTERN, is_pattern
from wippy_console.services import audit, feed
from wippy_console.services.errors import NotFoundError, Refused
from wippy_console.services.notifications.methods import webhook
from wippy_console.services.subscriptions import listing, sight

MOST = 100
"""Of one owner."""
MOST_PATTERNS = 50
_LONGEST = {"name": 100, "url": 2000, "entry": 500, "run": 1000, "user": 150, "text": 2000}
OTHERS = "You may not change the subscriptions of others."


@dataclass(frozen=True, slots=True)
class Fields:
    """What is sent where; empty filters want all."""

    name: str
    url: str
    kinds: Sequence[str] = ()
    namespaces: Sequence[str] = ()
    entry: str = ""
    run: str = ""
    user: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """A subscription with the secret that signs what it is sent, never to be had again."""

    row: Subscription
    secret: str


def make(by: Any, token: AccessToken | None, given: Fields, cursor: int | None = None) -> Made:
    """Send from now on, or what comes after `cursor` (0: all that is there), as much as the token may see.

    Those of one owner have different names: a form that is sent twice makes one. Refused, naming the field.
    """
    if token is None:
        raise Refused("Choose a token.", {"token": ["Choose the token by which it sees the feed."]})
    if sight.of(token).rows.nowhere:
        text = sight.why_nothing(token)
        raise Refused(text, {"token": [text]})
    values = _checked(given)
    row = Subscription(owner=token.owner, token=token, secret=_secret(), cursor=_place(cursor), **values)
    with transaction.atomic():
        _refuse_more(row)
        row.save(force_insert=True)
        _note(by, row, "made", url=listing.where(row))
    return Made(row, row.secret)


def change(by: Any, number: int, given: Fields, via: AccessToken | None = None) -> Subscription:
    """Send other events, or elsewhere, from now on; what is sent goes on where it was. Refused, naming the field."""
    with _mine(by, number, via, changes=True) as row:
        values = _checked(given)
        for name, value in values.items():
            setattr(row, name, value)
        _refuse_more(row)
        row.save(update_fields=[*values])
        if row.state == Subscription.State.FAILING:  # perhaps this mends it
            _try_now(row)
        _note(by, row, "changed", url=listing.where(row))
    return row


def new_secret(by: Any, number: int, via: AccessToken | None = None) -> Made:
    """Another secret; the old one signs nothing any more."""
    with _mine(by, number, via, changes=True) as row:
        row.secret = _secret()
        row.save(update_fields=["secret"])
        _note(by, row, "another secret")
    return Made(row, row.secret)


def pause(by: Any, number: int, via: AccessToken | None = None) -> Subscription:
    """Send nothing until it is resumed; nothing is left out then."""
    with _mine(by, number, via) as row:
        if row.state != Subscription.State.PAUSED:
            row.state, row.problem = Subscription.State.PAUSED, ""
            row.save(update_fields=["state", "problem"])
            _note(by, row, "paused")
    return row


def resume(by: Any, number: int, via: AccessToken | None = None) -> Subscription:
    """Go on where it stopped, at once. Refused when its token does not count."""
    with _mine(by, number, via) as row:
        if sight.of(row.token).rows.nowhere:
            raise Refused(f"{sight.why_nothing(row.token)} Make another subscription by one that counts.")
        was = row.state
        _try_now(row, state=Subscription.State.ACTIVE, problem="")
        if was == Subscription.State.PAUSED:
            _note(by, row, "resumed")
    return row


def redeliver(by: Any, number: int, cursor: int, via: AccessToken | None = None) -> Subscription:
    """Send again what came after that event of the feed; one that is paused does so when it is resumed."""
    with _mine(by, number, via) as row:
        before = row.cursor
        _try_now(row, cursor=_place(cursor), lost={}, **_unfailed(row))
        _note(by, row, "redelivered", before=before, after=row.cursor)
    return row


def try_out(by: Any, number: int, via: AccessToken | None = None) -> Subscription:
    """Let the worker that leads send a test without events, though it be paused; the row tells how that went."""
    with _mine(by, number, via) as row:
        row.test_wanted_at = timezone.now()
        row.save(update_fields=["test_wanted_at"])
    return row


def delete(by: Any, number: int, via: AccessToken | None = None) -> Subscription:
    """Send nothing any more."""
    with _mine(by, number, via) as row:
        _note(by, row, "deleted")
        Subscription.objects.filter(pk=row.pk).delete()
    return row


@contextmanager
def _mine(by: Any, number: int, via: AccessToken | None, *, changes: bool = False) -> Iterator[Subscription]:
    """One that they may act on, in a transaction in which nobody else does. NotFoundError, PermissionDenied."""
    with transaction.atomic():
        row = listing.visible(by, via).select_for_update(of=("self",)).filter(pk=number).first()
        if row is None:
            raise NotFoundError(listing.GONE)
        if not (listing.may_change if changes else listing.may_manage)(by, row):
            raise PermissionDenied(OTHERS)
        yield row


def _try_now(row: Subscription, **values: Any) -> None:
    values |= {"tries": 0, "next_at": timezone.now()}
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=[*values])


def _unfailed(row: Subscription) -> dict[str, Any]:
    return {"state": Subscription.State.ACTIVE, "problem": ""} if row.state == Subscription.State.FAILING else {}


def _place(cursor: int | None) -> int:
    head = feed.head()
    if cursor is not None and not 0 <= cursor <= head:
        text = f"The newest event is {head}: choose one up to it, or 0 for all."
        raise Refused(text, {"cursor": [text]})
    return head if cursor is None else cursor


def _checked(given: Fields) -> dict[str, Any]:
    values = {each.name: getattr(given, each.name) for each in fields(given)}
    texts = {name: values[name].strip() for name in _LONGEST}
    problems = {
        "name": [] if texts["name"] else ["Say what it is for."],
        "url": [why] if (why := webhook.why_not(texts["url"])) else [],
        "kinds": [f"There is no kind of event {each[:40]}." for each in values["kinds"] if each not in feed.KINDS],
        "namespaces": [BAD_PATTERN.format(each) for each in values["namespaces"] if not is_pattern(each)],
    }
    for name, longest in _LONGEST.items():
        if len(texts[name]) > longest:
            problems[name] = [f"Use at most {longest} characters."]
    if len(values["namespaces"]) > MOST_PATTERNS:
        problems["namespaces"] = [f"Name at most {MOST_PATTERNS}."]
    if found := {name: said for name, said in problems.items() if said}:
        raise Refused("The subscription can't be made so.", found)
    return {**{name: list(dict.fromkeys(values[name])) for name in ("kinds", "namespaces")}, **texts}


def _refuse_more(row: Subscription) -> None:
    """In a transaction, in which nobody else makes one for the same owner."""
    User.objects.select_for_update().get(pk=row.owner_id)
    others = Subscription.objects.filter(owner=row.owner_id).exclude(pk=row.pk)
    if others.filter(name=row.name).exists():
        text = f"There is a subscription {row.name!r} already: choose another name."
        raise Refused(text, {"name": [text]})
    if row.pk is None and others.count() >= MOST:
        raise Refused(f"{row.owner} has {MOST} subscriptions: delete one first.")


def _secret() -> str:
    return secrets.token_urlsafe(32)


def _note(by: Any, row: Subscription, outcome: str, **more: Any) -> None:
    about = {"of": row.owner.get_username(), "by": str(row.token), **more}
    audit.append(audit.SUBSCRIPTION, by, label=row.name, outcome=outcome, data=about)
