"""One child process: started, started again when it dies, stopped in good order."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field

from wippy_console.supervision.children.launch import launched
from wippy_console.supervision.children.output import LINE_LIMIT, LogFile, pump

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 15.0
SETTLED = 20.0
LONGEST_WORD = 500


def no_descriptors() -> AbstractContextManager[tuple[int, ...]]:
    """Hand nothing over."""
    return nullcontext(())


@dataclass(frozen=True)
class ChildSpec:
    """How to start a child. `descriptors` is entered for each start and gives the open files to inherit."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    stop_seconds: float
    descriptors: Callable[[], AbstractContextManager[tuple[int, ...]]] = field(default=no_descriptors)


class ChildDied(Exception):
    """A child ended before it was ready."""


class Child:
    """A child by its spec, and its current process."""

    def __init__(self, spec: ChildSpec, log: LogFile, report: Callable[[str, str], None]) -> None:
        self.spec = spec
        self.log = log
        self._report = report
        self._process: asyncio.subprocess.Process | None = None
        self._pump: asyncio.Task[None] | None = None
        self._pause = FIRST_PAUSE

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The current process, perhaps already dead."""
        if self._process is None:
            raise RuntimeError(f"{self.spec.name} was never started")
        return self._process

    async def start(self) -> None:
        """Start a process in a group of its own, so that Ctrl-C reaches the supervisor alone."""
        self.log.last = ""
        with self.spec.descriptors() as descriptors:
            process = await asyncio.create_subprocess_exec(
                *launched(list(self.spec.command)),
                env=dict(self.spec.environment),
                pass_fds=descriptors,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=LINE_LIMIT,
                start_new_session=True,
            )
        self._process = process
        if process.stdout:
            self._pump = asyncio.create_task(pump(process.stdout, self.log, self._report_line))

    async def keep_running(self) -> None:
        """Start the child again each time it ends; the pause doubles while it keeps dying young."""
        while True:
            began = time.monotonic()
            await self.process.wait()
            self.kill()  # what it started would hold on to its ports and files
            ended = describe_end(self.process.returncode)
            self._pause = FIRST_PAUSE if time.monotonic() - began > SETTLED else self._pause
            self._report(self.spec.name, f"{ended}{await self._why()}; starting again in {self._pause:g} s")
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            await self._start_again()

    async def _why(self) -> str:
        """What a child that failed said last, on one line, and where the rest stands."""
        if not self.process.returncode or self.process.returncode < 0:
            return ""
        if self._pump:
            await asyncio.wait([self._pump], timeout=1)
        return f": {self.log.last.strip()[:LONGEST_WORD]} (see {self.log.path})"

    async def _start_again(self) -> None:
        """Start; a failure to do so counts as another death."""
        try:
            await self.start()
        except Exception as error:
            self._report(self.spec.name, f"could not be started: {error}")
        else:
            self._report(self.spec.name, f"started again, process {self.process.pid}")

    async def stop(self) -> None:
        """Ask the child to end, wait for as long as it may take, then kill its whole group."""
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), self.spec.stop_seconds)
        self.kill()
        if self._process:
            await self._process.wait()
        if self._pump:
            await asyncio.wait([self._pump], timeout=1)

    def kill(self) -> None:
        """Kill the child and whatever it started."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def until_dead(self) -> None:
        """Wait for the process to end and raise what it said last."""
        await self.process.wait()
        if self._pump:
            await asyncio.wait([self._pump], timeout=1)
        ended = describe_end(self.process.returncode)
        raise ChildDied(f"{self.spec.name} {ended}; see {self.log.path}, which ends with:\n{self.log.tail()}")

    def _report_line(self, line: str) -> None:
        self._report(self.spec.name, line)


def describe_end(returncode: int | None) -> str:
    """Say in words how a process ended."""
    if returncode is not None and returncode < 0:
        return f"was ended by {signal.Signals(-returncode).name}"
    return f"ended with status {returncode}"
