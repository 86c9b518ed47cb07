"""Calls of functions, and of processes by their default host: attempts, timeout, giving up."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace

from engine.attempt import Attempt
from engine.contracts.host import CallRequest
from engine.durations import SECOND
from engine.errors import Failure, UnitFailed
from engine.hosts.actor.admission import FunctionStarter, ProcessStarter
from engine.hosts.actor.attempts import Attempts
from engine.hosts.actor.concurrency.deadlines import Timer
from engine.hosts.actor.failures import CALL_CANCELED, NODE_STOPPING, call_timed_out
from engine.hosts.actor.pools import Pools, Ticket
from engine.hosts.actor.table import Table
from engine.hosts.actor.targets import CallTarget, Targets
from engine.registry.kinds import FUNCTIONS
from engine.steps import Exited, Value

PATIENCE = 5.0

Done = Callable[[Value, Failure | None, int], None]
"""Hears value or failure, and about how many bytes it holds."""


class Calls:
    """Makes calls, within the bounds of their functions' pools."""

    def __init__(self, table: Table, targets: Targets, functions: FunctionStarter) -> None:
        self.table = table
        self.functions = functions
        self.pools = Pools()
        self._targets = targets

    async def call(self, request: CallRequest) -> Value:
        """Call from outside of the node's actors and wait; raises UnitFailed.

        When the waiting task is cancelled the callee gets CANCEL, and is terminated five seconds later.
        """
        if self.functions.draining:
            raise UnitFailed(NODE_STOPPING)
        target = await self._targets.on_thread(self._targets.call, request)
        future: asyncio.Future[Value] = asyncio.get_running_loop().create_future()

        def done(value: Value, failure: Failure | None, size: int) -> None:
            self.table.bridge.post(lambda: _settle(future, value, failure))

        call = self.prepare(target, request, done)
        with self.table.lock:
            call.start()
        try:
            return await future
        except asyncio.CancelledError:
            with self.table.lock:
                call.abandon()
            raise

    def prepare(self, target: CallTarget, request: CallRequest, done: Done, *, waits: bool = False) -> FunctionCall:
        """A call that has not begun; `waits` as that of `Call`."""
        return FunctionCall(self, target, request, done, waits)

    def functions_above(self, pid: str) -> frozenset[str]:
        """The functions among the live ancestors of `pid`, itself included."""
        found = set()
        actor = self.table.live(pid)
        while actor is not None:
            if actor.program.kind in FUNCTIONS:
                found.add(actor.program.entry_id)
            actor = self.table.live(actor.parent)
        return frozenset(found)


class FunctionCall:
    """A call in flight; `done` is called once with value or failure, unless it is abandoned first.

    For those who hold the lock. The callee is asked to stop by CANCEL; a function that does not heed it
    is terminated after five seconds, a process (a unit of its own right) is left alone.
    """

    def __init__(self, calls: Calls, target: CallTarget, request: CallRequest, done: Done, waits: bool) -> None:
        self._calls = calls
        self._table = calls.table
        self._target = target
        self._request = request
        self._done: Done | None = done
        self._waits = waits
        self._asked_to_stop = False
        self._attempts = 0
        self._tries = self._told(target, request.attempt)
        self._callee = ""
        self._ticket: Ticket | None = None
        self._timers: list[Timer] = []

    def _told(self, target: CallTarget, given: Attempt | None) -> Attempts | None:
        """Functions are told of their tries, for what they call; processes are units of their own right."""
        if target.host is not None:
            return None
        timeout = target.options.timeout
        return Attempts(given, self._table.world.now() + timeout if timeout else 0)

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
        """Ask the callee of a caller that waits to stop as well; one that has not begun never does."""
        if not self._waits or self._asked_to_stop:
            return
        self._asked_to_stop = True
        if self._callee:
            self._stop_callee(reason)
        else:
            self._finish(None, CALL_CANCELED)

    def _attempt(self) -> None:
        if self._done is None:
            return
        self._attempts += 1
        if not self._held():
            self._enter()

    def _held(self) -> bool:
        """Whether the caller has results to take before another call of its may begin; it calls back then."""
        caller = self._table.live(self._request.caller)
        if caller is None or not caller.behind:
            return False
        caller.held_calls.append(self._begin_held)
        return True

    def _begin_held(self) -> bool:
        wanted = self._done is not None
        if wanted:
            self._enter()
        return wanted

    def _enter(self) -> None:
        if (host := self._target.host) is not None:
            self._begin_process(host)
            return
        caller = self._table.family_of(self._request.caller)
        if failure := self._calls.functions.refusal(caller):
            self._finish(None, failure)
            return
        self._ticket = self._calls.pools.enter(
            self._target.program.entry_id,
            self._target.bound,
            self._within,
            self._begin_function,
            caller=caller,
            held=self._held,
        )

    def _within(self) -> frozenset[str]:
        return self._calls.functions_above(self._request.caller)

    def _begin_function(self) -> None:
        request = self._request
        if self._tries is not None:
            request = replace(request, attempt=self._tries.next())
        self._callee = self._calls.functions.begin(self._target.program, request, self._ended)

    def _begin_process(self, host: ProcessStarter) -> None:
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
        if failure is not None and not self._asked_to_stop and self._retries(failure):
            delay = self._target.options.retry.backoff.delay(self._attempts, random.random())  # noqa: S311
            self._after(delay, self._attempt)
        else:
            self._finish(exited.value, failure, exited.size)

    def _retries(self, failure: Failure) -> bool:
        return self._target.options.retry.allows(failure, self._attempts)

    def _time_out(self) -> None:
        self._finish(None, call_timed_out(self._request.target, self._target.options.timeout))
        self._stop_callee("timed out")

    def _finish(self, value: Value, failure: Failure | None, size: int = 0) -> None:
        done = self._done
        self._conclude()
        if done is not None:
            done(value, failure, size)

    def _conclude(self) -> None:
        self._done = None
        for timer in self._timers:
            self._table.bridge.stop_timer(timer)
        self._timers.clear()
        if not self._callee:
            self._leave_pool()

    def _leave_pool(self) -> None:
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            self._calls.pools.leave(ticket)

    def _stop_callee(self, reason: str) -> None:
        if not self._callee:
            return
        self._table.cancel(self._callee, reason, self._request.caller)
        if self._target.host is None:
            pid = self._callee
            self._table.bridge.timer(PATIENCE, lambda: self._table.terminate(pid))

    def _after(self, nanoseconds: int, callback: Callable[[], None]) -> None:
        self._timers.append(self._table.bridge.timer(nanoseconds / SECOND, callback))


def _settle(future: asyncio.Future[Value], value: Value, failure: Failure | None) -> None:
    if future.done():
        return
    if failure is None:
        future.set_result(value)
    else:
        future.set_exception(UnitFailed(failure))
