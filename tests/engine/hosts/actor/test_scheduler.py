from __future__ import annotations

import threading
from collections.abc import Callable

from engine.hosts.actor.concurrency.lock import OwnedLock
from engine.hosts.actor.concurrency.scheduler import Scheduler
from tests.patience import PATIENCE


def test_what_is_pushed_while_the_one_thread_wakes_for_an_endless_item_is_run_by_another() -> None:
    lock, hang, served = OwnedLock(), threading.Event(), threading.Event()

    def timer(seconds: float, callback: Callable[[], None]) -> None:
        def fire() -> None:
            with lock:
                callback()

        threading.Timer(seconds, fire).start()

    def run(item: str) -> None:
        if item == "endless":
            hang.wait(PATIENCE)
        elif item == "short":
            served.set()

    scheduler: Scheduler[str] = Scheduler(lock, timer, threads=1)
    scheduler.start(run)
    _until_idle(scheduler, lock)
    with lock:  # the thread can't have woken for the first when the second comes
        scheduler.push("endless")
        scheduler.push("short")
    assert served.wait(PATIENCE / 2)
    hang.set()
    scheduler.close()
    scheduler.join(PATIENCE)


def _until_idle(scheduler: Scheduler[str], lock: OwnedLock) -> None:
    pause = threading.Event()
    while True:
        with lock:
            if scheduler._idle:
                return
        pause.wait(0.005)
