"""Starts the children in order, keeps them running, and stops them in the opposite order."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable

from wippy_console.env import Environment
from wippy_console.services.temporal_server import connect
from wippy_console.supervision.children.child import Child, ChildSpec
from wippy_console.supervision.children.output import LogFile
from wippy_console.supervision.children.ready import node_registered, ready_or_dead, web_answers
from wippy_console.supervision.children.specs import child_environment, temporal_spec, web_spec, worker_spec
from wippy_console.supervision.dev_server import DevServer, prepare
from wippy_console.supervision.report import Progress, Report

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ChildSupervisor:
    """The running installation. `server` is the embedded Temporal, or None when an address was given."""

    def __init__(
        self, environment: Environment, server: DevServer | None, listener: socket.socket, report: Report
    ) -> None:
        self._environment = environment
        self._server = server
        self._listener = listener
        self._report = report
        self._children: list[Child] = []
        self._restarters: list[asyncio.Task[None]] = []
        self._stop = asyncio.Event()

    async def run(self, progress: Progress, on_ready: Callable[[], None]) -> None:
        """Start, tell `on_ready`, and stay until a signal asks to stop."""
        for number in STOP_SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal)
        try:
            await self._unless_stopped(self._start(progress))
            if not self._stop.is_set():
                on_ready()
                await self._unless_stopped(asyncio.gather(*self._restarters))
        finally:
            await self._stop_all()

    def _on_signal(self) -> None:
        """Stop in order; a second signal means at once."""
        if self._stop.is_set():
            for child in self._children:
                child.kill()
        else:
            self._report.event("up", "stopping; a second Ctrl-C kills")
        self._stop.set()

    async def _unless_stopped(self, work: Awaitable[object]) -> None:
        """Do the work until it ends, fails or a signal comes."""
        working = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._stop.wait())
        done, pending = await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for future in pending:
            future.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        if working in done:
            working.result()

    async def _start(self, progress: Progress) -> None:
        """Start Temporal first, then web and worker side by side."""
        with progress.step("Start Temporal" if self._server else "Reach Temporal") as outcome:
            outcome.append(await self._start_temporal())
        environment = child_environment(self._environment, self._environment.temporal.address)
        with progress.step("Start web and worker"):
            web = await self._launch(web_spec(self._listener, environment))
            worker = await self._launch(worker_spec(environment))
            await ready_or_dead(web, web_answers(self._listener))
            self._keep_running(web)
        with progress.step("Wait for the worker's node"):
            await ready_or_dead(worker, node_registered(worker))
            self._keep_running(worker)

    async def _start_temporal(self) -> str:
        """Start the embedded server, or make sure that the given one answers and has the namespace."""
        address = self._environment.temporal.address
        if self._server:
            child = await self._launch(temporal_spec(self._server))
            await ready_or_dead(child, prepare(address, self._environment.temporal.namespace))
            self._keep_running(child)
        else:
            await connect(self._environment.temporal)
        return address

    async def _launch(self, spec: ChildSpec) -> Child:
        child = Child(spec, LogFile(self._environment.data / "logs" / f"{spec.name}.log"), self._report.event)
        self._children.append(child)
        await child.start()
        return child

    def _keep_running(self, child: Child) -> None:
        self._restarters.append(asyncio.create_task(child.keep_running()))

    async def _stop_all(self) -> None:
        """Stop the worker while it can still tell Temporal and the database, then web, then Temporal."""
        for task in self._restarters:
            task.cancel()
        await asyncio.gather(*self._restarters, return_exceptions=True)
        for child in reversed(self._children):
            await child.stop()
            self._report.event(child.spec.name, "stopped")
            child.log.close()
