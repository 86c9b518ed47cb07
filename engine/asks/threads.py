"""Threads for what units ask: apart from all else, so that who asks much keeps nobody waiting but those who ask too.

What computes in Python gives the interpreter away every few milliseconds only, and a new unit takes it thirty times:
beside two such threads a call waited 0.4 s. While one of ours runs, turns are shorter; always so, they would cost a few
percent of all messages.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

Args = ParamSpec("Args")
Result = TypeVar("Result")

THREADS = 2
SHORT = 0.0005
"""Seconds of a turn."""
_threads = ThreadPoolExecutor(THREADS, "asks")


async def on_thread(function: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs) -> Result:
    """The result of a function that may take a while."""

    def run() -> Result:
        with _turns.short():
            return function(*args, **kwargs)

    return await asyncio.get_running_loop().run_in_executor(_threads, run)


class _Turns:
    """The length of turns of the interpreter, in all threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._short = 0
        self._usual = 0.0

    @contextmanager
    def short(self) -> Iterator[None]:
        """Short ones, until the last that wants them so has ended."""
        with self._lock:
            if not self._short:
                self._usual = sys.getswitchinterval()
                sys.setswitchinterval(SHORT)
            self._short += 1
        try:
            yield
        finally:
            with self._lock:
                self._short -= 1
                if not self._short:
                    sys.setswitchinterval(self._usual)


_turns = _Turns()
