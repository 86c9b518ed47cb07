"""One call of a function, or of a process by its default host: attempts, timeout, giving up."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.contracts.host import CallRequest
from engine.durations import SECOND
from engine.errors import Failure
from engine.hosts.actor.failures import call_timed_out
from engine.hosts.actor.loop import Timer
from engine.hosts.actor.pools import Ticket
from engine.hosts.actor.targets import CallTarget
from engine.steps import Exited, Value

if TYPE_CHECKING:
    from engine.hosts.actor.hosts import ActorHost
    from engine.hosts.actor.system import ActorSystem

PATIENCE = 5.0

Done = Callable[[Value, Failure | None], None]


class FunctionCall:
    """A call in flight; `done` is called once with value or failure, lock held, unless it is abandoned first.

    All methods: lock held. The callee is told to stop by CANCEL; a function that does not heed it
    is terminated after five seconds, a process (a unit of its own right) is left alone.
    """

    def __init__(self, system: ActorSystem, target: CallTarget, request: CallRequest, done: Done) -> None:
        self._system = system
        self._target = target
        self._request = request
        self._done: Done | None = done
        self._attempts = 0
        self._callee = ""
        self._ticket: Ticket | None = None
        self._timers: list[Timer] = []

    def start(self) -> None:
        """Begin the first attempt."""
        if timeout := self._target.options.timeout:
            self._after(timeout, self._time_out)
        self._attempt()

    def abandon(self) -> None:
        """Nobody waits any more: ask the callee to stop."""
        self._conclude()
        self._stop_callee("canceled")

    def pass_on_cancel(self, reason: str) -> None:
        """Nothing: a canceled caller decides itself what becomes of its calls."""

    def _attempt(self) -> None:
        if self._done is None:
            return
        self._attempts += 1
        if (host := self._target.host) is not None:
            self._begin_process(host)
            return
        target = self._target.program.entry_id
        self._ticket = self._system.pools.enter(target, self._target.bound, self._within, self._begin_function)

    def _within(self) -> frozenset[str]:
        return self._system.functions_above(self._request.caller)

    def _begin_function(self) -> None:
        self._callee = self._system.functions.begin(self._target.program, self._request, self._ended)

    def _begin_process(self, host: ActorHost) -> None:
        callee = host.admit_callee(self._target.program, self._request, self._ended)
        if isinstance(callee, Failure):
            self._finish(None, callee)
        else:
            self._callee = callee

    def _ended(self, exited: Exited) -> None:
        self._callee = ""
        self._leave_pool()
        failure = exited.failure
        if self._done is None:
            return
        if failure is not None and self._target.options.retry.allows(failure, self._attempts):
            delay = self._target.options.retry.backoff.delay(self._attempts, random.random())  # noqa: S311
            self._after(delay, self._attempt)
        else:
            self._finish(exited.value, failure)

    def _time_out(self) -> None:
        self._finish(None, call_timed_out(self._request.target, self._target.options.timeout))
        self._stop_callee("timed out")

    def _finish(self, value: Value, failure: Failure | None) -> None:
        done = self._done
        self._conclude()
        if done is not None:
            done(value, failure)

    def _conclude(self) -> None:
        self._done = None
        for timer in self._timers:
            self._system.bridge.stop_timer(timer)
        self._timers.clear()
        if not self._callee:
            self._leave_pool()

    def _leave_pool(self) -> None:
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            self._system.pools.leave(ticket)

    def _stop_callee(self, reason: str) -> None:
        if not self._callee:
            return
        self._system.cancel(self._callee, reason, self._request.caller)
        if self._target.host is None:
            pid = self._callee
            self._system.bridge.timer(PATIENCE, lambda: self._system.terminate(pid))

    def _after(self, nanoseconds: int, callback: Callable[[], None]) -> None:
        self._timers.append(self._system.bridge.timer(nanoseconds / SECOND, callback))
