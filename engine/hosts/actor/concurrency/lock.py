"""The lock of a node's actors."""

from __future__ import annotations

from _thread import RLock
from collections.abc import Callable


class OwnedLock(RLock):  # type: ignore[misc] # final only to the stubs
    """A reentrant lock that tells whether this thread has it.

    A subclass of the C type: a wrapper in Python would cost more than what most of its holders do.
    """

    __slots__ = ()

    held: Callable[[], bool] = RLock._is_owned  # type: ignore[attr-defined]
    """Whether the calling thread holds the lock; takes about 50 ns. (`threading.Condition` asks by it, too.)"""
