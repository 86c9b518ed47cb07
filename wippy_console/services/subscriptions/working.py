"""Threads that send, so that a slow receiver holds neither the leader nor the other subscriptions."""

from __future__ import annotations

import logging
import threading

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from wippy_console.services.subscriptions import sending, sorting

logger = logging.getLogger(__name__)

THREADS = 8


class Senders:
    """Some threads at most, and the keys of the subscriptions that they are to send, each once."""

    def __init__(self) -> None:
        self._queue: dict[int, None] = {}
        self._busy: set[int] = set()
        self._threads = 0
        self._lock = threading.Lock()

    def tick(self) -> None:
        """Look which have something to send, and let threads do it."""
        with self._lock:
            at_work = {*self._queue, *self._busy}
        found = sorting.due(at_work)
        with self._lock:
            self._queue.update(dict.fromkeys(each for each in found if each not in self._busy))
            missing = max(0, min(THREADS, len(self._queue) + len(self._busy)) - self._threads)
            self._threads += missing
        for _ in range(missing):
            # A daemon: a worker that ends does not wait for a receiver; the events are sent by the next.
            threading.Thread(target=self._work, name="send-subscriptions", daemon=True).start()

    def is_idle(self) -> bool:
        """Whether no thread is at work."""
        with self._lock:
            return not self._threads

    def _work(self) -> None:
        number: int | None = None
        try:
            close_old_connections()
            while (number := self._next(number)) is not None:
                if sending.turn(number):
                    with self._lock:
                        self._queue[number] = None  # behind all others
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the database does not answer, sending later: %s", error)
        except Exception:
            logger.exception("sending to subscriptions stumbled; trying again")
        finally:
            connection.close()
            with self._lock:
                self._busy -= {number}
                self._threads -= 1

    def _next(self, done: int | None) -> int | None:
        """The one that has waited longest; two threads never have the same."""
        with self._lock:
            self._busy -= {done}
            number = next(iter(self._queue), None)
            if number is not None:
                del self._queue[number]
                self._busy.add(number)
            return number


senders = Senders()


def tick() -> None:
    """The same with the threads of this process; for the worker that leads, about once a second."""
    senders.tick()
