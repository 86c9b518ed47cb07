"""The heap of glibc: what of it is free, and giving that back to the system. Elsewhere there is nothing to do."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache

LEAST = 64 << 20
"""Fewer bytes than these are not worth giving back."""
PAUSE = 10.0
"""Seconds between two times at least."""

_FIELDS = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"


class _Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in _FIELDS.split()]


@cache
def malloc_trim() -> Callable[[], None] | None:
    """Glibc's `malloc_trim(0)`, None where there is no glibc. It runs without the GIL."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    trim.argtypes = (ctypes.c_size_t,)
    return lambda: trim(0)


@cache
def free_bytes() -> Callable[[], int] | None:
    """How many bytes are free in all arenas, also those given back already; None where glibc can't say."""
    if malloc_trim() is None:
        return None
    try:
        info = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        return None
    info.restype = _Info
    return lambda: int(info().fordblks)
