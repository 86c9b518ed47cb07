"""The worker's own watch: it keeps the ledger, refuses what is quarantined, and interrupts steps that take too long."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from typing import Protocol

from engine.contracts.watcher import Card, Interruptible
from wippy_console.worker.watch.ledger import Ledger
from wippy_console.worker.watch.overdue import Overdue, Overtime

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
# Of a workflow: its own budget (1.2 s) speaks first, and past the two seconds of the SDK its task has failed anyway.
WORKFLOW_SECONDS = 1.5
FOLLOW_EVERY = 4  # looks
LAST_SECONDS = 1.0


class Quarantines(Protocol):
    """Where quarantines are kept. No method raises."""

    def impose(self, card: Card, seconds: float) -> None:
        """Quarantine the program on its host, unless it is already."""
        ...

    def refusals(self) -> Mapping[tuple[str, str], str]:
        """By digest and host, why it must not run."""
        ...

    def close(self) -> None:
        """The thread that asked asks no more."""
        ...


class StepWatcher:
    """Implements `engine.contracts.watcher.Watcher`. `start` reads what is quarantined before it returns."""

    def __init__(self, ledger: Ledger, limit: float, quarantines: Quarantines) -> None:
        self._ledger = ledger
        self._quarantines = quarantines
        self._overtime = Overtime(ledger, limit, WORKFLOW_SECONDS)
        self._refused: Mapping[tuple[str, str], str] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.begin = ledger.begin
        self.end = ledger.end

    def refusal(self, card: Card) -> str:
        """Why the program must not run here now, or ""."""
        return self._refused.get((card.digest, card.host), "") if self._refused else ""

    def start(self) -> None:
        """Read what is quarantined, and watch on a thread until `stop`."""
        self._refused = self._quarantines.refusals()
        self._thread = threading.Thread(target=self._watch, name="step-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no more; what is being looked at now is waited for."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(LAST_SECONDS)

    def _watch(self) -> None:
        try:
            self._look_on()
        finally:
            self._quarantines.close()

    def _look_on(self) -> None:
        looks = 0
        while not self._stop.wait(LOOK_SECONDS):
            looks += 1
            for overdue in self._overtime.look(os.getpid()):
                self._interrupt(overdue)
            if looks % FOLLOW_EVERY == 0:
                self._refused = self._quarantines.refusals()

    def _interrupt(self, overdue: Overdue) -> None:
        unit: Interruptible | None = self._ledger.unit(overdue.step)
        if unit is None or not unit.interrupt(_time_limit(overdue.limit)):
            return
        card = overdue.step.card
        logger.warning("a step of %s took %.1f s: interrupted", card.entry, overdue.seconds)
        self._quarantines.impose(card, overdue.seconds)
        self._refused = self._quarantines.refusals()


def _time_limit(seconds: float) -> str:
    """What the unit is told that took longer."""
    return f"time limit exceeded: a step took more than {seconds:g} s of processor time"
