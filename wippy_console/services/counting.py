"""Counts that expire, shared by all web processes through Redis; while it is away each process counts for itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.core.cache import BaseCache, caches

logger = logging.getLogger(__name__)

OWN = "process"
"""The cache of this process alone."""
PAUSE_SECONDS = 5.0
"""So long Redis is left alone after it failed: no request waits for it twice."""

_again_at = 0.0


def count(key: str, seconds: int) -> int:
    """Count one, and return how many that makes within about so many seconds."""
    return _with_cache(lambda cache: _count(cache, key, seconds))


def counted(key: str) -> int:
    """How many were counted."""
    return _with_cache(lambda cache: int(cache.get(key, 0)))


def _count(cache: BaseCache, key: str, seconds: int) -> int:
    cache.add(key, 0, seconds)
    try:
        return cache.incr(key)
    except ValueError:  # it was dropped in between
        return 1


def _with_cache(act: Callable[[BaseCache], int]) -> int:
    global _again_at  # noqa: PLW0603 - one Redis per process
    if time.monotonic() >= _again_at:
        try:
            return act(caches["default"])
        except Exception as error:  # whatever its library raises: nobody is refused for want of a count
            _again_at = time.monotonic() + PAUSE_SECONDS
            logger.warning("Redis does not answer, so each web process counts for itself: %s", error)
    return act(caches[OWN])
