"""How many requests a caller may send in a window of time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from hashlib import sha256

from wippy_console.services import counting

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Rate:
    """Where a caller stands; `reset` is in seconds."""

    limit: int
    remaining: int
    reset: int
    is_over: bool
    is_first_over: bool

    @property
    def headers(self) -> dict[str, str]:
        """As the IETF's draft of rate limit headers has them."""
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }
        return {**told, "Retry-After": str(self.reset)} if self.is_over else told


def count(caller: str, limit: int, window: float = MINUTE) -> Rate:
    """Count one request of the caller's."""
    now = time.time()
    number = int(now // window)
    digest = sha256(caller.encode(errors="replace")).hexdigest()
    used = counting.count(f"rate:{digest}:{window:g}:{number}", int(window * 2))
    reset = max(1, round((number + 1) * window - now))
    return Rate(limit, max(0, limit - used), reset, used > limit, used == limit + 1)
