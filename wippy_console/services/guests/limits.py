"""How often somebody may try: so many times a minute from one address, and as often with one link."""

from __future__ import annotations

import time
from hashlib import sha256

from django.core.cache import cache

from wippy_console.services.errors import Refused

MOST = 20
SECONDS = 60


class TooMany(Refused):
    """Too many tries; `SECONDS` later there may be more."""

    status = 429


def slow_down(address: str, token: str) -> None:
    """Count a try; TooMany where there were enough. Each web process counts for itself."""
    minute = int(time.time()) // SECONDS
    counts = [_count(f"{kind}\n{minute}\n{who}") for kind, who in (("from", address), ("link", token))]
    if max(counts) > MOST:
        raise TooMany("That was too often. Wait a minute, then try again.")


def _count(what: str) -> int:
    key = f"guest-{sha256(what.encode(errors='replace')).hexdigest()}"
    cache.add(key, 0, 2 * SECONDS)
    try:
        return cache.incr(key)
    except ValueError:  # it was dropped in between
        return 1
