"""How often somebody may try: so many wrong links a minute from one address, and one link as often."""

from __future__ import annotations

from hashlib import sha256
from time import time

from django.core.cache import cache

from wippy_console.models import GuestLink
from wippy_console.services.errors import NotFoundError, Refused
from wippy_console.services.guests.links import find

MOST = 20
SECONDS = 60


class TooMany(Refused):
    """Too many tries; `SECONDS` later there may be more."""

    status = 429


def enter(address: str, token: str) -> GuestLink:
    """The link with that secret, for somebody at that address; NotFoundError, and TooMany after too many of those.

    A link is entered so many times a minute, too. Each web process counts for itself.
    """
    at_address, with_link = _key("from", address), _key("link", token)
    if cache.get(at_address, 0) >= MOST or _count(with_link) > MOST:
        raise TooMany("That was too often. Wait a minute, then try again.")
    try:
        return find(token)
    except NotFoundError:
        _count(at_address)
        raise


def _key(kind: str, who: str) -> str:
    minute = int(time()) // SECONDS
    return f"guest-{sha256(f'{kind} {minute} {who}'.encode(errors='replace')).hexdigest()}"


def _count(key: str) -> int:
    cache.add(key, 0, 2 * SECONDS)
    try:
        return cache.incr(key)
    except ValueError:  # it was dropped in between
        return 1
