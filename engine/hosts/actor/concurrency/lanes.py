"""Ordered asynchronous jobs: one lane per key, each strictly in order, some of one owner beside each other."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable

from engine.hosts.actor.concurrency.lock import OwnedLock
from engine.hosts.actor.concurrency.loop import LoopBridge

logger = logging.getLogger(__name__)

Key = tuple[str, str]
"""Whose lane it is, and its name."""
Job = Callable[[], Awaitable[object]]


AT_ONCE = 32
"""Open lanes of one owner; its others wait. Jobs share threads and connections with all else of the node."""


class Lanes:
    """Runs jobs on the loop. A lane costs a task while it is open, and little otherwise."""

    def __init__(self, bridge: LoopBridge, lock: OwnedLock) -> None:
        self._bridge = bridge
        self._lock = lock
        self._lanes: dict[Key, deque[Job]] = {}
        self._open_of: Counter[str] = Counter()
        self._waiting: dict[str, deque[Key]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def enqueue(self, key: Key, job: Job) -> None:
        """Do the job after the earlier ones of its key. From any thread that holds the lock."""
        assert self._lock.held()
        lane = self._lanes.get(key)
        if lane is not None:
            lane.append(job)
            return
        self._lanes[key] = deque([job])
        owner = key[0]
        if self._open_of[owner] >= AT_ONCE:
            self._waiting.setdefault(owner, deque()).append(key)
            return
        self._open_of[owner] += 1
        self._bridge.post(lambda: self._open(key))

    async def settled(self) -> None:
        """Wait until no job is left; on the loop."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _open(self, key: Key) -> None:
        task = self._bridge.loop.create_task(self._run(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, key: Key) -> None:
        while (job := self._next(key)) is not None:
            try:
                await job()
            except (Exception, asyncio.CancelledError):
                if to_stop():
                    raise
                logger.exception("a command from %s to %s broke", *key)

    def _next(self, key: Key) -> Job | None:
        with self._lock:
            lane = self._lanes[key]
            if lane:
                return lane.popleft()
            del self._lanes[key]
            self._make_room(key[0])
            return None

    def _make_room(self, owner: str) -> None:
        waiting = self._waiting.get(owner)
        if waiting:
            self._open(waiting.popleft())
            return
        self._waiting.pop(owner, None)
        self._open_of[owner] -= 1
        if not self._open_of[owner]:
            del self._open_of[owner]


def to_stop() -> bool:
    """Whether the running task itself was cancelled; else a CancelledError is that of something that it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
