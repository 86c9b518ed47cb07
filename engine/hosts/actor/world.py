"""The clock and the entropy of actors: the real ones."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from engine.steps import Value


class SystemWorld:
    """One shared instance serves every actor; it keeps no state."""

    def now(self) -> int:
        """Nanoseconds since the epoch."""
        return time.time_ns()

    def random_bytes(self, count: int) -> bytes:
        """`count` bytes from the operating system."""
        return os.urandom(count)

    def workflow_info(self) -> Mapping[str, Value] | None:
        """None: an actor is no workflow."""
        return None
