"""Become another program that dies with the process that started it.

Run as a script by its path, before any import of ours: it asks the kernel for a SIGKILL at the parent's
death and then replaces itself. Doing the same in a `preexec_fn` of the parent is not safe beside threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PARENT = "WIPPY_PARENT"
PR_SET_PDEATHSIG = 1


def launched(command: list[str]) -> list[str]:
    """Return the command line that runs `command` bound to the life of this process."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def main(parent: str, command: list[str]) -> None:
    """Bind this process to its parent and become the command; WIPPY_PARENT tells Python children whom to watch."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):  # it died before the kernel was asked
        sys.exit(1)
    os.environ[PARENT] = parent
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
