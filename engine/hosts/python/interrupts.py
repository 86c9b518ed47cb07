"""Stopping Python code by force: an exception at the next bytecode of a thread. C code hears it when it is done.

Until a thread takes such an exception, all threads of the process look for one: in CPython 3.11 a function that is
entered under a profiler or a debugger then never begins. So what nobody takes is settled.
"""

from __future__ import annotations

import ctypes
import threading

PATIENCE_SECONDS = 1.0
"""Python code takes the exception long before; what has not by then is held in C."""


class Abandoned(BaseException):
    """Nobody waits for this code any more. No Exception: code that catches all of those goes on to the end."""


class _Settled(BaseException):
    """Raised and caught at once."""


def interrupt(thread: int) -> None:
    """Raise Abandoned in the thread of that `ident`."""
    _raise_in(thread, Abandoned)
    timer = threading.Timer(PATIENCE_SECONDS, settle)
    timer.daemon = True
    timer.start()


def settle() -> None:
    """Let no thread look for an exception any more, and this one forget its own; others keep theirs, which they take
    when they next let another thread go on.
    """
    try:
        _raise_in(threading.get_ident(), _Settled)
        while True:
            pass
    except _Settled:
        return


def _raise_in(thread: int, error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
