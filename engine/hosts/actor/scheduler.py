"""Who runs next, and on which thread: first come, first served.

Short steps are best run by one thread: a second one would mostly wait for the GIL (measured: a third
of the messages per second). While steps are long (Lua runs without the GIL), more threads help, and
when all of them are held up by endless steps, one more is started, so that busy units can't starve
the rest. A check every few milliseconds tells the cases apart by the number of turns since the last.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from engine.hosts.actor.actor import Actor

logger = logging.getLogger(__name__)

INTERVAL = 0.005
SHORT_TURNS = 10  # so many turns in one interval are short ones
STALLED_CHECKS = 10  # so many intervals without a turn call for one more thread
BACKLOG = 4  # with more than this ready, another thread helps at once
CEILING = 32


class Scheduler:
    """The ready queue and its threads. `turn` runs one actor's turn, without the lock.

    `watch(seconds, callback)` calls back once with the lock held; it is the system's timer.
    """

    def __init__(
        self,
        lock: threading.RLock,
        turn: Callable[[Actor], None],
        watch: Callable[[float, Callable[[], None]], object],
        *,
        threads: int = 2,
        ceiling: int = CEILING,
    ) -> None:
        self._changed = threading.Condition(lock)
        self._turn = turn
        self._watch = watch
        self._least = threads
        self._ceiling = ceiling
        self._ready: deque[Actor] = deque()
        self._threads: dict[int, threading.Thread] = {}
        self._idle = 0
        self._turns = 0
        self._seen = 0
        self._stalled = 0
        self._watching = False
        self._closing = False

    @property
    def threads(self) -> int:
        """How many threads there are now."""
        return len(self._threads)

    def start(self) -> None:
        """Start the threads."""
        with self._changed:
            for _ in range(self._least):
                self._grow()

    def close(self) -> None:
        """Let the threads end when the ready queue is empty; does not wait for them."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def join(self, timeout: float) -> None:
        """Wait for the threads to end; a step that hangs is left behind (the threads are daemons)."""
        for thread in list(self._threads.values()):
            thread.join(timeout)

    def push(self, actor: Actor) -> None:
        """Queue an actor for a turn. Lock held.

        A thread of ours that pushes an actor goes on to run it itself: waking another thread for it
        would cost more than a short turn. From elsewhere an idle thread is woken.
        """
        self._ready.append(actor)
        if self._idle and (len(self._ready) > BACKLOG or threading.get_ident() not in self._threads):
            self._changed.notify()
        elif not self._watching:
            self._watch_progress()

    def _grow(self) -> None:
        thread = threading.Thread(target=self._run, name=f"actors-{len(self._threads) + 1}", daemon=True)
        thread.start()
        # `ident` is set when start() returns; the thread itself waits for the lock that we hold.
        self._threads[thread.ident or 0] = thread

    def _run(self) -> None:
        while (actor := self._next()) is not None:
            try:
                self._turn(actor)
            except Exception:  # a defect of ours; the thread has others to serve
                logger.exception("the turn of %s broke", actor.pid)

    def _next(self) -> Actor | None:
        with self._changed:
            while not self._ready:
                if self._closing:
                    return None
                self._idle += 1
                self._changed.wait()
                self._idle -= 1
            self._turns += 1
            return self._ready.popleft()

    def _watch_progress(self) -> None:
        self._watching = True
        self._seen = self._turns
        self._watch(INTERVAL, self._check_progress)

    def _check_progress(self) -> None:
        self._watching = False
        if not self._ready or self._closing:
            self._stalled = 0
            return
        turns = self._turns - self._seen
        self._stalled = 0 if turns else self._stalled + 1
        if self._idle and turns < SHORT_TURNS:
            self._changed.notify()
        elif self._stalled >= STALLED_CHECKS and len(self._threads) < self._ceiling:
            self._stalled = 0
            self._grow()
        self._watch_progress()
