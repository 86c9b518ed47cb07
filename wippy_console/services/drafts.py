"""Drafts: what somebody typed into a form and has not sent. Each belongs to one person; nobody else may read it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from wippy_console.models import Draft

Pairs = Sequence[tuple[str, str]]

KEPT = timedelta(days=30)
MOST = 20
"""Of one person; the oldest goes first. The size of each is bounded by that of a request."""

LONGEST_ADDRESS = 16_000


def save(user: User, address: str, content: Pairs, why: str = Draft.Why.TYPED) -> None:
    """Keep it instead of what was kept of this form before. One write, but for the first of a form."""
    if len(address) > LONGEST_ADDRESS or "\0" in address:
        return
    kept = {"content": json.dumps(content), "why": why, "saved_at": timezone.now()}
    digest = _digest(address)
    if Draft.objects.filter(user=user, digest=digest).update(**kept):
        return
    Draft.objects.update_or_create(user=user, digest=digest, defaults={"address": address, **kept})
    _prune(user)


def find(user: User, address: str) -> Draft | None:
    """What is kept of the form."""
    since = timezone.now() - KEPT
    return Draft.objects.filter(user=user, digest=_digest(address), saved_at__gte=since).first()


def content(draft: Draft) -> list[tuple[str, str]]:
    """Its fields."""
    return [(name, text) for name, text in json.loads(draft.content)]


def discard(user: User, address: str) -> None:
    """Forget it: it was sent, or is not wanted."""
    Draft.objects.filter(user=user, digest=_digest(address)).delete()


def _prune(user: User) -> None:
    Draft.objects.filter(saved_at__lt=timezone.now() - KEPT).delete()
    newest = list(Draft.objects.filter(user=user).values_list("pk", flat=True)[:MOST])
    Draft.objects.filter(user=user).exclude(pk__in=newest).delete()


def _digest(address: str) -> str:
    return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()
