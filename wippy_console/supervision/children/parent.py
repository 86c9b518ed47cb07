"""How a Python child notices that the process that supervises it is gone."""

from __future__ import annotations

import os
import signal
import threading
import time

from wippy_console.supervision.children.launch import PARENT

INTERVAL = 1.0
GRACE = 10.0


def watch_parent() -> None:
    """End this process when its supervisor dies. Does nothing in a process that nobody supervises.

    On Linux the kernel's signal (`launch`) is faster; this also works elsewhere. The variable is taken out
    of the environment so that processes which this one starts do not inherit it.
    """
    parent = os.environ.pop(PARENT, "")
    if parent:
        threading.Thread(target=_watch, args=(int(parent),), name="parent-watch", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(INTERVAL)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)
