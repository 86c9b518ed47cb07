"""The threads of sync functions: a bounded number of them, those that code holds for ever replaced up to a bound."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from engine.errors import UNAVAILABLE, Failure, UnitFailed
from engine.hosts.python.call import PythonCall, stopped
from engine.hosts.python.interrupts import Abandoned, interrupt, settle

Around = Callable[[PythonCall], AbstractContextManager[None]]
IDLE_SECONDS = 60.0


@dataclass(slots=True, eq=False)
class Job:
    """Work for a call; `future` hears how it went."""

    call: PythonCall
    work: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)


class Threads:
    """At most `size` threads work for those who wait; as many more may be held by calls that were given up."""

    def __init__(self, size: int, around: Around, at_end: Callable[[], None]) -> None:
        self.size = size
        self.around = around
        self.at_end = at_end
        self._lock = threading.Lock()
        self._wanted = threading.Condition(self._lock)
        self._jobs: deque[Job] = deque()
        self._places: set[Place] = set()
        self._idle = 0
        self._stuck: dict[Place, PythonCall] = {}
        self._closed = False

    def submit(self, job: Job) -> None:
        """Do it as soon as a thread is free; raises UnitFailed (Unavailable) when none can become so."""
        with self._lock:
            if self._closed or self._room() <= 0:
                raise UnitFailed(self._held())
            self._jobs.append(job)
            self._staff()

    def close(self) -> None:
        """Let idle threads end, others after their call; what waits is not done any more."""
        with self._lock:
            self._closed = True
            left = self._drop()
            self._wanted.notify_all()
        for job in left:
            job.future.cancel()

    def stuck(self) -> tuple[PythonCall, ...]:
        """The calls that were given up and still hold a thread."""
        with self._lock:
            return tuple(self._stuck.values())

    # --- for places ----------------------------------------------------------------------------

    def next(self, place: Place) -> Job | None:
        """The next job of a place; None when it is to end."""
        with self._lock:
            self._stuck.pop(place, None)
            while not self._jobs:
                if self._closed or len(self._places) - len(self._stuck) > self._room() or not self._waited():
                    self._places.discard(place)
                    return None
            return self._jobs.popleft()

    def give_up(self, place: Place, call: PythonCall) -> None:
        """The place is held by a call that nobody waits for: another takes its turn."""
        with self._lock:
            if not place.works_for(call):
                return
            self._stuck[place] = call
            left = self._drop() if self._room() <= 0 else []
            failure = self._held()
            self._staff()
        for job in left:
            if job.future.set_running_or_notify_cancel():
                job.future.set_exception(UnitFailed(failure))

    # --- under the lock ------------------------------------------------------------------------

    def _waited(self) -> bool:
        """Whether a job came, rather than a while without any."""
        self._idle += 1
        try:
            return self._wanted.wait(IDLE_SECONDS)
        finally:
            self._idle -= 1

    def _staff(self) -> None:
        if self._idle >= len(self._jobs):
            self._wanted.notify()
        elif len(self._places) - len(self._stuck) < self._room():
            place = Place(self)
            self._places.add(place)
            place.start()

    def _room(self) -> int:
        return self.size - max(0, len(self._stuck) - self.size)

    def _drop(self) -> list[Job]:
        left, self._jobs = list(self._jobs), deque()
        return left

    def _held(self) -> Failure:
        counts = Counter(call.entry for call in self._stuck.values())
        who = ", ".join(f"{entry} ({count})" for entry, count in counts.most_common(5))
        text = f"no thread for Python functions is free: calls that do not stop hold them: {who}"
        return Failure(UNAVAILABLE, text if who else "Python functions are stopping", retryable=True)


class Place(threading.Thread):
    """One thread. What can be stopped by force is only the code of the call, never what is around it."""

    def __init__(self, threads: Threads) -> None:
        super().__init__(name="python function", daemon=True)
        self._threads = threads
        self._gate = threading.Lock()
        self._serves: PythonCall | None = None
        self._call: PythonCall | None = None
        """Whose code runs now, so that it may be stopped by force."""
        self._interrupted = False

    def run(self) -> None:
        """Serve until there is nothing to do for a while."""
        while (job := self._threads.next(self)) is not None:
            if job.future.set_running_or_notify_cancel():
                self._do(job)
        self._threads.at_end()

    def works_for(self, call: PythonCall) -> bool:
        """Whether that call holds this thread, by its code or by what is around it."""
        return self._serves is call

    def _do(self, job: Job) -> None:
        self._serves = job.call
        job.call.on_given_up(lambda: self._give_up(job.call))
        try:
            job.call.check()
            with self._threads.around(job.call):
                value = self._forced(job)
        except BaseException as error:  # whatever code raises is its caller's
            self._serves = None
            job.future.set_exception(error)
        else:
            self._serves = None
            job.future.set_result(value)

    def _forced(self, job: Job) -> Any:
        """The value of the code, which ends by Abandoned when it is given up."""
        try:
            try:
                self._call = job.call
                job.call.check()  # it may have been given up a moment ago
                return job.work()
            finally:
                self._quiet()
        except Abandoned:
            self._quiet()  # it may have struck before that began
            raise UnitFailed(stopped("terminated")) from None

    def _quiet(self) -> None:
        """From here on nothing is raised from outside; what was on its way is taken back."""
        while True:
            try:
                with self._gate:
                    self._call = None
                    if self._interrupted:
                        settle()
                    self._interrupted = False
                return
            except Abandoned:
                continue

    def _give_up(self, call: PythonCall) -> None:
        """Interrupt the code once; from any thread."""
        self._threads.give_up(self, call)
        with self._gate:
            if self._call is call and not self._interrupted:
                self._interrupted = True
                interrupt(self.ident or 0)
