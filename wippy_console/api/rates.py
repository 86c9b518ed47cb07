"""How many requests a caller may send: counted by the minute in the cache, in Redis for all web processes together."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.core.cache import cache

WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Rate:
    """Where a caller stands; `reset` is in seconds."""

    limit: int
    remaining: int
    reset: int
    is_over: bool

    @property
    def headers(self) -> dict[str, str]:
        """As the IETF's draft of rate limit headers has them."""
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }
        return {**told, "Retry-After": str(self.reset)} if self.is_over else told


def count(caller: str, limit: int) -> Rate:
    """Count one request of the caller's."""
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    key = f"api-rate:{caller}:{window}"
    cache.add(key, 0, WINDOW_SECONDS * 2)
    try:
        used = cache.incr(key)
    except ValueError:  # it was dropped in between
        used = 1
    reset = max(1, round((window + 1) * WINDOW_SECONDS - now))
    return Rate(limit, max(0, limit - used), reset, used > limit)
