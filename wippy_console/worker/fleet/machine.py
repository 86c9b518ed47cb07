"""This machine, what runs on it, and which of its processes live: a killed node is dead before its heartbeat is old."""

from __future__ import annotations

import os
import socket
import tomllib
import uuid
from functools import cache
from importlib.metadata import version
from pathlib import Path

from engine.steps import KERNEL

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_TOP = Path(__file__).parents[3]
_PID_NAMESPACE = Path("/proc/self/ns/pid")


@cache
def product_version() -> str:
    """What runs here, in words: the product, the kernel of its runs, the SDK."""
    try:
        ours = tomllib.loads((_TOP / "pyproject.toml").read_text())["project"]["version"]
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        ours = "?"
    return f"{ours}, kernel {KERNEL}, SDK {version('temporalio')}"[:100]


@cache
def machine_id() -> str:
    """What all processes share that can see each other's process ids: one boot of a machine, or of a container."""
    try:
        return f"{socket.gethostname()} {_BOOT.read_text().strip()} {os.readlink(_PID_NAMESPACE)}"[:200]
    except OSError:  # not Linux
        return f"{socket.gethostname()} {uuid.getnode():x}"[:200]


def is_running(os_pid: int) -> bool:
    """Whether a process of this machine lives; a zombie does not. Another one may have taken its id since."""
    try:
        os.kill(os_pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{os_pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return True
