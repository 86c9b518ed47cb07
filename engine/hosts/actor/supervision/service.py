"""One supervised service: a task that starts its process, watches it and starts it again (docs/lua.md#services)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from engine.contracts.host import Host, ProcessHost, SpawnRequest
from engine.durations import SECOND
from engine.errors import CANCELED, TIMEOUT, Failure, UnitFailed, invalid
from engine.hosts.actor.failures import HOST_NOT_FOUND
from engine.hosts.actor.supervision.spec import ServiceSpec
from engine.hosts.actor.supervision.state import (
    EXITED,
    FAILED,
    RUNNING,
    STARTING,
    STOPPED,
    STOPPING,
    UNKNOWN,
    ServiceState,
)
from engine.steps import Exited

logger = logging.getLogger(__name__)


class Clock(Protocol):
    """Time as services see it; tests bring their own."""

    def now(self) -> int:
        """Nanoseconds since the epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Parent(Protocol):
    """What a service needs of its supervisor."""

    clock: Clock
    chance: Callable[[], float]

    def host(self, host_id: str) -> Host | None:
        """A host of the node."""
        ...

    def changed(self, state: ServiceState) -> None:
        """The service's state changed."""
        ...


@dataclass(frozen=True, slots=True)
class Requirement:
    """Something that must run before a service starts. `up` answers whether it runs, once that is decided."""

    entry_id: str
    up: Callable[[], Awaitable[bool]]


@dataclass(slots=True)
class _Attempts:
    """Starts in a row of which none became stable, and the failures that the next delay grows with."""

    starts: int = 0
    failures: int = 0

    def add(self, stable: bool) -> None:
        self.starts = 0 if stable else self.starts + 1
        self.failures = 1 if stable else self.failures + 1


