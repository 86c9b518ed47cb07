"""The bridge to the event loop: callbacks and timers, usable from any thread."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from functools import partial

from engine.hosts.actor.concurrency.deadlines import Callback, Deadlines, Timer
from engine.hosts.actor.concurrency.lock import OwnedLock

logger = logging.getLogger(__name__)

# A flood of posts must not keep all else of the loop waiting: a portion takes about a millisecond.
PORTION = 256


class LoopBridge:
    """Runs callbacks on the node's loop. Many posts cost one wake-up of the loop."""

    def __init__(self, lock: OwnedLock) -> None:
        self._lock = lock
        self._deadlines = Deadlines(lock)
        self._calls: deque[Callback] = deque()
        self._woken = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Bind to the running loop."""
        self._loop = asyncio.get_running_loop()
        if self._calls:
            self._wake(self._loop)

    def stop(self) -> None:
        """Drop what is posted from now on: the loop is about to go away."""
        self._loop = None
        self._deadlines.clear()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop; an error when not started."""
        if self._loop is None:
            raise RuntimeError("the node is not running")
        return self._loop

    def post(self, callback: Callback) -> None:
        """Call back on the loop soon, in order of posting. From any thread."""
        self._calls.append(callback)
        loop = self._loop
        if loop is not None and not self._woken:
            self._wake(loop)

    def timer(self, seconds: float, callback: Callback) -> Timer:
        """Call back on the loop, with the lock held, after `seconds`. From any thread."""
        loop = self._loop
        if loop is None:
            return Timer(0, callback)
        timer = Timer(loop.time() + seconds, callback)
        self.post(partial(self._deadlines.add, loop, timer))
        return timer

    def stop_timer(self, timer: Timer) -> None:
        """The timer never calls back from now on. From any thread that holds the lock."""
        assert self._lock.held()
        timer.callback = None
        self.post(partial(self._deadlines.stopped, timer))

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        self._woken = True
        try:
            loop.call_soon_threadsafe(self._drain)
        except RuntimeError:  # a step that outlived its loop still wants to tell something
            logger.debug("the loop is closed")

    def _drain(self) -> None:
        # Reset before counting: what is posted after the count wakes the loop again, and the loop breathes between.
        self._woken = False
        for _ in range(min(len(self._calls), PORTION)):
            try:
                self._calls.popleft()()
            except Exception:
                logger.exception("a callback of the actor host failed")
        if self._calls and not self._woken and self._loop is not None:
            self._wake(self._loop)
