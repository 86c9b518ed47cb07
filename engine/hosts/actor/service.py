"""One supervised service: a task that starts its process, watches it and starts it again (lua-api 19)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from engine.durations import SECOND
from engine.errors import TIMEOUT, Failure, UnitFailed, invalid
from engine.host import Host, SpawnRequest
from engine.hosts.actor.failures import HOST_NOT_FOUND
from engine.hosts.actor.hosts import ActorHost
from engine.hosts.actor.service_spec import ServiceSpec
from engine.steps import Exited

UNKNOWN, STARTING, RUNNING, STOPPING = "Unknown", "Starting", "Running", "Stopping"
STOPPED, FAILED, EXITED = "Stopped", "Failed", "Exited"


@dataclass(frozen=True, slots=True)
class ServiceState:
    """Where a service stands since `since` (ns since the epoch). `restarts` counts starts after the first."""

    entry_id: str
    state: str
    since: int
    pid: str = ""
    restarts: int = 0
    error: str = ""


class Clock(Protocol):
    """Time as services see it; tests bring their own."""

    def now(self) -> int:
        """Nanoseconds since the epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Surroundings(Protocol):
    """What a service needs of its supervisor."""

    clock: Clock
    chance: Callable[[], float]

    def host(self, host_id: str) -> Host | None:
        """A host of the node."""
        ...

    def changed(self, state: ServiceState) -> None:
        """The service's state changed."""
        ...


class Service:
    """Runs one service. `came_up` tells those who depend on it, once, whether it ran at all."""

    def __init__(self, spec: ServiceSpec, around: Surroundings, needs: Iterable[Service] = ()) -> None:
        self.spec = spec
        self.state = ServiceState(spec.entry_id, UNKNOWN, around.clock.now())
        self.came_up: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._around = around
        self._needs = tuple(needs)
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

    def fail(self, error: str) -> None:
        """It can't be started at all."""
        self._decide(False)
        self._change(FAILED, error=error)

    async def _run(self) -> None:
        try:
            if await self._dependencies_run():
                await self._keep_running()
        except Exception as error:
            self._change(FAILED, error=f"internal error: {error}")
            raise
        finally:
            self._decide(False)

    async def _dependencies_run(self) -> bool:
        for need in self._needs:
            if await self._unless_stopped(asyncio.shield(need.came_up)) is None:
                self._change(STOPPED)
                return False
            if not need.came_up.result():
                self._change(FAILED, error=f"dependency '{need.spec.entry_id}' is not running")
                return False
        return True

    async def _keep_running(self) -> None:
        row = 0
        while True:
            began = self._around.clock.now()
            failure = await self._run_once()
            if failure is None:
                return
            stable = self._around.clock.now() - began >= self.spec.stable_threshold
            row = 0 if stable else row + 1
            self._change(FAILED, error=failure.message)
            if self.spec.max_attempts and row >= self.spec.max_attempts:
                return
            if not await self._paused(max(row, 1)):
                return

    async def _paused(self, k: int) -> bool:
        """Wait out the back-off; False when the service was stopped meanwhile."""
        delay = self.spec.backoff.delay(k, self._around.chance()) / SECOND
        if await self._unless_stopped(self._around.clock.sleep(delay)) is None:
            self._change(STOPPED)
            return False
        self.state = ServiceState(self.spec.entry_id, FAILED, self.state.since, restarts=self.state.restarts + 1)
        return True

    async def _run_once(self) -> Failure | None:
        """One life of the process; the failure when it is to be started again, else None and a final state."""
        self._change(STARTING)
        ended: asyncio.Future[Exited] = asyncio.get_running_loop().create_future()
        try:
            host, pid = await self._spawn(ended)
        except UnitFailed as error:
            return self._not_started(error.failure)
        self._change(RUNNING, pid=pid)
        self._decide(True)
        exited = await self._unless_stopped(asyncio.shield(ended))
        if exited is None:
            await self._end(host, pid, ended)
            return None
        return self._after_exit(exited.failure)

    async def _spawn(self, ended: asyncio.Future[Exited]) -> tuple[ActorHost, str]:
        host = self._around.host(self.spec.host)
        if host is None:
            raise UnitFailed(HOST_NOT_FOUND)
        if not isinstance(host, ActorHost):
            raise UnitFailed(invalid(f"host '{self.spec.host}' does not run services"))
        request = SpawnRequest(self.spec.process, self.spec.host, self.spec.args)
        token = f"service {self.spec.entry_id}"
        try:
            spawning = host.spawn_watched(request, token, ended.set_result)
            return host, await asyncio.wait_for(spawning, self.spec.start_timeout / SECOND)
        except TimeoutError:
            raise UnitFailed(Failure(TIMEOUT, "the process did not start in time")) from None

    async def _end(self, host: ActorHost, pid: str, ended: asyncio.Future[Exited]) -> None:
        self._change(STOPPING, pid=pid)
        with contextlib.suppress(UnitFailed):
            await host.cancel(pid, "service stopping", "")
        grace = asyncio.ensure_future(self._around.clock.sleep(self.spec.stop_timeout / SECOND))
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
        self._change(FAILED, error=failure.message)
        return None

    def _after_exit(self, failure: Failure | None) -> Failure | None:
        if failure is not None and failure.retryable is not False:
            return failure
        self._change(EXITED, error=failure.message if failure else "")
        return None

    async def _unless_stopped(self, waiting: Any) -> Any:
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

    def _decide(self, up: bool) -> None:
        if not self.came_up.done():
            self.came_up.set_result(up)

    def _change(self, state: str, *, pid: str = "", error: str = "") -> None:
        now = self._around.clock.now()
        self.state = ServiceState(self.spec.entry_id, state, now, pid, self.state.restarts, error)
        self._around.changed(self.state)


async def _first(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
