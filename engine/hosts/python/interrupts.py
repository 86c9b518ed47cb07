"""Stopping Python code by force: an exception at the next bytecode of a thread. C code hears it when it is done."""

from __future__ import annotations

import ctypes


class Abandoned(BaseException):
    """Nobody waits for this code any more. No Exception: code that catches all of those goes on to the end."""


def interrupt(thread: int) -> None:
    """Raise Abandoned in the thread of that `ident`."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Abandoned))


def forget(thread: int) -> None:
    """Take back what was not raised yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None)
