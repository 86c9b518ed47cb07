"""How each user wishes to hear of what. Quiet by default: without a row nobody is told by their own account."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from wippy_console.models import Notification, NotificationPreference
from wippy_console.services import accounts
from wippy_console.services.errors import Refused
from wippy_console.services.notifications import rules
from wippy_console.services.notifications.methods import chat, webhook

MUTED, ZONE = "muted", "zone"
"""Beside the kinds in `chosen`: those that the user never wants, whatever an entry says; and their time zone."""


def of(user: Any) -> NotificationPreference:
    """The user's own; not saved where there is none yet."""
    me = accounts.person(user)
    return NotificationPreference.objects.filter(user=me).first() or NotificationPreference(user=me)


def save(
    user: Any,
    chosen: Mapping[str, Collection[str]],
    muted: Collection[str],
    *,
    chat_address: str = "",
    webhook_address: str = "",
    zone: str = "",
) -> str:
    """Keep what the user chose. Returns the secret of a new webhook, to be shown this once; "" where none is new.

    Refused, naming the field, for an address that nothing may be sent to.
    """
    _refuse_addresses(chat_address, webhook_address)
    with transaction.atomic():
        found = of(user)
        is_new = bool(webhook_address) and webhook_address != found.webhook
        found.chosen = {kind: [*methods] for kind, methods in chosen.items() if methods and kind in rules.KINDS}
        found.chosen |= {MUTED: sorted(set(muted) & set(rules.KINDS)), ZONE: zone}
        found.chat, found.webhook = chat_address, webhook_address
        found.secret = secrets.token_urlsafe(32) if is_new else found.secret if webhook_address else ""
        found.save()
    return found.secret if is_new else ""


def new_secret(user: Any) -> str:
    """Another secret for the webhook, shown this once; the old one signs nothing any more."""
    found = of(user)
    if not found.webhook:
        raise Refused("There is no webhook to sign for.")
    found.secret = secrets.token_urlsafe(32)
    found.save(update_fields=["secret"])
    return found.secret


def send_test(user: Any) -> list[str]:
    """Put a test into the outbox for each method that the user has an address for; returns the methods."""
    me, found = accounts.person(user), of(user)
    now = timezone.now()
    rows = [
        Notification(
            kind=rules.TEST,
            fact=f"test:{me.pk}:{now.isoformat()}",
            user=me,
            method=method,
            address=address,
            next_at=now,
        )
        for method in rules.METHODS
        if (address := address_for(me, found, method))
    ]
    Notification.objects.bulk_create(rows)
    return [row.method for row in rows]


def methods_for(preference: NotificationPreference | None, kind: str, declared: Sequence[str]) -> list[str]:
    """What the entry asks for and what the user chose; nothing of a kind that the user muted."""
    chosen = preference.chosen if preference is not None else {}
    if kind in (chosen.get(MUTED) or ()):
        return []
    own = chosen.get(kind) or ()
    return [method for method in rules.METHODS if method in own or method in declared]


def address_for(user: User, preference: NotificationPreference | None, method: str) -> str:
    """Where the user is reached that way, "" for nowhere."""
    match method:
        case "email":
            return user.email
        case "browser":
            return f"user:{user.pk}"
        case "chat":
            return preference.chat if preference is not None else ""
        case "webhook":
            return preference.webhook if preference is not None else ""
    return ""


def _refuse_addresses(chat_address: str, webhook_address: str) -> None:
    found = {}
    if chat_address and (why := chat.why_not(chat_address)):
        found["chat"] = [why]
    if webhook_address and (why := webhook.why_not(webhook_address)):
        found["webhook"] = [why]
    if found:
        raise Refused("Nothing can be sent there.", found)
