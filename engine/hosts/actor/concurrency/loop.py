"""The bridge to the event loop: callbacks and timers, usable from any thread."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from engine.hosts.actor.concurrency.lock import OwnedLock

logger = logging.getLogger(__name__)

Callback = Callable[[], object]

# A flood of posts must not keep all else of the loop waiting: a portion takes about a millisecond.
PORTION = 256


class LoopBridge:
    """Runs callbacks on the node's loop. Many posts cost one wake-up of the loop."""

    def __init__(self, lock: OwnedLock) -> None:
        self._lock = lock
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
        timer = Timer(self, self._lock, callback)
        loop = self._loop
        if loop is not None:
            deadline = loop.time() + seconds
            self.post(lambda: timer.arm(loop, deadline))
        return timer

    def stop_timer(self, timer: Timer) -> None:
        """The timer never calls back from now on. From any thread that holds the lock."""
        assert self._lock.held()
        timer.disarm()
        self.post(timer.drop)

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


class Timer:
    """One pending callback. Made by `LoopBridge.timer`."""

    __slots__ = ("_bridge", "_callback", "_handle", "_lock")

    def __init__(self, bridge: LoopBridge, lock: OwnedLock, callback: Callback) -> None:
        self._bridge = bridge
        self._lock = lock
        self._callback: Callback | None = callback
        self._handle: asyncio.TimerHandle | None = None

    def arm(self, loop: asyncio.AbstractEventLoop, deadline: float) -> None:
        """Begin to wait, unless disarmed already. On the loop."""
        if self._callback is not None:
            self._handle = loop.call_at(deadline, self._fire)

    def disarm(self) -> None:
        """Forget the callback."""
        self._callback = None

    def drop(self) -> None:
        """Take the timer off the loop, so that a long one does not linger. On the loop."""
        if self._handle is not None:
            self._handle.cancel()

    def _fire(self) -> None:
        self._bridge.post(self._call)  # in its turn: a hundred thousand may be due at once

    def _call(self) -> None:
        with self._lock:
            callback, self._callback = self._callback, None
            if callback is not None:
                callback()
