"""How long tests wait: long for what must come at all, and by the machine's load where a deadline is the promise."""

from __future__ import annotations

import os
from pathlib import Path

PATIENCE = 120.0
"""Seconds for what must come. Only a test that fails waits them out, so they are many: machines may be loaded."""


def at_most(seconds: float) -> float:
    """Return a deadline that a test promises, longer where programs share the cores: each gets a part of one."""
    return seconds * max(1.0, _wanting() / (os.cpu_count() or 1))


def _wanting() -> float:
    """How many programs want a core, on the average of a minute or now."""
    now = Path("/proc/loadavg")
    running = float(now.read_text().split()[3].split("/")[0]) if now.exists() else 0.0
    return max(os.getloadavg()[0], running)
