"""One reader of the feed per web process; sockets wait on it and read from its memory.

A thread with a database connection of its own polls: SQLite says by `PRAGMA data_version`, at the price of
microseconds, whether anybody committed since; elsewhere the newest id says it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from wippy_console.database.changes import stamp
from wippy_console.live.frames import Frame, rendered, warm_up
from wippy_console.models import Run
from wippy_console.services import feed
from wippy_console.services.feed import Sight

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.05
PAUSE_AFTER_ERROR = 1.0
CAPACITY = 2000
BATCH = 500


@dataclass(eq=False)
class Subscription:
    """One listener. `wake` is set on its own loop when there may be something new."""

    loop: asyncio.AbstractEventLoop
    run_id: str = ""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    _hint: dict[str, Any] | None = field(default=None, init=False)

    def take_hint(self) -> dict[str, Any] | None:
        """The newest hint that was not taken yet."""
        hint, self._hint = self._hint, None
        return hint

    def notify(self, hint: dict[str, Any] | None = None) -> None:
        """Wake the listener, perhaps with a hint; a loop that has ended is no error."""
        if hint is not None:
            self._hint = hint
        try:
            self.loop.call_soon_threadsafe(self.wake.set)
        except RuntimeError:
            logger.debug("a listener's loop has ended")


class Tailer:
    """Follows the feed while anybody listens. All methods are safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames: deque[Frame] = deque(maxlen=CAPACITY)
        self._floor = 0
        self._head = 0
        self._ready = threading.Event()
        self._polled_at = 0.0
        self._subscriptions: set[Subscription] = set()
        self._run_states: dict[str, tuple[int, str, str]] = {}
        self._thread: threading.Thread | None = None

    # -- listeners ---------------------------------------------------------------------------------

    def subscribe(self, run_id: str = "") -> Subscription:
        """Begin to listen; call from the listener's loop. With `run_id`, changes of that run are hinted too."""
        subscription = Subscription(asyncio.get_running_loop(), run_id)
        with self._lock:
            self._subscriptions.add(subscription)
            if self._thread is None:
                self._ready.clear()
                self._polled_at = time.monotonic()
                self._thread = threading.Thread(target=self._follow, name="feed-tailer", daemon=True)
                self._thread.start()
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Stop listening; the thread ends with its last listener."""
        with self._lock:
            self._subscriptions.discard(subscription)

    def silent_seconds(self) -> float | None:
        """For how long the feed could not be read; None when nobody listens."""
        with self._lock:
            return None if self._thread is None else time.monotonic() - self._polled_at

    def read(
        self,
        cursor: int,
        run_id: str = "",
        kinds: tuple[str, ...] = (),
        limit: int = 100,
        seen: Sight = feed.EVERYTHING,
        fits: Callable[[Frame], bool] | None = None,
    ) -> tuple[list[Frame], int] | None:
        """Matching frames after `cursor` and the new cursor, or None when that lies before what is kept."""
        with self._lock:
            if not self._ready.is_set() or cursor < self._floor:
                return None
            found: list[Frame] = []
            for each in self._frames:
                if each.id > cursor and each.matches(run_id, kinds, seen) and (fits is None or fits(each)):
                    found.append(each)
                    if len(found) == limit:
                        return found, each.id
            return found, max(cursor, self._head)

    # -- the thread --------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Poll until nobody listens; a database that fails is tried again."""
        seen: object = None
        pause = threading.Event()
        while self._wanted():
            try:
                if not self._ready.is_set():
                    self._begin()
                now = stamp()
                if now != seen:
                    self._take_new()
                    self._hint_runs()
                    seen = now
                self._polled_at = time.monotonic()
                pause.wait(POLL_SECONDS)
            except Exception:  # whatever it is: without this thread nobody hears anything
                logger.exception("the feed can't be read; trying again")
                connection.close()
                pause.wait(PAUSE_AFTER_ERROR)
        connection.close()

    def _wanted(self) -> bool:
        """Whether somebody listens; if not, the thread is given up in the same locked moment."""
        with self._lock:
            if not self._subscriptions:
                self._thread = None
                return False
            return True

    def _begin(self) -> None:
        """Start at the newest row; what was kept before may have a gap. Rows that came meanwhile are in the table."""
        warm_up()
        newest = feed.head()
        with self._lock:
            self._frames.clear()
            self._floor = self._head = newest
            self._ready.set()
            listeners = list(self._subscriptions)
        for each in listeners:
            each.notify()

    def _take_new(self) -> None:
        """Append the rows after the head, in batches, and wake everybody after each."""
        while rows := list(feed.between(self._head)[:BATCH]):
            fresh = rendered(rows)
            with self._lock:
                self._store(fresh)
                listeners = list(self._subscriptions)
            for each in listeners:
                each.notify()

    def _store(self, frames: list[Frame]) -> None:
        overflow = len(self._frames) + len(frames) - CAPACITY
        if overflow > 0:
            self._floor = self._frames[overflow - 1].id
        self._frames.extend(frames)
        self._head = frames[-1].id

    def _hint_runs(self) -> None:
        """Tell listeners of one run that its history has grown: steps make no feed rows of their own."""
        with self._lock:
            wanted = {each.run_id for each in self._subscriptions if each.run_id}
        if not wanted:
            return
        rows = Run.objects.filter(run_id__in=wanted).values_list("run_id", "history_length", "status", "namespace")
        now = {run_id: (length, status, namespace) for run_id, length, status, namespace in rows}
        changed = {run_id for run_id, state in now.items() if self._run_states.get(run_id) != state}
        self._run_states = now
        self._send_hints(changed, now)

    def _send_hints(self, changed: set[str], states: dict[str, tuple[int, str, str]]) -> None:
        with self._lock:
            listeners = [each for each in self._subscriptions if each.run_id in changed]
        for each in listeners:
            length, status, namespace = states[each.run_id]
            each.notify({"run_id": each.run_id, "history_length": length, "status": status, "namespace": namespace})


tailer = Tailer()
"""The one of this process."""
