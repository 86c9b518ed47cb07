"""Writes that carry an `Idempotency-Key`: a repeat gets the answer of the first, for a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

from django.db import transaction
from django.utils import timezone

from wippy_console.models import RepeatedRequest
from wippy_console.services.errors import Conflict, Refused

KEPT = timedelta(days=1)
_ABANDONED = timedelta(minutes=2)
"""So long after it began, what has no answer is taken for one whose process died."""

_SWEPT_AT_ONCE = 100
LONGEST_KEY = 255
MOST_KEPT_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered; `headers` are those that belong to it."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    is_repeat: bool = False


def once(caller: str, key: str, said: tuple[str, ...], body: bytes, act: Callable[[], Answer]) -> Answer:
    """The answer of `act`, or the one that this key of the caller got before, when it said the same.

    `act` itself must have one effect however often it is tried, since a process may die behind its back.
    Conflict for another request by the same key, and while the first is under way; Refused for what is no key.
    """
    _refuse_bad(key)
    row = _begun(caller, key, _fingerprint(said, body))
    if row.status is not None:
        return Answer(row.status, bytes(row.body), row.headers, is_repeat=True)
    try:
        answer = act()
    except BaseException:
        row.delete()
        raise
    if answer.status >= 500 or answer.status == 429 or len(answer.body) > MOST_KEPT_BYTES:
        row.delete()  # nothing was decided, or too much was said: the next try asks anew
    else:
        row.status, row.body, row.headers = answer.status, answer.body, dict(answer.headers)
        row.save(update_fields=["status", "body", "headers"])
    return answer


def _begun(caller: str, key: str, fingerprint: str) -> RepeatedRequest:
    now = timezone.now()
    with transaction.atomic():
        _sweep()
        fresh = {"fingerprint": fingerprint, "created_at": now, "begun_at": now}
        row, is_new = RepeatedRequest.objects.select_for_update().get_or_create(caller=caller, key=key, defaults=fresh)
        if is_new:
            return row
        if row.created_at < now - KEPT:
            row.fingerprint, row.status, row.created_at, row.begun_at = fingerprint, None, now, now
            row.save()
            return row
        if row.fingerprint != fingerprint:
            raise Conflict("This Idempotency-Key was used for another request; take a new one for each request.")
        if row.status is None:
            if row.begun_at > now - _ABANDONED:
                raise Conflict("The first request with this Idempotency-Key is under way; ask again in a moment.")
            row.begun_at = now
            row.save(update_fields=["begun_at"])
    return row


def _sweep() -> None:
    """Each new one takes some of the old ones away, so that there are never many."""
    old = RepeatedRequest.objects.filter(created_at__lt=timezone.now() - KEPT).order_by("created_at")
    RepeatedRequest.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:_SWEPT_AT_ONCE])).delete()


def _fingerprint(said: tuple[str, ...], body: bytes) -> str:
    return sha256(repr(said).encode(errors="surrogatepass") + b"\0" + body).hexdigest()


def _refuse_bad(key: str) -> None:
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable() or not key.isascii():
        raise Refused(f"Idempotency-Key: 1 to {LONGEST_KEY} printable ASCII characters.")