class Service:
    """Runs one service. `blocked` tells that it did not start for want of something that it requires."""

    def __init__(self, spec: ServiceSpec, parent: Parent, requirements: Iterable[Requirement] = ()) -> None:
        self.spec = spec
        self.state = ServiceState(spec.entry_id, UNKNOWN, parent.clock.now(), optional=spec.optional)
        self.blocked = False
        self._parent = parent
        self._requirements = tuple(requirements)
        self._running: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; once."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"service {self.spec.entry_id}")

    async def stop(self) -> None:
        """Send CANCEL, wait `stop_timeout`, terminate; returns when it is over."""
        self._stop.set()
        if self._task is not None:
            await self._task

    async def up(self) -> bool:
        """Wait until it runs; False when it is over instead."""
        return await asyncio.shield(self._running)

    async def _run(self) -> None:
        try:
            if await self._requirements_are_met():
                await self._keep_running()
        except Exception as error:
            self._change(FAILED, error=f"internal error: {error}")
            raise
        finally:
            if not self._running.done():
                self._running.set_result(False)

    async def _requirements_are_met(self) -> bool:
        self.blocked = True
        for requirement in self._requirements:
            self._change(UNKNOWN, error=f"waits for '{requirement.entry_id}'")
            met = await self._unless_stopped(requirement.up())
            if met is None:
                self.blocked = False
                self._change(STOPPED)
                return False
            if not met:
                self._give_up(f"'{requirement.entry_id}', which it requires, does not run")
                return False
        self.blocked = False
        return True

    async def _keep_running(self) -> None:
        attempts = _Attempts()
        while True:
            failure, lived = await self._run_once()
            if failure is None:
                return
            stable = lived >= self.spec.stable_threshold
            attempts.add(stable)
            if self.spec.max_attempts and not stable and attempts.starts >= self.spec.max_attempts:
                self._give_up(failure.message)
                return
            if not await self._paused(failure, attempts.failures):
                return

    async def _paused(self, failure: Failure, k: int) -> bool:
        """Wait out the back-off; False when the service was stopped meanwhile."""
        delay = self.spec.backoff.delay(k, self._parent.chance())
        self._change(FAILED, error=failure.message, next_attempt=self._parent.clock.now() + delay)
        if await self._unless_stopped(self._parent.clock.sleep(delay / SECOND)) is None:
            self._change(STOPPED)
            return False
        return True

    async def _run_once(self) -> tuple[Failure | None, int]:
        """One life of the process, and how long it ran (ns); no failure means that the state is final."""
        self._change(STARTING, again=self.state.state == FAILED)
        ended: asyncio.Future[Exited] = asyncio.get_running_loop().create_future()
        try:
            host, pid = await self._spawn(ended)
        except UnitFailed as error:
            return self._not_started(error.failure), -1
        began = self._parent.clock.now()
        self._change(RUNNING, pid=pid)
        exited = await self._unless_stopped(asyncio.shield(ended))
        if exited is None:
            await self._end(host, pid, ended)
            return None, 0
        return self._after_exit(exited.failure), self._parent.clock.now() - began

    async def _spawn(self, ended: asyncio.Future[Exited]) -> tuple[ProcessHost, str]:
        host = self._parent.host(self.spec.host)
        if host is None:
            raise UnitFailed(HOST_NOT_FOUND)
        if not isinstance(host, ProcessHost):
            raise UnitFailed(invalid(f"host '{self.spec.host}' does not run services"))
        request = SpawnRequest(self.spec.process, self.spec.host, self.spec.args, security=self.spec.security)
        token = f"service {self.spec.entry_id}"
        try:
            spawning = host.spawn_watched(request, token, ended.set_result)
            return host, await asyncio.wait_for(spawning, self.spec.start_timeout / SECOND)
        except TimeoutError:
            raise UnitFailed(Failure(TIMEOUT, "the process did not start in time")) from None

    async def _end(self, host: ProcessHost, pid: str, ended: asyncio.Future[Exited]) -> None:
        self._change(STOPPING, pid=pid)
        with contextlib.suppress(UnitFailed):
            await host.cancel(pid, "service stopping", "")
        grace = asyncio.ensure_future(self._parent.clock.sleep(self.spec.stop_timeout / SECOND))
        await _first(ended, grace)
        grace.cancel()
        if not ended.done():
            with contextlib.suppress(UnitFailed):
                await host.terminate(pid, "service stopping", "")
            await ended
        self._change(STOPPED)

    def _not_started(self, failure: Failure) -> Failure | None:
        if failure.retryable is not False:
            return failure
        self._give_up(failure.message)
        return None

    def _after_exit(self, failure: Failure | None) -> Failure | None:
        """The failure that a restart mends; the others are final, and so is the end of one that was canceled."""
        if failure is not None and failure.retryable is not False and failure.kind != CANCELED:
            return failure
        self._change(EXITED, error=failure.message if failure else "")
        return None

    def _give_up(self, error: str) -> None:
        startup = "optional" if self.spec.optional else "required"
        logger.error("the %s service %s failed for good: %s", startup, self.spec.entry_id, error)
        self._change(FAILED, error=error)

    async def _unless_stopped(self, waiting: Awaitable[Any]) -> Any:
        """What is waited for, or None when the service is stopped first (None results count as True)."""
        work = asyncio.ensure_future(waiting)
        stop = asyncio.ensure_future(self._stop.wait())
        await _first(work, stop)
        stop.cancel()
        if not work.done():
            work.cancel()
            return None
        result = work.result()
        return True if result is None else result

    def _change(
        self, state: str, *, pid: str = "", error: str = "", next_attempt: int = 0, again: bool = False
    ) -> None:
        now, restarts = self._parent.clock.now(), self.state.restarts + again
        self.state = ServiceState(
            self.spec.entry_id, state, now, pid, restarts, error, next_attempt, self.spec.optional
        )  # fmt: skip
        if state == RUNNING:
            self._running.set_result(True)
        elif self._running.done():  # who asks from now on waits for the next life
            self._running = asyncio.get_running_loop().create_future()
        self._parent.changed(self.state)


async def _first(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
