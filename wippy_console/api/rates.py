"""How many requests a caller may send: counted by the minute."""

from __future__ import annotations

import time
from dataclasses import dataclass

from wippy_console.services import counting

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
    used = counting.count(f"api-rate:{caller}:{window}", WINDOW_SECONDS * 2)
    reset = max(1, round((window + 1) * WINDOW_SECONDS - now))
    return Rate(limit, max(0, limit - used), reset, used > limit)
