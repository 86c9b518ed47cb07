"""Who runs next, and on which thread: first come, first served within a family, and the families in turn.

Short steps are best run by one thread: a second one would mostly wait for the GIL (measured: a third
of the messages per second). While steps are long (Lua runs without the GIL), more threads help, and
when all of them are held up by endless steps, one more is started, so that busy units can't starve
the rest. A check every few milliseconds tells the cases apart by the number of time slices since the last.
How many threads the steps of one family or program hold at most is the business of the queue.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from engine.hosts.actor.concurrency.lock import OwnedLock
from engine.hosts.actor.concurrency.ready import Bounds, ReadyQueue, Turn, bounds_of_this_machine

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

INTERVAL = 0.005
SHORT_SLICES = 10  # so many time slices in one interval are short ones
STALLED_CHECKS = 4  # so many intervals without a slice call for one more thread
BACKLOG = 4  # with more than this ready, another thread helps at once
CEILING = 96  # an endless step holds one until the watch interrupts it


class Scheduler(Generic[Item]):
    """The ready queue and its threads. `timer(seconds, callback)` calls back once with the lock held."""

    def __init__(
        self,
        lock: OwnedLock,
        timer: Callable[[float, Callable[[], None]], object],
        *,
        threads: int = 2,
        ceiling: int = CEILING,
        bounds: Bounds | None = None,
    ) -> None:
        self._changed = threading.Condition(lock)
        self._timer = timer
        self._least = threads
        self._ceiling = ceiling
        self._run_slice: Callable[[Item], None] = _refuse
        self._ready: ReadyQueue[Item] = ReadyQueue(bounds or bounds_of_this_machine())
        self._threads: dict[int, threading.Thread] = {}
        self._idle = 0
        self._slices = 0
        self._seen = 0
        self._stalled = 0
        self._watching = False
        self._closing = False

    @property
    def threads(self) -> int:
        """How many threads there are now."""
        return len(self._threads)

    def start(self, run: Callable[[Item], None]) -> None:
        """Start the threads; they call `run`, without the lock, for whatever is first in the queue."""
        with self._changed:
            self._run_slice = run
            for _ in range(self._least):
                self._grow()

    def close(self) -> None:
        """Let the threads end when the ready queue is empty; does not wait for them."""
        with self._changed:
            self._closing = True
            self._idle = 0
            self._changed.notify_all()

    def join(self, timeout: float) -> None:
        """Wait for the threads to end; a step that hangs is left behind (the threads are daemons)."""
        for thread in list(self._threads.values()):
            thread.join(timeout)

    def push(self, item: Item, family: str = "", program: str = "") -> None:
        """Queue an actor for a time slice; for those who hold the lock. Families take turns, however many wait in one.

        A thread of ours that pushes an actor goes on to run it itself: waking another thread for it
        would cost more than a short slice. From elsewhere an idle thread is woken.
        """
        self._ready.push(item, family, program)
        if self._idle and (len(self._ready) > BACKLOG or threading.get_ident() not in self._threads):
            self._wake_one()
        elif not self._watching:
            self._watch_progress()

    def _wake_one(self) -> None:
        # No longer idle from now on: until it has the lock, another push would count on it, and watch nobody.
        self._idle -= 1
        self._changed.notify()

    def _grow(self) -> None:
        thread = threading.Thread(target=self._run, name=f"actors-{len(self._threads) + 1}", daemon=True)
        thread.start()
        # `ident` is set when start() returns; the thread itself waits for the lock that we hold.
        self._threads[thread.ident or 0] = thread

    def _run(self) -> None:
        turn = self._next(None)
        while turn is not None:
            try:
                self._run_slice(turn[0])
            except Exception:  # a defect of ours; the thread has others to serve
                logger.exception("the time slice of %s broke", turn[0])
            turn = self._next(turn)

    def _next(self, done: Turn[Item] | None) -> Turn[Item] | None:
        with self._changed:
            let_go = done is not None and self._ready.done(done)
            while (turn := self._ready.pop()) is None:
                if self._closing:
                    return None
                self._idle += 1
                self._changed.wait()
            if let_go and not self._watching:
                self._watch_progress()
            self._slices += 1
            return turn

    def _watch_progress(self) -> None:
        self._watching = True
        self._seen = self._slices
        self._timer(INTERVAL, self._check_progress)

    def _check_progress(self) -> None:
        self._watching = False
        if not self._ready or self._closing:
            self._stalled = 0
            return
        slices = self._slices - self._seen
        self._stalled = 0 if slices else self._stalled + 1
        if self._idle and slices < SHORT_SLICES:
            self._wake_one()
        elif self._stalled >= STALLED_CHECKS and len(self._threads) < self._ceiling:
            self._stalled = 0
            self._grow()
        self._watch_progress()


def _refuse(item: object) -> None:
    raise RuntimeError("the scheduler is not started")
