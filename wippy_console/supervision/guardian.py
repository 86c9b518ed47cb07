"""The process around a worker: it replaces a worker in which a step holds a thread that nothing else stops."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections

from wippy_console.services import fleet
from wippy_console.supervision.children.launch import launched
from wippy_console.supervision.unwritten import Unwritten
from wippy_console.worker.fleet.machine import machine_id
from wippy_console.worker.watch.ledger import HANDLE, Ledger, memory
from wippy_console.worker.watch.overdue import Overdue, Overtime

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
PATIENCE = 2.0
"""How much longer than its own watch lets it a step may go on: an interrupted one is over long before."""
PAUSE, LONGEST_PAUSE, STEADY = 0.5, 30.0, 60.0
LAST_SECONDS = 3.0


class Guardian:
    """Runs `command` as a worker and passes signals on; `run` returns the code with which it ended by itself."""

    def __init__(self, command: Sequence[str], limit: float) -> None:
        self._command = list(command)
        self._limit = limit * PATIENCE
        self._handle = memory()
        self._ledger = Ledger(self._handle)
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._unwritten = Unwritten(settings.WIPPY_DATA / "quarantines")

    def run(self) -> int:
        """Until the worker ends by itself, or was asked to."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._pass_on)
        try:
            return self._guard()
        finally:
            self._write_at_last()

    def _guard(self) -> int:
        pause = PAUSE
        while True:
            began = time.monotonic()
            code = self._guarded()
            if code is not None:
                return code
            pause = PAUSE if time.monotonic() - began > STEADY else min(pause * 2, LONGEST_PAUSE)
            if self._is_asked_within(pause):
                return 0

    def _is_asked_within(self, seconds: float) -> bool:
        """Whether it was asked to stop; a sleep would go on after the signal."""
        end = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
        return self._stopping

    def _guarded(self) -> int | None:
        """One worker's life: the code that it ended with, or None when it was killed to be replaced."""
        self._unwritten.write()
        self._ledger.clear()
        environment = {**os.environ, HANDLE: str(self._handle)}
        # In a group of its own: Ctrl-C reaches the guardian alone, which passes it on; twice would mean "at once".
        child = self._child = subprocess.Popen(
            launched(self._command), env=environment, pass_fds=[self._handle], process_group=0
        )
        if self._stopping:  # asked to between two workers
            child.send_signal(signal.SIGTERM)
        overtime = Overtime(self._ledger, self._limit)
        while True:
            try:
                code = child.wait(LOOK_SECONDS)
                return code if code >= 0 else 128 - code
            except subprocess.TimeoutExpired:
                self._unwritten.write()
                held = list(overtime.look(child.pid))
            if held:  # also while it stops: such a worker can not end by itself
                self._replace(child, held)
                return None

    def _replace(self, child: subprocess.Popen[bytes], held: Sequence[Overdue]) -> None:
        """The quarantine first: a new worker must find it. While the database is away it is written again and again."""
        for overdue in held:
            logger.error("a step of %s holds a thread: the worker is replaced", overdue.step.card.entry)
            self._unwritten.add(overdue)
        self._unwritten.write()
        child.kill()
        child.wait()
        self._expire()

    @staticmethod
    def _expire() -> None:
        """Now or never: later it would concern the new worker."""
        try:
            fleet.expire_replaced(machine_id(), os.getpid())
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the node that was killed is not marked so: %s", error)
        finally:
            connections.close_all()

    def _write_at_last(self) -> None:
        """What the database does not take in a few seconds stays in files, for the next guardian."""
        self._unwritten.write()
        end = time.monotonic() + LAST_SECONDS
        while self._unwritten and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
            self._unwritten.write()

    def _pass_on(self, number: int, _frame: object) -> None:
        self._stopping = True
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(number)


def guarded_command() -> list[str]:
    """The command line of this process, to be run again within a guardian."""
    return [sys.executable, *sys.argv]
