"""The memory of this OS process as Linux counts it."""

from __future__ import annotations

import re
from pathlib import Path


def resident() -> int:
    """Bytes of RSS."""
    return _bytes("VmRSS")


def highest() -> int:
    """The most bytes of RSS since `forget_highest`."""
    return _bytes("VmHWM")


def forget_highest() -> None:
    """Begin to look for the highest anew."""
    Path("/proc/self/clear_refs").write_text("5")


def _bytes(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) << 10
