"""The loop of async functions, on a thread of its own: code that blocks it stalls its like, never the node."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

from engine.errors import UnitFailed
from engine.hosts.python.call import PythonCall, stopped
from engine.hosts.python.interrupts import Abandoned, interrupt

AroundAsync = Callable[[PythonCall], AbstractAsyncContextManager[None]]


class AsyncLoop:
    """Runs coroutines of calls, `most` at once; the thread begins with the first."""

    def __init__(self, most: int, around: AroundAsync) -> None:
        self._around = around
        self._most = most
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._places = asyncio.Semaphore(most)
        self._calls: dict[asyncio.Task[Any], PythonCall] = {}

    def submit(self, call: PythonCall, work: Callable[[], Coroutine[Any, Any, Any]]) -> Future[Any]:
        """Run it; a wish to stop it cancels its task."""
        return asyncio.run_coroutine_threadsafe(self._run(call, work), self._running())

    def close(self) -> None:
        """End the loop; a coroutine that blocks it is left behind."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            _quietly(loop, loop.stop)

    def probe(self, callback: Callable[[], None]) -> None:
        """Call back from the loop, as soon as nothing blocks it."""
        loop = self._loop
        with suppress(RuntimeError):
            if loop is not None:
                loop.call_soon_threadsafe(callback)

    def blocking(self) -> PythonCall | None:
        """The call whose code runs now; for those who found that the loop does not answer."""
        loop = self._loop
        task = asyncio.current_task(loop) if loop is not None else None
        return self._calls.get(task) if task is not None else None

    def calls(self) -> tuple[PythonCall, ...]:
        """Those whose coroutines are not done; from any thread."""
        return tuple(self._calls.values())

    def break_off(self) -> None:
        """Raise Abandoned in what blocks the loop, when nobody waits for it any more."""
        call, thread = self.blocking(), self._thread
        if call is not None and call.given_up and thread is not None:
            interrupt(thread.ident or 0)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._serve, args=(loop,), name="python functions", daemon=True)
                self._thread.start()
            return self._loop

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._loop is loop:  # code of a call may stop it, which is not its to end
            with suppress(Abandoned):  # it struck a moment after its code had gone on
                loop.run_forever()
        loop.close()

    async def _run(self, call: PythonCall, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        call.on_cancel(lambda: _quietly(loop, task.cancel))
        call.on_given_up(lambda: _quietly(loop, task.cancel))
        try:
            async with self._places:
                self._calls[task] = call
                call.check()
                async with self._around(call):
                    return await work()
        except (asyncio.CancelledError, Abandoned):
            raise UnitFailed(stopped(call.reason)) from None
        finally:
            self._calls.pop(task, None)


def _quietly(loop: asyncio.AbstractEventLoop, callback: Callable[[], Any]) -> None:
    with suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(callback)
